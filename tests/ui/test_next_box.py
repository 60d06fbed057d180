from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtGui import QStandardItemModel

from napari_cellstage.core.predictions import Predictions
from napari_cellstage.session import Session
from napari_cellstage.ui.next_box import NextBox, prediction_text


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def box(qtbot, session: Session, clock: Clock) -> NextBox:
    made = NextBox(session, clock)
    qtbot.addWidget(made)
    made.resize(340, 200)
    made.show()
    return made


def predict(session: Session, unlike: np.ndarray | None = None) -> Predictions:
    count = len(session.cells())
    chances = np.tile(np.array([[0.6, 0.4]], dtype=np.float32), (count, 1))
    answer = Predictions(chances, session.scheme.ids[:2], np.zeros(count, np.uint8), "run", unlike=unlike)
    session.set_predictions({session.current_id: answer}, session.snapshot().version)
    return answer


def test_the_choice_is_the_sessions(box: NextBox, session: Session):
    assert box.mode.currentText() == "in reading order"
    box.mode.activated.emit(box.mode.findText("weakest class"))
    assert session.queue_mode == "class"

    session.queue_mode = "random"
    assert box.mode.currentText() == "by lot"


def test_it_says_what_enter_would_accept(box: NextBox, session: Session):
    names = session.scheme.names
    predict(session)

    box.show_cell(2)
    assert box.predicted.text() == f"Predicted {names[0]} 0.60 / {names[1]} 0.40: Enter accepts, a number corrects"
    assert box.predicted.isVisible()

    session.accept_predictions([2])
    box.refresh_lines()
    assert not box.predicted.isVisible()
    box.show_cell(None)
    assert not box.predicted.isVisible()


def test_a_cell_unlike_the_others_is_named_so(box: NextBox, session: Session):
    unlike = np.zeros(len(session.cells()), dtype=np.float32)
    unlike[1] = 1.5
    predict(session, unlike)

    assert ", unlike the training cells: Enter" in prediction_text(session, 1)
    assert "unlike" not in prediction_text(session, 0)


def test_names_of_classes_are_shown_as_they_are(box: NextBox, session: Session):
    session.rename_class(session.scheme.ids[0], "<b>=1+1</b>")
    predict(session)

    box.show_cell(0)

    assert "<b>=1+1</b> 0.60" in box.predicted.text()
    assert box.predicted.textFormat() == Qt.TextFormat.PlainText


def test_blind_labelling_shows_no_prediction_and_offers_no_way_that_does(box: NextBox, session: Session):
    predict(session)
    session.queue_mode = "uncertain"
    box.show_cell(0)
    session.annotator = "Ada"
    session.blind = True

    model = box.mode.model()
    assert isinstance(model, QStandardItemModel)
    enabled = {box.mode.itemData(i): model.item(i).isEnabled() for i in range(box.mode.count())}
    assert enabled == {"uncertain": False, "class": False, "random": True, "in order": True, "audit": True}
    assert not box.predicted.isVisible()

    session.blind = False
    assert model.item(0).isEnabled()


def test_progress_of_the_batch_with_what_was_accepted_and_corrected(box: NextBox, session: Session):
    predict(session)
    session.queue_mode = "random"
    session.next_cell()
    total = len(session.batch.cells)
    rows = session.rows_of(session.batch.cells)
    session.accept_predictions(rows[:3])
    session.label_cells([rows[3]], session.scheme.ids[1])
    box.refresh_lines()

    assert box.progress.text() == f"4 of {total} in this batch · 3 accepted, 1 corrected"
    assert not box.why.isVisible()  # the choice says it already
    session.undo()
    box.refresh_lines()
    assert box.progress.text() == f"3 of {total} in this batch · 3 accepted"


def test_labels_a_minute(box: NextBox, session: Session, clock: Clock):
    first = session.scheme.ids[0]
    for row in range(6):
        clock.seconds += 3
        session.label_cells([row], first)
    box.refresh_lines()
    assert box.progress.text() == "20 labels a minute"


def test_a_script_has_no_pace(box: NextBox, session: Session, clock: Clock):
    for row in range(6):
        clock.seconds += 0.01
        session.label_cells([row], session.scheme.ids[0])
    box.refresh_lines()
    assert not box.progress.isVisible()


def test_cells_chosen_another_way_than_asked_for_are_explained(box: NextBox, session: Session):
    session.queue_mode = "uncertain"
    session.next_cell()
    box.refresh_lines()
    assert box.why.isVisible()
    assert box.why.text().startswith("By lot, as there is no model yet: train once")


def test_labels_given_by_rule_are_no_pace(box: NextBox, session: Session, clock: Clock):
    for number in range(8):
        clock.seconds += 3
        session.label_cells([number], session.scheme.ids[0], origin="import")
    assert box.pace.per_minute is None


def test_without_classes_there_is_nothing_to_choose(qtbot, tmp_path):
    session = Session(tmp_path)
    box = NextBox(session)
    qtbot.addWidget(box)
    assert box.isHidden()
    session.use_template("cell cycle")
    assert not box.isHidden()
    session.close()


def test_read_only_projects_keep_their_choice(box: NextBox, session: Session, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Session, "read_only", property(lambda _self: True))
    box.refresh()
    assert not box.mode.isEnabled()


def test_going_on_is_told(qtbot, box: NextBox):
    with qtbot.waitSignal(box.going_on) as told:
        box.go_on.click()
    assert told.args == [True]


def test_predictions_of_part_of_the_cells(session: Session):
    answer = predict(session)
    chances = answer.probabilities.copy()
    chances[1] = np.nan
    partly = replace(answer, probabilities=chances)
    session.set_predictions({session.current_id: partly}, session.snapshot().version)
    assert prediction_text(session, 1) == ""
    assert prediction_text(session, 0) != ""
