"""Who labels is asked once, in a line that nobody has to answer."""

from __future__ import annotations

import pytest
from napari.utils.notifications import notification_manager

from napari_cellstage.core.project_lock import current_user
from napari_cellstage.ui.annotator_box import AnnotatorBox


@pytest.fixture
def box(qtbot, session):
    made = AnnotatorBox(session)
    qtbot.addWidget(made)
    made.show()
    return made


def test_it_asks_until_it_is_answered_and_remembers(box, session, qtbot):
    assert box.question.isVisible()
    assert box.name.text() == current_user()
    session.label_cells([0], 1)
    assert box.question.isVisible()  # nobody has to answer

    box.name.setText("  Ada ")
    box.ok.click()

    assert session.annotator == "Ada"
    assert not box.name.isVisible()
    assert box.told.text() == "Labelling as Ada"
    again = AnnotatorBox(session)
    qtbot.addWidget(again)
    assert not again.name.isVisibleTo(again)


def test_no_name_is_a_sentence_and_it_asks_on(box, session):
    box.name.setText(" ")
    box.ok.click()

    assert "is no name" in notification_manager.records[-1].message
    assert box.name.isVisible()
    assert not session.annotator_known


def test_another_name_and_blind_are_shown_as_they_are(box, session):
    session.annotator = "<b>=1</b>"
    session.blind = True
    assert box.told.text() == "Labelling as <b>=1</b> · blind"
    box.change.click()
    assert box.name.isVisible()
    box.name.setText("Bob")
    box.ok.click()
    assert (session.annotator, session.blind) == ("Bob", False)
    assert box.told.text() == "Labelling as Bob"
