"""Classes left out of training: a choice of the project that no label depends on."""

from __future__ import annotations

import numpy as np
import pytest

from napari_cellstage.core.predictions import Predictions
from napari_cellstage.core.tasks import TaskError
from napari_cellstage.learn.data import TrainingSet
from napari_cellstage.learn.recipe import Recipe
from napari_cellstage.session import Session
from tests.session.scene import watch


@pytest.fixture
def labelled(ready: Session) -> Session:
    for class_id in (1, 2, 3):
        ready.label_cells(np.arange(3) + 3 * (class_id - 1), class_id)
    return ready


def test_left_out_classes_are_no_part_of_the_training_and_keep_their_labels(labelled):
    labelled.left_out = (2,)
    assert labelled.training_counts() == {1: 3, 3: 3}
    assert labelled.class_ids().tolist() == [1, 1, 1, 2, 2, 2, 3, 3, 3]
    data = TrainingSet.from_snapshot(labelled.snapshot(), Recipe().but(crop_size=16))
    assert data.classes.ids == (1, 3)
    assert [(one.id, count) for one, count in data.left_out] == [(2, 3)]


def test_the_choice_is_kept_with_the_project_and_told(labelled):
    heard = watch(labelled, "settings_changed")
    labelled.left_out = (3, 2)
    assert heard == [("settings_changed",)]
    folder = labelled.project.folder
    labelled.close()
    labelled.open_project(folder)
    assert labelled.left_out == (2, 3)
    new = labelled.add_class("new")
    assert new not in labelled.left_out
    labelled.delete_class(2)
    assert labelled.left_out == (3,)


def test_two_classes_are_the_fewest(labelled):
    with pytest.raises(TaskError, match="'interphase' is one class"):
        labelled.left_out = (2, 3, 4, 5, 6)
    assert labelled.left_out == ()


def test_the_final_check_does_not_count_cells_that_the_model_was_not_asked_for(labelled):
    labelled.set_audit(9)
    labelled.left_out = (2,)
    certain = np.tile(np.array([0.9, 0.1], np.float32), (9, 1))
    answer = Predictions(certain, (1, 3), np.zeros(9, np.uint8))
    labelled.set_predictions({1: answer}, labelled.snapshot().version)
    scores = labelled.audit_scores()
    assert scores.n == 6
    assert scores.accuracy == 0.5
    labelled.left_out = ()
    assert labelled.audit_scores().n == 9
