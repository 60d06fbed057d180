"""Answers of persons from tables: opinions in the journal, and nothing else changes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from napari_cellstage.core.errors import ReadOnlyError
from napari_cellstage.core.experts.lines import AnswersError
from napari_cellstage.core.exporting.people import export_people
from napari_cellstage.core.people.names import PeopleError
from napari_cellstage.core.review.cell_refs import CellRefs
from napari_cellstage.session import Session
from tests.session.scene import grid, stack_for, watch


def said(session: Session) -> dict[tuple[str, int], int]:
    frame = session.opinions()
    return dict(zip(zip(frame.who, frame.cell_id.tolist(), strict=True), frame.class_id.tolist(), strict=True))


def write(path: Path, *rows: str) -> Path:
    path.write_text("\n".join(("image,cell_id,person,answer", *rows)), encoding="utf-8")
    return path


@pytest.fixture
def answers(tmp_path: Path) -> Path:
    rows = [f"field,{cell},{who},{answer}" for who, cell, answer in (
        ("Bob", 1, "prophase"), ("Bob", 2, "prophase"), ("Cy", 1, "interphase"), ("Cy", 2, "prophase"),
        ("Cy", 99, "prophase"), ("Cy", 3, "mitosis"), ("bob ", 2, "prophase"),
    )]  # fmt: skip
    return write(tmp_path / "a.csv", *rows)


def test_answers_are_what_these_persons_say_and_no_label_changes(ready, answers):
    ready.annotator = "Ada"
    ready.label_cells([0], 3)
    heard = watch(ready, "people_changed", "labels_changed", "history_changed")
    found = ready.import_answers([answers])
    assert said(ready) == {("Ada", 1): 3, ("Bob", 1): 2, ("Bob", 2): 2, ("Cy", 1): 1, ("Cy", 2): 2}
    assert ready.class_ids().tolist() == [3, 0, 0, 0, 0, 0, 0, 0, 0]
    assert ready.annotator == "Ada"
    assert set(ready.people()) == {"Ada", "Bob", "Cy"}
    assert ("people_changed",) in heard
    assert not any(name == "labels_changed" for name, *_ in heard)
    assert found.added == 4
    assert "'field/99' (a.csv, line 6)" in found.text
    assert "'mitosis' (a.csv, line 7)" in found.text
    assert "'bob ' is taken for 'Bob'" not in found.text  # the table's reader takes spaces off; case is told
    assert "'bob' is taken for 'Bob'" in found.text
    assert "4 added as what these persons say" in found.text
    assert len(ready.disputed()) == 1


def test_one_undo_takes_all_back_and_redo_brings_them(ready, answers):
    ready.annotator = "Ada"
    ready.label_cells([0], 3)
    ready.import_answers([answers])
    after = said(ready)
    ready.undo()
    assert said(ready) == {("Ada", 1): 3}
    ready.redo()
    assert said(ready) == after
    folder = ready.project.folder
    ready.close()
    ready.open_project(folder)
    assert said(ready) == after


def test_what_a_person_said_in_the_project_stays(ready, answers):
    ready.annotator, ready.blind = "Bob", True
    ready.label_cells([0], 4)
    ready.label_cells([1], 2)
    ready.blind = False
    found = ready.import_answers([answers])
    assert said(ready)[("Bob", 1)] == 4
    assert (found.added, found.known) == (2, 1)
    assert "1 where the person says something else in the project, which stays: field_t000_c00001 by Bob" in found.text
    again = ready.import_answers([answers])
    assert (again.added, again.known) == (0, 3)
    assert "0 added" in again.text


def test_who_labels_after_an_import_is_no_longer_alone(ready, answers):
    ready.annotator = "Ada"
    ready.label_cells([0], 2)
    ready.label_cells([0], 2)
    ready.import_answers([answers])
    ready.annotator = "Bob"
    ready.label_cells([0], 2)  # the same class again is noted: another person says it
    assert said(ready)[("Bob", 1)] == 2


def test_an_export_is_taken_into_another_project_as_it_was(ready, tmp_path):
    for who, rows, class_id in (("Ada", [0, 1], 1), ("Bob", [1, 2], 2)):
        ready.annotator, ready.blind = who, True
        ready.label_cells(rows, class_id)
        ready.blind = False
    out = tmp_path / "people.csv"
    list(export_people(ready.export_source(with_people=True), out, lambda: False))
    other = Session(tmp_path / "other")
    other.use_template("cell cycle")
    other.add_image(stack_for(grid()))
    other.set_labels(grid())
    found = other.import_answers([out])
    assert said(other) == said(ready)
    assert found.added == 4
    other.close()


def test_not_in_blind_mode_nor_read_only_and_bad_tables_change_nothing(ready, answers, tmp_path):
    with pytest.raises(AnswersError, match="No answer can be used"):
        ready.import_answers([write(tmp_path / "b.csv", "field,77,Bob,prophase")])
    ready.blind = True
    with pytest.raises(PeopleError, match="answers can't be imported"):
        ready.import_answers([answers])
    ready.blind = False
    assert said(ready) == {}
    assert not ready.can_undo or ready._space.history.last.kind != "label"
    second = Session(tmp_path / "second")
    second.open_project(ready.project.folder)
    assert second.read_only
    with pytest.raises(ReadOnlyError):
        second.import_answers([answers])
    second.close()


def test_vote_and_tests_are_beside_the_model(ready, tmp_path):
    from napari_cellstage.core.predictions import Predictions

    rng = np.random.default_rng(0)
    ready.label_images([1], 1)  # known by its image
    rows = [f"field,{cell},{who},{rng.choice(['interphase', 'prophase'])}" for cell in range(1, 10) for who in "ABC"]
    ready.import_answers([write(tmp_path / "a.csv", *rows)])
    certain = np.full((9, 6), 0.02, np.float32)
    certain[:, 0] = 0.9
    answer = Predictions(certain, ready.scheme.ids, np.zeros(9, np.uint8))
    ready.set_predictions({1: answer}, ready.snapshot().version)
    found = ready.people_against_model()
    assert found.of("vote").confusion.sum() == found.of("model").confusion.sum() == 9
    assert any(one.startswith("Paired t-test on 9 cells") for one in found.tests)
    assert any(one.startswith("McNemar's exact test, vote against network on 9 cells") for one in found.tests)


def test_cells_of_left_out_classes_are_not_held_against_the_model(ready, tmp_path):
    from napari_cellstage.core.predictions import Predictions

    ready.settle(CellRefs.of(1, ready.cells(), np.arange(6)), 1)
    ready.settle(CellRefs.of(1, ready.cells(), np.arange(6, 9)), 3)
    rows = [f"field,{cell},{who},interphase" for cell in range(1, 10) for who in "AB"]
    ready.import_answers([write(tmp_path / "a.csv", *rows)])
    ready.left_out = (3,)
    certain = np.tile(np.array([0.9, 0.1], np.float32), (9, 1))
    ready.set_predictions({1: Predictions(certain, (1, 2), np.zeros(9, np.uint8))}, ready.snapshot().version)
    model = ready.people_against_model().of("model")
    assert (model.n, model.accuracy) == (6, 1)
    ready.left_out = ()
    assert ready.people_against_model().of("model").n == 9
