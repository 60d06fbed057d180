"""The table behind the review: who is judged by what, and when it is made again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from napari_cellstage.core.errors import ModelError
from napari_cellstage.core.predictions import TRAINED, Predictions
from napari_cellstage.core.review.cell_refs import CellRefs
from napari_cellstage.session import Session
from tests.session.runs_scene import labelled_refs, make_run
from tests.session.scene import grid, predicted, stack_for, watch


@pytest.fixture
def two(session: Session) -> Session:
    """Two images of nine cells; the first six of each are labelled, classes 1 to 3."""
    session.use_template("cell cycle")
    for seed, name in enumerate(("a", "b")):
        image_id = session.add_image(stack_for(grid(), name, seed))
        session.set_labels(grid(), image_id)
        for row in range(6):
            session.label_cells([row], row % 3 + 1, image_id)
    return session


def predict(session: Session, part: int = 0, run: str = "r") -> None:
    for one in session.images:
        session.set_current(one.image_id)
        answer = predicted(session, run=run)
        answer = Predictions(answer.probabilities, answer.class_ids, np.full(len(answer), part, np.uint8), run)
        assert session.set_predictions({one.image_id: answer}, session.snapshot().version)


def test_labelled_cells_have_the_answers_of_models_that_had_not_seen_them_the_rest_the_latest(two: Session) -> None:
    predict(two)
    make_run(two, "one", wrong=[0])
    table = two.review_table()
    labelled = table.label > 0

    assert len(table) == 18
    assert labelled.sum() == 12
    assert table.predicted[0] == table.label[0] + 1
    assert (table.predicted[labelled][1:] == table.label[labelled][1:]).all()
    assert table.loss[0] == table.loss[labelled].max()
    assert table.suspicion[0] == np.nanmax(table.suspicion)
    latest = two.predictions(1)
    assert table.predicted[6:9].tolist() == latest.predicted[6:9].tolist()
    assert np.isnan(table.loss[~labelled]).all()
    assert np.isnan(table.suspicion[~labelled]).all()


def test_a_labelled_cell_without_such_an_answer_has_none_though_the_latest_model_says_something(two: Session) -> None:
    predict(two)
    table = two.review_table()

    assert (table.predicted[table.label > 0] == 0).all()
    assert np.isnan(table.confidence[table.label > 0]).all()
    assert (table.predicted[table.label == 0] > 0).all()


def test_a_cell_whose_label_was_cleared_after_training_has_no_answer_of_the_model_trained_on_it(two: Session) -> None:
    predict(two, TRAINED)
    two.label_cells([0], 0, 1)

    assert two.review_table().predicted[0] == 0


def test_a_label_changes_the_table_at_once_and_is_told_once(two: Session) -> None:
    make_run(two, "one", wrong=[0])
    heard = watch(two, "review_changed")
    before = two.review_table()
    assert two.review_table() is before
    for _again in range(3):
        two.label_cells([0], 2, 1)
        two.label_cells([0], 3, 1)

    assert heard == [("review_changed",)]
    assert two.review_table().label[0] == 3
    two.undo()
    assert two.review_table().label[0] == 2
    assert two.review_table().loss[0] < before.loss[0]


def test_a_score_is_the_one_of_the_card_until_a_label_changes(two: Session) -> None:
    make_run(two, "one", wrong=[0, 1, 2])
    stored = two.run("one").scores

    assert two.review_scores() is stored
    two.label_cells([0], 2, 1)
    assert two.changed_since() == 1
    assert two.review_scores().accuracy == pytest.approx(10 / 12)
    two.label_cells([0], 0, 1)
    assert two.review_scores().n == 11


def test_labels_are_those_of_when_they_were_frozen_not_of_when_the_model_was_made(two: Session) -> None:
    made, file = make_run(two, "one", "2026-11-01T12:00:00+00:00"), two.project.runs / "one" / "unseen.npz"
    entry = two.project.journal.moment()[0]
    replace(made, moment=0).save(file)
    two.note_run()
    assert two.labels_seen() == "", "no entry of the journal is named"
    replace(made, moment=entry).save(file)  # cross-validated again, much later
    two.note_run()
    before = datetime.now(UTC).isoformat()
    two.label_cells([0], 2, 1)

    assert "2026-11-01" < two.labels_seen() <= before
    assert two.project.journal.time_of(entry + 1) > before
    assert two.project.journal.time_of(entry + 2) == ""


def test_the_run_trained_last_is_reviewed_unless_another_is_chosen(two: Session) -> None:
    make_run(two, "one", "2026-11-01T12:00:00+00:00", wrong=[0])
    make_run(two, "two", "2026-11-02T12:00:00+00:00")
    assert two.review_run == "two"
    assert [one.name for one in two.runs()] == ["two", "one"]
    heard = watch(two, "runs_changed", "review_changed")
    two.review_run = "one"
    assert two.review_table().run == "one"
    assert ("runs_changed",) in heard
    predict(two, run="two")  # a run that is known: predicting with it is no reason to review it
    assert two.review_run == "one"


def test_a_run_that_can_not_be_reviewed_says_why(two: Session) -> None:
    make_run(two, "one")
    (two.project.runs / "one" / "unseen.npz").unlink()
    two.note_run()

    assert two.review_run == ""
    assert two.unseen() is None
    with pytest.raises(ModelError, match="no run 'three'"):
        two.review_run = "three"
    with pytest.raises(ModelError, match="nothing to review"):
        two.review_run = "one"
    with pytest.raises(ModelError, match="'one' has no predictions"):
        two.compare_runs("one", "one")


def test_answers_that_are_damaged_are_named_and_another_run_is_reviewed(two: Session) -> None:
    make_run(two, "one")
    make_run(two, "two", "2026-11-02T12:00:00+00:00")
    (two.project.runs / "two" / "unseen.npz").write_bytes(b"half of it")
    two.note_run()

    assert two.review_run == "one"
    assert two.review_table().run == "one"
    assert "is damaged" in two.run("two").problem
    with pytest.raises(ModelError, match="'two' has no predictions"):
        two.review_run = "two"
    with pytest.raises(ModelError, match="'two' has no predictions"):
        two.compare_runs("one", "two")
    (two.project.runs / "one" / "unseen.npz").write_bytes(b"")  # while it is reviewed
    two.label_cells([0], 0, 1)
    assert not (two.review_table().predicted > 0).any()
    assert two.review_run == ""


def test_two_runs_are_compared_by_the_labels_of_today(two: Session) -> None:
    make_run(two, "one", wrong=[0, 1, 2])
    make_run(two, "two", wrong=[2, 3])
    found = two.compare_runs("one", "two")
    cells, _ids = labelled_refs(two)

    assert found.won == cells.take([0, 1])
    assert found.lost == cells.take([3])
    assert found.paired.difference == pytest.approx(1 / 12)
    two.label_cells([3], int(two.class_ids(1)[3]) % 6 + 1, 1)  # what the second run says of it
    assert two.compare_runs("one", "two").won == cells.take([0, 1, 3])


def test_runs_without_a_cell_in_common_say_so(two: Session) -> None:
    make_run(two, "one")
    for image_id in (1, 2):
        two.label_cells(range(9), 0, image_id)
        two.label_cells([7, 8], 1, image_id)
    make_run(two, "two")

    with pytest.raises(ModelError, match="no labelled cell in common"):
        two.compare_runs("one", "two")


def test_cells_and_classes_that_are_gone_are_left_out(two: Session) -> None:
    make_run(two, "one", wrong=[0])
    two.delete_class(2)
    assert 2 not in two.review_table().predicted
    two.remove_images([2])
    assert len(two.review_table()) == 9
    assert set(two.review_table().cells.image_id.tolist()) == {1}


def test_a_class_that_was_deleted_is_nothing_to_warn_of(two: Session) -> None:
    make_run(two, "one", wrong=[0])
    names = {one.id: one.name for one in two.scheme}
    two.delete_class(3)
    told = " ".join(two.review_scores().warnings)
    assert f"'{names[3]}'" not in told
    assert f"'{names[4]}'" in told, "cells of that one can be labelled"
    two.undo()
    for row in (2, 5):
        two.label_cells([row], 1, 1)
        two.label_cells([row], 1, 2)
    assert f"'{names[3]}'" in " ".join(two.review_scores().warnings)


def test_whoever_labels_blind_is_told_nothing(two: Session) -> None:
    predict(two)
    make_run(two, "one", wrong=[0])
    two.blind = True
    table = two.review_table()

    assert (table.predicted == 0).all()
    assert np.isnan(table.suspicion).all()
    assert two.review_scores() is None
    assert not len(two.suspects())
    two.blind = False
    assert (two.review_table().predicted > 0).any()


def test_suspects_are_gone_through_one_by_one(two: Session) -> None:
    make_run(two, "one", wrong=[0, 1], confidence=0.95)
    cells, _ids = labelled_refs(two)
    assert set(two.suspects().places_in(cells).tolist()) == {0, 1}
    two.accept_labels(cells.take([0]))
    two.skip_suspects(cells.take([1]))
    assert not len(two.suspects())
    two.unskip_suspects()
    assert two.suspects() == cells.take([1])
    folder = two.project.folder
    two.close()
    two.open_project(folder)
    assert two.suspects() == cells.take([1])


def test_another_project_has_other_runs(two: Session, tmp_path) -> None:
    make_run(two, "one")
    two.new_project(tmp_path / "other.cellstage")

    assert two.runs() == ()
    assert len(two.review_table()) == 0
    assert two.review_scores() is None
    assert two.suspects() == CellRefs()


def test_answers_of_a_run_are_not_shown_for_other_cells_that_have_their_names_now(two: Session) -> None:
    make_run(two, "one", wrong=[0])
    before = two.review_table()
    two.set_labels(np.where(grid() > 0, 10 - grid(), 0), 1)  # every cell has the name of another

    table = two.review_table()
    assert (table.predicted[table.cells.image_id == 1] == 0).all()
    assert two.review_scores().n == 6, "the other image is as it was"
    assert not (two.suspects().image_id == 1).any()
    assert not (two.compare_runs("one", "one").paired.n - 6)
    two.set_labels(np.where(grid() > 0, 10 - grid(), 0), 2)
    assert two.review_scores() is None
    assert two.unseen() is None

    two.undo()
    two.undo()
    np.testing.assert_array_equal(two.review_table().predicted, before.predicted)
    assert two.review_scores().n == 12


def test_cells_found_again_as_they_were_keep_the_answers(two: Session) -> None:
    make_run(two, "one")
    two.set_labels(grid(), 1)
    assert two.review_scores().n == 12


def test_a_project_saved_elsewhere_reads_the_answers_of_its_own_runs(two: Session, tmp_path: Path) -> None:
    make_run(two, "one")
    first = two.unseen()
    two.save_project_as(tmp_path / "copy")
    assert len(two.unseen()) == len(first)
    assert two.unseen_then().cells == first.cells


def test_a_label_that_was_found_right_is_not_that_of_another_cell_of_its_name(two: Session) -> None:
    make_run(two, "one", wrong=[0])
    cells, _ = labelled_refs(two)
    two.accept_labels(cells.take([0]))
    name = (two._checked().image_id[0], two._checked().cell_id[0])
    assert name == (1, 1)
    labels = np.where(grid() > 0, 10 - grid(), 0)
    two.set_labels(labels, 1)
    two.label_cells(two.rows_of(cells.take([0])), 1, 1)  # another cell of this name gets the class that it had
    assert not len(two._checked())
    two.undo()
    two.undo()
    assert two._checked() == cells.take([0])


def test_scores_name_classes_as_they_are_called_today(two: Session) -> None:
    make_run(two, "one", wrong=[0])
    before = two.review_scores()
    two.rename_class(1, "resting")
    assert two.review_scores().per_class[0].name == "resting"
    assert two.review_scores().accuracy == before.accuracy
    assert two.unseen().classes.names[0] == "resting"
    assert two.unseen_then().classes.names[0] != "resting"
