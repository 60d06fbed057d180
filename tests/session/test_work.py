"""What training gets, and its answers."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from napari_cellstage.session import Session
from tests.session.scene import grid, predicted, watch


def test_answers_to_old_cells_are_dropped(ready: Session) -> None:
    frozen = ready.snapshot()
    ready.set_labels(grid())
    heard = watch(ready, "predictions_changed")
    assert not ready.set_predictions({1: predicted(ready)}, frozen.version)
    assert ready.predictions() is None
    assert heard == []


def test_answers_follow_cells_drawn_meanwhile(ready: Session) -> None:
    frozen = ready.snapshot()
    answer = predicted(ready)
    ready.add_cell(0, 0, 20.0, 20.0)
    assert ready.set_predictions({1: answer}, frozen.version)
    found = ready.predictions()
    assert found is not None
    np.testing.assert_array_equal(found.predicted, [*answer.predicted, 0])


def test_answers_with_deleted_classes_are_dropped_or_hidden(ready: Session) -> None:
    frozen, answer = ready.snapshot(), predicted(ready)
    assert ready.set_predictions({1: answer}, frozen.version)
    heard = watch(ready, "predictions_changed")
    ready.delete_class(2)
    assert ready.predictions() is None
    assert not ready.set_predictions({1: answer}, frozen.version)
    ready.undo()
    assert ready.predictions() is not None
    assert heard == [("predictions_changed", 1)] * 2


def test_answers_of_another_project_are_dropped(ready: Session, tmp_path: Path) -> None:
    frozen, answer = ready.snapshot(), predicted(ready)
    assert ready.project is not None
    folder = ready.project.folder
    ready.close()
    assert not ready.set_predictions({1: answer}, frozen.version)
    ready.open_project(folder)
    ready.snapshot()
    assert not ready.set_predictions({1: answer}, frozen.version)
    assert not ready.set_predictions({77: answer}, ready.snapshot().version)


def test_a_snapshot_does_not_change(ready: Session) -> None:
    frozen = ready.snapshot()
    ready.label_cells([0], 1)
    ready.add_class("more")
    assert frozen.images[0].class_ids.tolist() == [0] * 9
    assert len(frozen.scheme) == 6
    assert frozen.channels == (0, 1)


def test_predictions_come_back_with_the_cells_they_belong_to(ready: Session) -> None:
    ready.label_cells([0], 1)
    ready.set_predictions({1: predicted(ready)}, ready.snapshot().version)
    ready.set_labels(grid())
    assert ready.predictions() is None
    ready.undo()
    assert ready.predictions() is not None
