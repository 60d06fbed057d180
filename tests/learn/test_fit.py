from __future__ import annotations

import numpy as np
import pytest

from napari_cellstage.learn.fit import fit, never
from napari_cellstage.learn.predict import predict
from napari_cellstage.learn.recipe import Recipe


@pytest.mark.parametrize("kind", ["quick", "finetune"])
def test_the_recipe_decides_which_training(data, recipe: Recipe, run, kind: str):
    _, model = run(fit(data, recipe.but(kind=kind, epochs=1, views=1)))
    assert model.kind == kind
    _, probabilities = run(predict(model, data.crops, data.masks))
    assert probabilities.shape == (len(data), 3)
    assert np.allclose(probabilities.sum(axis=1), 1, atol=1e-5)


def test_both_kinds_hold_the_same_cells_out(data, recipe: Recipe, run):
    held = [run(fit(data, recipe.but(kind=kind, epochs=1)))[1].held_out for kind in ("quick", "finetune")]
    assert np.array_equal(*held)


def test_nobody_wants_to_stop():
    assert never() is False
