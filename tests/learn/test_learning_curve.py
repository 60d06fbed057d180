from __future__ import annotations

import numpy as np
import pytest

from napari_cellstage.core.errors import TrainingError, TrainingStopped
from napari_cellstage.learn.events import BatchDone
from napari_cellstage.learn.learning_curve import gain_of


def cells(count: int, apart: float, seed: int = 0, features: int = 30):
    """Return features, labels and groups of two classes that are so far apart in one direction."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, count)
    values = rng.normal(size=(count, features)).astype(np.float32)
    values[:, :3] += apart * labels[:, None]
    return values, labels.astype(np.int64), (np.arange(count) % 8).astype(str)


def finish(work):
    events = []
    while True:
        try:
            events.append(next(work))
        except StopIteration as end:
            return end.value, events


def test_classes_that_are_learned_already_promise_little():
    gain, events = finish(gain_of(*cells(400, apart=6)))

    assert gain.now > 0.98
    assert gain.gain < 0.005
    assert [one.done for one in events] == [1, 2, 3, 4, 5]
    assert all(isinstance(one, BatchDone) for one in events)


def test_where_labels_help_it_is_said():
    gain, _ = finish(gain_of(*cells(80, apart=1.0, features=60)))

    assert gain.now < 0.95
    assert gain.gain > 0.005
    assert gain.labels == 80


def test_the_same_labels_give_the_same_answer():
    assert finish(gain_of(*cells(60, apart=1.5)))[0] == finish(gain_of(*cells(60, apart=1.5)))[0]


def test_one_image_is_divided_by_cell():
    features, labels, _ = cells(60, apart=2)
    gain, _ = finish(gain_of(features, labels, np.full(60, "one")))
    assert 0.5 < gain.now <= 1


def test_a_class_that_is_in_one_group_only_is_no_error():
    features, labels, groups = cells(60, apart=2)
    labels[groups == "3"] = 2
    gain, _ = finish(gain_of(features, labels, groups))
    assert 0 <= gain.now < 1


def test_cells_that_cannot_be_divided_are_named():
    features, labels, _ = cells(1, apart=2)
    with pytest.raises(TrainingError, match=r"none can be kept aside. Label a second image"):
        finish(gain_of(features, labels, np.array(["one"])))


def test_it_can_be_stopped():
    with pytest.raises(TrainingStopped):
        finish(gain_of(*cells(60, apart=2), should_stop=lambda: True))
