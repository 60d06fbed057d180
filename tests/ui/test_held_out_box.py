"""How a score is measured: what is kept together, and cells set aside."""

from __future__ import annotations

import numpy as np
import pytest
from napari.utils.notifications import notification_manager
from qtpy.QtWidgets import QMessageBox

from napari_cellstage.core.image_facts import ImageFacts
from napari_cellstage.core.predictions import Predictions
from napari_cellstage.core.scoring.split_groups import SPLITS
from napari_cellstage.session import Session
from napari_cellstage.ui.held_out_box import TEXTS, HeldOutBox


@pytest.fixture
def box(qtbot, session: Session) -> HeldOutBox:
    made = HeldOutBox(session)
    qtbot.addWidget(made)
    made.show()
    return made


def test_every_split_can_be_chosen(box: HeldOutBox, session: Session) -> None:
    assert tuple(TEXTS) == SPLITS
    box.split.setCurrentText("donor")
    box.split.activated.emit(box.split.currentIndex())
    assert session.split_by == "donor"
    session.split_by = "plate"
    assert box.split.currentText() == "plate"


def test_images_of_which_nothing_is_known_are_counted(box: HeldOutBox, session: Session) -> None:
    assert box.unknown.isHidden()
    session.split_by = "donor"
    assert box.unknown.text() == "Of 1 image the donor is not known: each is kept together by itself."
    session.set_facts({1: ImageFacts(donor="7")})
    assert box.unknown.isHidden()


def test_cells_are_set_aside_labelled_and_checked(qtbot, box: HeldOutBox, session: Session) -> None:
    audit, count = box.audit, len(session.cells())
    assert "no training and no choice ever sees" in audit.state.text()
    assert audit.clear.isHidden()
    audit.count.setValue(4)
    audit.set.click()
    assert session.audit_mask().sum() == 4
    assert audit.state.text().startswith("0 of 4 labelled. In step Label choose next")
    assert audit.set.text() == "Set more aside"

    rows = np.flatnonzero(session.audit_mask())
    session.label_cells(rows, 1)
    qtbot.waitUntil(
        lambda: audit.state.text() == "All 4 labelled. Train to see how the model does on them.", timeout=20_000
    )
    probabilities = np.tile(np.array([0.9, 0.1], np.float32), (count, 1))
    answer = Predictions(probabilities, (1, 2), np.zeros(count, np.uint8))
    session.set_predictions({1: answer}, session.snapshot().version)
    qtbot.waitUntil(lambda: "accuracy <b>1.00 (0.51–1.00), 4 cells</b>" in audit.state.text(), timeout=20_000)
    assert "⚠ The cells set aside are of images that others were trained on" in audit.state.text()


def test_too_many_are_refused_in_words(box: HeldOutBox, session: Session) -> None:
    box.audit.count.setValue(9999)
    box.audit.set.click()
    assert (
        f"There are {len(session.cells())} cells, so 9,999 can't be set aside"
        in notification_manager.records[-1].message
    )
    assert not session.audit_mask().any()


@pytest.mark.parametrize(("answer", "left"), [("Yes", 0), ("No", 3)])
def test_giving_back_says_what_it_costs(box: HeldOutBox, session: Session, monkeypatch, answer: str, left: int) -> None:
    asked = []

    def question(_parent: object, _title: str, text: str) -> QMessageBox.StandardButton:
        asked.append(text)
        return getattr(QMessageBox.StandardButton, answer)

    monkeypatch.setattr(QMessageBox, "question", question)
    session.set_audit(3)
    session.label_cells(np.flatnonzero(session.audit_mask())[:2], 1)
    box.audit.clear.click()
    assert "Give 3 cells back to training?" in asked[0]
    assert "the 2 labels stay" in asked[0]
    assert session.audit_mask().sum() == left


def test_cells_that_went_are_said(box: HeldOutBox, session: Session) -> None:
    session.set_audit(len(session.cells()))
    session.delete_cells([0, 1])
    box.audit.refresh()
    assert "2 had to go with cells that were changed: set more aside" in box.audit.state.text()
