"""The ticks of the classes that a training tells apart."""

from __future__ import annotations

import numpy as np
import pytest
from napari.utils.notifications import notification_manager
from qtpy.QtCore import Qt

from napari_cellstage.learn.answers import Answer
from napari_cellstage.session import Session
from napari_cellstage.ui.classes_box import ClassesBox
from napari_cellstage.ui.training import amount, missing_for_training
from napari_cellstage.ui.training_work import score_text


@pytest.fixture
def box(qtbot, session: Session) -> ClassesBox:
    made = ClassesBox(session)
    qtbot.addWidget(made)
    made.show()
    return made


def tick(box: ClassesBox, row: int, on: bool) -> None:
    box.list.item(row).setCheckState(Qt.CheckState.Checked if on else Qt.CheckState.Unchecked)


def ticks(box: ClassesBox) -> list[bool]:
    return [box.list.item(row).checkState() == Qt.CheckState.Checked for row in range(box.list.count())]


def test_all_are_told_apart_until_one_is_unticked(box: ClassesBox, session: Session) -> None:
    assert ticks(box) == [True] * 6
    assert box.folded.head.text() == "Classes to tell apart"
    tick(box, 2, on=False)
    assert session.left_out == (3,)
    assert box.folded.head.text() == "Classes to tell apart: 5 of 6"
    assert box.about.text().startswith("Left out: prometaphase. Every cell is predicted as one of the others.")
    tick(box, 2, on=True)
    assert session.left_out == ()


def test_the_last_two_stay_and_it_is_said(box: ClassesBox, session: Session) -> None:
    for row in range(4):
        tick(box, row, on=False)
    assert ticks(box) == [False] * 4 + [True] * 2
    tick(box, 4, on=False)
    assert "'telophase' is one class, but it takes two" in notification_manager.records[-1].message
    assert ticks(box) == [False] * 4 + [True] * 2


def test_it_follows_classes_and_choices_made_elsewhere(box: ClassesBox, session: Session) -> None:
    session.left_out = (1,)
    assert ticks(box)[0] is False
    session.add_class("new")
    assert ticks(box) == [False] + [True] * 6


def test_train_counts_the_cells_of_the_task_alone(session: Session) -> None:
    session.label_cells(np.arange(4), 1)
    session.label_cells(np.arange(4, 8), 2)
    session.label_cells([8], 3)
    assert "Class 'prometaphase' has 1 labelled cell" in missing_for_training(session)
    session.left_out = (3,)
    assert missing_for_training(session) == ""
    assert amount(session).labelled == 8
    session.left_out = (2, 3)
    assert "but for classes that are left out" in missing_for_training(session)


def test_the_line_of_the_score_says_what_was_left_out() -> None:
    answer = Answer("quick", {}, None, "", left_out=("a<b", "c"))
    assert score_text(answer).endswith(
        "<br>Left out: a&lt;b, c. Their cells are neither trained on nor scored; none is predicted so."
    )
    assert "Left out" not in score_text(Answer("quick", {}, None, ""))
