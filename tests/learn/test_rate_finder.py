"""The learning-rate finder on tiny networks."""

from __future__ import annotations

import numpy as np
import pytest

from napari_cellstage.core.errors import TrainingStopped
from napari_cellstage.learn.data import TrainingSet
from napari_cellstage.learn.events import BatchDone, Note, share_done
from napari_cellstage.learn.finetune import find_rate
from napari_cellstage.learn.fit import fit
from napari_cellstage.learn.rate_finder import FINDING, STEPS
from napari_cellstage.learn.recipe import Recipe

TINY = {"network": "layers", "layers": "conv 8 3, pool 2, dense 16", "batch_size": 16, "weights": "none"}


@pytest.fixture
def cells(make_crops, recipe: Recipe) -> TrainingSet:
    return TrainingSet.from_crops(make_crops(count=48), recipe)


def test_a_rate_is_found_by_training_cells_alone(cells, recipe: Recipe, run):
    events, curve = run(find_rate(cells, recipe.but(**TINY), lambda: False))
    assert curve.suggestion is not None
    assert 1e-5 < curve.suggestion < 1
    steps = [event.done for event in events if isinstance(event, BatchDone) and event.what == FINDING]
    assert steps == sorted(steps)
    assert steps[-1] == STEPS
    # Epochs come after it: a bar that was full by now would stay full.
    assert {share_done(event) for event in events if isinstance(event, BatchDone)} == {0.0}
    held_out = cells.held_out(recipe.but(**TINY))
    other = cells.crops.copy()
    other[held_out] = 0
    _, again = run(find_rate(TrainingSet(**{**vars(cells), "crops": other}), recipe.but(**TINY), lambda: False))
    np.testing.assert_array_equal(curve.losses, again.losses)


def test_training_takes_the_rate_that_is_found(cells, recipe: Recipe, run):
    recipe = recipe.but(**TINY, epochs=2, find_rate=True)
    events, model = run(fit(cells, recipe))
    found = model.card["found_rate"]
    assert found["suggestion"]
    assert any("Suggested learning rate" in event.text for event in events if isinstance(event, Note))
    assert model.card["recipe"]["find_rate"] is True
    by_hand = recipe.but(find_rate=False, learning_rate=found["suggestion"])
    _, same = run(fit(cells, by_hand))
    assert same.card["found_rate"] is None
    for name in model.arrays:
        np.testing.assert_array_equal(model.arrays[name], same.arrays[name])


@pytest.mark.parametrize("batches", [20, 40])
def test_a_stop_is_answered(cells, recipe: Recipe, run, batches: int):
    asked = []

    def soon() -> bool:
        asked.append(1)
        return len(asked) > batches

    with pytest.raises(TrainingStopped, match="Stopped while the learning rate was looked for"):
        run(find_rate(cells, recipe.but(**TINY), soon))
