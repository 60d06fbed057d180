from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_cellstage.core.errors import CellsError
from napari_cellstage.core.predictions import Predictions
from napari_cellstage.core.review.queue import MODES
from napari_cellstage.session import Session
from tests.session.runs_scene import make_run
from tests.session.scene import grid, predicted, stack_for, watch


@pytest.fixture
def two(session: Session) -> Session:
    """A session with nine cells in each of two images; the second is current."""
    session.use_template("cell cycle")
    for seed, name in enumerate(("first", "second")):
        session.add_image(stack_for(grid(), name, seed))
        session.set_labels(grid())
    return session


def predict(session: Session, **changes: object) -> dict[int, Predictions]:
    snapshot = session.snapshot()
    answers = {one.image_id: replace(predicted(session, 9), **changes) for one in session.images}
    session.set_predictions(answers, snapshot.version)
    return answers


def go(session: Session, row: int | None = None) -> tuple[int, int, int] | None:
    found = session.next_cell(row)
    if found is not None and found[0] != session.current_id:
        session.set_current(found[0])
    return found


def test_in_reading_order_until_there_is_a_model(two: Session):
    first, second = (one.image_id for one in two.images)
    two.label_cells([0, 1], 1)

    assert two.queue_mode == "in order"
    assert two.next_cell() == (second, 0, 3)
    assert two.next_cell(after=4) == (second, 0, 6)
    two.label_cells(np.arange(9), 1)
    assert two.next_cell(after=8) == (first, 0, 1)  # goes on in the next image

    two.label_cells(np.arange(9), 1, first)
    assert two.next_cell() is None


def test_the_most_uncertain_cells_of_all_images_come_once_there_is_a_model(two: Session):
    first, second = (one.image_id for one in two.images)
    answers = {first: predicted(two, 9), second: predicted(two, 9)}
    answers[second] = replace(answers[second], probabilities=answers[second].probabilities[:, ::-1] ** 2)
    two.set_predictions(answers, two.snapshot().version)

    assert two.queue_mode == "uncertain"
    asked = two.next_cells("uncertain", 4)

    margins = {}
    for image_id, one in answers.items():
        best = np.sort(one.probabilities, axis=1)
        margins |= {(image_id, row + 1): best[row, -1] - best[row, -2] for row in range(9)}
    chosen = [margins[image_id, cell] for image_id, cell in zip(asked.image_id, asked.cell_id, strict=True)]
    assert len(asked) == 4
    assert max(chosen) <= np.median(list(margins.values()))


def test_a_batch_is_gone_through_image_by_image_the_current_one_first(two: Session):
    predict(two)

    asked = two.next_cells("random", 12)

    assert asked.image_id[0] == two.current_id
    assert (np.diff(asked.image_id != two.current_id) >= 0).all()


def test_each_cell_comes_once_labelled_or_passed(two: Session):
    predict(two)
    two.queue_mode = "random"
    seen = []
    row: int | None = None
    for number in range(16):
        found = go(two, row)
        assert found is not None
        seen.append(found)
        row = two.row_of(found[1], found[2])
        if number % 2:
            two.label_cells([row], 2)

    assert len(set(seen)) == 16
    assert len(two.batch_left()) == 0


def test_when_all_were_passed_they_come_again(ready: Session):
    predict(ready)
    row: int | None = None
    seen = []
    for _ in range(12):
        found = go(ready, row)
        assert found is not None
        seen.append(found[2])
        row = ready.row_of(found[1], found[2])

    assert len(set(seen[:9])) == 9
    assert len(set(seen)) == 9


def test_cells_labelled_meanwhile_are_skipped_and_undo_brings_them_back(ready: Session):
    predict(ready)
    first = go(ready)
    left = ready.batch_left()
    ready.label_cells(ready.rows_of(left.take(slice(3))), 1)

    assert len(ready.batch_left()) == len(left) - 3
    assert go(ready) != first
    ready.undo()
    assert len(ready.batch_left()) == len(left)


def test_new_predictions_begin_a_new_batch(ready: Session):
    predict(ready)
    go(ready)
    assert len(ready.batch.cells) == 9
    heard = watch(ready, "queue_changed")

    predict(ready)

    assert len(ready.batch.cells) == 0
    assert heard


def test_without_a_model_cells_come_by_lot_and_it_is_said(ready: Session):
    ready.queue_mode = "uncertain"
    go(ready)

    assert ready.batch.mode == "random"
    assert "no model yet" in ready.batch.why
    assert ready.next_cells("uncertain", 5) == ready.next_cells("random", 5)


def test_blind_labelling_shows_nothing_of_the_model(ready: Session):
    predict(ready)
    ready.queue_mode = "uncertain"
    ready.annotator = "Ada"
    ready.blind = True
    go(ready)

    assert ready.batch.mode == "random"
    assert "blind" in ready.batch.why
    with pytest.raises(CellsError, match=r"Blind labelling is on.*Press a number key"):
        ready.accept_predictions([0])


def test_the_class_with_fewest_labels_is_asked_for(ready: Session):
    ids = ready.scheme.ids
    ready.label_cells([0, 1, 2], ids[0])
    chances = np.full((9, 2), 0.1, dtype=np.float32)
    chances[:, 0] = 0.9
    chances[[5, 7]] = (0.2, 0.8)
    predict(ready, probabilities=chances, class_ids=ids[:2])
    ready.queue_mode = "class"

    asked = ready.next_cells("class", 2)
    go(ready)

    assert asked.cell_id.tolist() == [6, 8]
    assert ready.batch.why == f"Cells that may be {ready.scheme.by_id(ids[1]).name}, which has 0 labels."


def test_the_class_that_models_find_least_is_asked_for_when_all_have_labels(session: Session):
    session.use_template("cell cycle")
    session.add_image(stack_for(grid(6)))
    session.set_labels(grid(6))
    first, second = session.scheme.ids[:2]
    session.label_cells(np.arange(10), first)
    session.label_cells(np.arange(10, 22), second)
    make_run(session, "run", wrong=[0, 1, 2])  # of the first class
    chances = np.tile(np.array([[0.7, 0.3]], dtype=np.float32), (36, 1))
    chances[30] = (0.2, 0.8)
    answer = Predictions(chances, (first, second), np.zeros(36, np.uint8), "run")
    session.set_predictions({session.current_id: answer}, session.snapshot().version)
    session.queue_mode = "class"
    go(session)

    assert session.batch.mode == "class"
    assert session.batch.why.endswith("which has 10 labels, and of which the model finds 70%.")


def test_cells_set_aside_come_in_audit_mode_only(ready: Session):
    predict(ready)
    aside = ready.set_audit(3)

    assert ready.next_cells("audit", 16).isin(aside).sum() == 3
    for mode in ("uncertain", "random", "in order", "class"):
        asked = ready.next_cells(mode, 16)
        assert len(asked) == 6 or mode == "class", mode
        assert not asked.isin(aside).any(), mode

    ready.label_cells(ready.rows_of(aside), 1)
    ready.queue_mode = "audit"
    assert go(ready) is None
    assert ready.batch.why == "Every cell that was set aside has a label."


def test_without_cells_set_aside_it_says_what_to_do(ready: Session):
    ready.queue_mode = "audit"

    assert ready.next_cell() is None
    assert ready.batch.why == "No cells are set aside. Do so first: step Train, How the score is measured."


def test_accepted_predictions_are_recorded_as_such_and_undone(ready: Session):
    answer = predict(ready)[ready.current_id]
    ready.label_cells([8], 1)

    changed = ready.accept_predictions([0, 3])

    assert sorted(changed.tolist()) == [0, 3]
    assert ready.class_ids()[[0, 3]].tolist() == answer.predicted[[0, 3]].tolist()
    assert ready.origins()[[0, 3, 8]].tolist() == ["accepted", "accepted", "hand"]
    assert ready.table()["origin"].tolist()[0] == "accepted"
    ready.undo()
    assert (ready.class_ids()[[0, 3]] == 0).all()


def test_a_cell_without_a_prediction_has_nothing_to_accept(ready: Session):
    with pytest.raises(CellsError, match=r"says nothing of this cell.*train first"):
        ready.accept_predictions([0])

    chances = predicted(ready).probabilities
    chances[4] = np.nan
    predict(ready, probabilities=chances)
    with pytest.raises(CellsError, match="says nothing of this cell"):
        ready.accept_predictions([3, 4])
    assert ready.counts().get(1, 0) == 0


def test_a_way_that_there_is_not_is_refused(ready: Session):
    with pytest.raises(CellsError, match=r"no way 'best'.*'uncertain', 'class', 'random'"):
        ready.next_cells("best", 3)
    with pytest.raises(CellsError, match="no way 'best'"):
        ready.queue_mode = "best"


def test_the_way_is_kept_with_the_project(ready: Session, tmp_path: Path):
    ready.queue_mode = "class"
    folder = ready.project.folder
    ready.close()

    again = Session(tmp_path)
    again.open_project(folder)

    assert again.queue_mode == "class"
    again.close()


@pytest.mark.parametrize("mode", MODES)
def test_an_empty_session_has_no_next_cell(session: Session, mode: str):
    assert len(session.next_cells(mode, 4)) == 0
    assert session.next_cell() is None


def test_images_whose_files_are_gone_are_passed_over(two: Session, monkeypatch: pytest.MonkeyPatch):
    first = two.images[0].image_id
    monkeypatch.setattr(type(two.images[0]), "missing", property(lambda one: one.image_id == first))

    assert set(two.next_cells("random", 18).image_id.tolist()) == {two.current_id}


def test_cells_found_again_end_the_batch(ready: Session):
    predict(ready)
    go(ready)
    heard = watch(ready, "queue_changed")
    ready.set_labels(np.where(grid() > 0, 10 - grid(), 0))
    assert len(ready.batch.cells) == 0
    assert heard


def test_in_reading_order_what_is_set_aside_or_not_wanted_is_passed_over(ready: Session):
    aside = ready.set_audit(4)
    found = ready.next_cells("in order", 99)
    assert len(found) == 5
    assert not found.isin(aside).any()
    left = ready.next_cells("in order", 99, found.take(slice(2)))
    assert left == found.take(slice(2, None))


def test_a_batch_goes_on_without_the_cells_of_an_image_that_is_taken_out(two: Session):
    predict(two)
    go(two)
    of_second = int((two.batch.cells.image_id == 2).sum())
    assert 0 < of_second < len(two.batch.cells)
    two.remove_images([2])
    assert (two.batch_left().image_id == 1).all()
    assert two.batch_progress().done == of_second
    two.undo()
    assert two.batch_progress().done == 0
