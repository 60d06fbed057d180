"""Cells set aside to check the final model."""

from __future__ import annotations

import numpy as np
import pytest

from napari_cellstage.core.errors import CellsError, ReadOnlyError
from napari_cellstage.core.predictions import NEITHER, TRAINED, Predictions
from napari_cellstage.session import Session
from tests.session.scene import grid, stack_for, watch


@pytest.fixture
def several(session: Session) -> Session:
    """Three images with 4, 36 and 100 cells, and three classes."""
    for name in ("G1", "S", "G2"):
        session.add_class(name)
    for number, side in enumerate((2, 6, 10)):
        session.add_image(stack_for(grid(side), f"field {number}", number))
        session.set_labels(grid(side))
    return session


def names(session: Session) -> set[tuple[int, ...]]:
    cells = session.audit_cells()
    return set(zip(cells.image_id.tolist(), cells.t.tolist(), cells.cell_id.tolist(), strict=True))


def test_images_give_cells_by_how_many_they_have(several):
    cells = several.set_audit(70)
    shares = [int((cells.image_id == i).sum()) for i in (1, 2, 3)]
    assert sum(shares) == 70 == len(names(several))
    assert shares[2] > shares[1] > shares[0]
    assert abs(shares[2] - 50) < 15


def test_asking_for_more_keeps_those_there_are_and_is_the_same_as_at_once(several):
    few = several.set_audit(10, seed=3)
    first = names(several)
    more = several.set_audit(25, seed=3)
    assert first < names(several)
    assert more.take(slice(10)) == few
    together = names(several)
    several.clear_audit()
    several.set_audit(25, seed=3)
    assert names(several) == together
    several.clear_audit()
    several.set_audit(25, seed=4)
    assert names(several) != together


def test_cells_set_aside_are_still_so_after_reopening(several):
    several.set_audit(12)
    before, folder = names(several), several.project.folder
    several.close()
    several.open_project(folder)
    assert names(several) == before
    assert several.audit_state().wanted == 12


def test_listeners_hear_of_it_and_masks_are_of_their_image(several):
    heard = watch(several, "audit_changed")
    several.set_audit(40)
    assert heard == [("audit_changed",)]
    assert sum(int(several.audit_mask(i).sum()) for i in (1, 2, 3)) == 40
    rows = np.flatnonzero(several.audit_mask(3))
    assert {(3, 0, int(i)) for i in several.cells(3).cell_id[rows]} <= names(several)
    several.clear_audit()
    assert not several.audit_mask().any()
    assert several.audit_state().wanted == 0


def test_no_image_no_cells_no_audit(session):
    assert len(session.audit_cells()) == 0
    assert session.audit_scores() is None
    assert session.audit_mask().tolist() == []
    with pytest.raises(CellsError, match="There are 0 cells, so 5 can't be set aside"):
        session.set_audit(5)


def test_too_many_and_too_few_are_refused_with_the_reason(several):
    with pytest.raises(CellsError, match=r"There are 140 cells, so 141 can't be set aside\. Find more cells"):
        several.set_audit(141)
    several.set_audit(10)
    with pytest.raises(CellsError, match=r"10 cells are set aside already, so 9 would give some back to training"):
        several.set_audit(9)
    assert len(several.audit_cells()) == 10


def test_a_snapshot_says_which_cells_no_training_may_see(several):
    several.set_audit(30)
    for image in several.snapshot().images:
        mask = several.audit_mask(image.image_id)
        assert np.array_equal(np.zeros(len(mask), bool) if image.audit is None else image.audit, mask)
        rows = np.arange(len(mask))[::-2]
        taken = image.take(rows)
        assert taken.audit is None or np.array_equal(taken.audit, mask[rows])
    several.clear_audit()
    assert all(image.audit is None for image in several.snapshot().images)


def test_cells_found_again_follow_and_undo_brings_the_old_ones_back(several):
    several.set_audit(60)
    before = names(several)
    labels = grid(10)
    moved = np.where(labels, labels + 500, 0)
    moved[labels == 7] = 0
    several.set_labels(moved, 3)

    gone = {(3, 0, 7)} & before
    assert names(several) == {(i, t, c + 500 if i == 3 else c) for i, t, c in before - gone}
    several.undo()
    assert names(several) == before
    several.redo()
    assert names(several) == {(i, t, c + 500 if i == 3 else c) for i, t, c in before - gone}


def test_two_cells_that_become_one_are_one_and_lost_ones_can_be_filled_up(several):
    several.set_audit(140)
    labels = grid(10)
    labels[:, :, 0:10, 0:20] = 1  # over cells 1 and 2
    labels[labels == 50] = 0
    several.set_labels(labels, 3)
    state = several.audit_state()
    assert (state.wanted, state.count) == (140, 138)
    with pytest.raises(CellsError, match="There are 138 cells"):
        several.set_audit(140)


def test_a_deleted_cell_is_not_set_aside_until_undo(several):
    several.set_audit(140)
    several.set_current(3)
    several.delete_cells([0])
    assert len(several.audit_cells()) == 139
    several.undo()
    assert len(several.audit_cells()) == 140


def test_images_that_are_removed_take_theirs_along(several):
    several.set_audit(140)
    several.remove_images([3])
    assert len(several.audit_cells()) == 40
    several.undo()
    assert len(several.audit_cells()) == 140


def predict(session: Session, image_id: int, right: int, part: int = NEITHER) -> None:
    """Predict class 1 for the first `right` rows, class 2 for the others."""
    count = len(session.cells(image_id))
    probabilities = np.tile(np.array([0.2, 0.7, 0.1], dtype=np.float32), (count, 1))
    probabilities[:right] = (0.7, 0.2, 0.1)
    answer = Predictions(probabilities, session.scheme.ids, np.full(count, part, np.uint8), "run")
    session.snapshot()
    assert session.set_predictions({image_id: answer}, session._snapshots)


def test_the_score_is_of_labelled_cells_set_aside_and_of_no_others(several):
    several.set_audit(100)
    several.label_cells(np.arange(100), 1, 3)
    predict(several, 3, right=80)
    found = several.audit_scores()
    rows = np.flatnonzero(several.audit_mask(3))
    assert found is not None
    assert found.n == len(rows)
    assert found.accuracy == pytest.approx((rows < 80).mean())
    assert found.classes == ("G1", "S", "G2")
    assert found.warnings[0].startswith("The cells set aside are of images that others were trained on")
    assert several.audit_state().labelled == len(rows)


def test_accepted_predictions_are_said_to_flatter(several):
    several.set_audit(100)
    rows = np.flatnonzero(several.audit_mask(3))
    several.label_cells(rows[:-4], 1, 3)
    several.label_cells(rows[-4:], 1, 3, origin="accepted")
    predict(several, 3, right=80)
    found = several.audit_scores()
    assert found is not None
    assert f"4 of the {len(rows)} labels are predictions that were accepted, which flatters" in found.warnings[1]


def test_cells_that_the_model_was_trained_on_before_do_not_count(several):
    several.set_audit(140)
    several.label_cells(np.arange(100), 1, 3)
    predict(several, 3, right=80, part=TRAINED)
    assert several.audit_scores() is None


def test_a_label_that_the_model_does_not_know_is_a_mistake(several):
    several.set_audit(140)
    several.label_cells(np.arange(4), 3, 1)
    probabilities = np.tile(np.array([0.6, 0.4], dtype=np.float32), (4, 1))
    several.snapshot()
    assert several.set_predictions({1: Predictions(probabilities, (1, 2), np.zeros(4, np.uint8))}, several._snapshots)
    found = several.audit_scores()
    assert found is not None
    assert (found.n, found.accuracy, found.classes) == (4, 0.0, ("G1", "S", "G2"))


def test_a_project_that_is_read_only_sets_nothing_aside(several, tmp_path):
    several.set_audit(10)
    second = Session(tmp_path)
    second.open_project(several.project.folder)
    assert len(second.audit_cells()) == 10
    for change in (lambda: second.set_audit(20), second.clear_audit):
        with pytest.raises(ReadOnlyError):
            change()
    assert len(second.audit_cells()) == 10
    second.close()


def test_labels_of_cells_set_aside_are_not_counted_for_training(several):
    several.set_audit(40)
    rows = np.flatnonzero(several.audit_mask(3))
    several.label_cells(rows, 1, 3)
    assert several.training_counts() == {}
    several.label_cells(np.flatnonzero(~several.audit_mask(3))[:5], 2, 3)
    assert several.training_counts() == {2: 5}
    assert several.audit_counts() == {1: len(rows)}
    assert several.counts()[1] == len(rows)
    several.set_labels(np.where(grid(10), grid(10) + 500, 0), 3)
    assert several.audit_counts() == {1: len(rows)}
    assert several.training_counts() == {2: 5}
    several.remove_images([3])
    assert several.audit_counts() == {}


def test_counting_reads_no_image(several, tmp_path):
    several.set_audit(40)
    several.label_cells(np.flatnonzero(several.audit_mask(3)), 1, 3)
    counts, folder = several.audit_counts(), several.project.folder
    several.close()
    several.open_project(folder)
    assert several.audit_counts() == counts
    assert several._space.known(3) is None


def test_in_blind_mode_classes_of_cells_set_aside_are_those_that_one_gave_oneself(several):
    cells = several.set_audit(140)
    several.label_refs(cells.take(slice(3)), 1)
    several.annotator, several.blind = "Ada", True
    several.label_refs(cells.take(slice(5)), 2)
    assert several.audit_counts() == {2: 5}
    assert several.training_counts() == {}
    several.blind = False
    assert several.audit_counts() == {1: 3}
