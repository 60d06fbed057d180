"""Patches: input and stain of the same place, within the image, more often where there is stain."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from napari_cellstage.core.images import from_array
from napari_cellstage.stain.pair import StainPair
from napari_cellstage.stain.patches import Cutter, Place, Size, batches, round_of, size_of
from napari_cellstage.stain.plan import plan_of
from napari_cellstage.stain.recipe import StainRecipe
from napari_cellstage.stain.scaling import Scaling
from napari_cellstage.stain.splits import Region, whole
from napari_cellstage.stain.training_pixels import hold


def same_in_both(depth: int, height: int, width: int, output: str = "stack") -> StainPair:
    """Return a pair whose stain is its input, so that places that do not fit are seen."""
    values = np.random.default_rng(0).integers(1, 60_000, (1, depth, height, width)).astype(np.uint16)
    stack = from_array(values, "CZYX", "one")
    return StainPair("one", "one", stack, (0,), stack, (0,), output=output, plane=depth // 2)


def cutter(pair: StainPair, dimensions: str, **but) -> tuple[Cutter, list]:
    recipe = StainRecipe(dimensions=dimensions, filters=4, levels=2, **{"patch": 8, "planes": 0, **but})
    plan = plan_of(recipe, 1, pair.output, pair.shape[0], None)
    region = Region(0, 0, 0, *pair.shape[1:])
    scaling = Scaling("dataset", ((0.0, 60_000.0),), ((0.0, 60_000.0),))
    return Cutter(plan, size_of([region], recipe, plan), recipe), [hold(pair, region, scaling)]


@pytest.mark.parametrize(
    ("dimensions", "output", "middle"),
    [("2d", "stack", 0), ("2.5d", "stack", 2), ("2.5d", "plane", 2), ("3d", "stack", None), ("3d", "plane", 2)],
)
@given(seed=st.integers(0, 1000))
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_input_and_stain_are_of_the_same_place(dimensions, output, middle, seed):
    cut, held = cutter(same_in_both(5, 24, 20, output), dimensions)
    places = cut.draw(held, 6, np.random.default_rng(seed))
    inputs, targets = cut.cut(held, places)
    seen = (inputs + 1) / 2
    if dimensions == "3d" and output == "plane":
        seen, targets = seen[:, :, middle], targets[:, :, 0]
    elif dimensions != "3d":
        seen = seen[:, middle : middle + 1]
    np.testing.assert_allclose(seen.numpy(), targets.numpy(), atol=1e-4)


def test_a_maximum_is_that_of_all_planes():
    pair = same_in_both(4, 16, 16, "maximum")
    cut, held = cutter(pair, "2.5d", flip=False)
    inputs, targets = cut.cut(held, cut.draw(held, 3, np.random.default_rng(0)))
    np.testing.assert_allclose(((inputs + 1) / 2).numpy().max(axis=1), targets[:, 0].numpy(), atol=1e-4)


def test_the_eight_views_differ_and_fit():
    cut, held = cutter(same_in_both(1, 8, 8), "2d")
    inputs, targets = cut.cut(held, [Place(0, 0, 0, 0, view) for view in range(8)])
    assert len({one.numpy().tobytes() for one in inputs}) == 8
    np.testing.assert_allclose(((inputs + 1) / 2).numpy(), targets.numpy(), atol=1e-4)


def test_a_small_image_is_used_whole_and_what_is_added_is_not_known():
    cut, held = cutter(same_in_both(1, 7, 30), "2d", patch=64)
    assert cut.size == Size(1, 8, 30)
    assert cut.size.views == 4
    inputs, targets = cut.cut(held, [Place(0, 0, 0, 0)])
    assert np.isfinite(inputs.numpy()).all()
    assert np.isnan(targets.numpy()[..., 7:, :]).all()
    assert np.isfinite(targets.numpy()[..., :7, :]).all()


def test_small_images_are_shown_equally_often(make_pairs):
    data = make_pairs(6, side=16)
    recipe = StainRecipe(levels=2, patch=32)
    plan, scaling = plan_of(recipe, 1, "stack", 1, None), Scaling.of(data, whole(data))
    held = [hold(pair, region, scaling) for pair, region in zip(data.pairs, whole(data), strict=True)]
    cut = Cutter(plan, size_of(whole(data), recipe, plan), recipe)
    drawn = [place.held for place in cut.draw(held, 6, np.random.default_rng(0))]
    assert sorted(drawn) == list(range(6))
    assert drawn != sorted(drawn)


def test_patches_are_drawn_where_there_is_stain():
    pair = same_in_both(1, 96, 96)
    cut, (held,) = cutter(pair, "2d", signal=1.0)
    stained = np.zeros_like(held.targets)
    stained[..., 70:80, 10:20] = 60_000
    held = replace(held, targets=stained)
    for share, least, most in ((1.0, 0.9, 1.0), (0.0, 0.0, 0.2)):
        one = Cutter(cut.plan, cut.size, cut.recipe.but(signal=share))
        _inputs, targets = one.cut([held], one.draw([held], 100, np.random.default_rng(0)))
        hit = float((targets.flatten(1).max(dim=1).values > 0.5).float().mean())
        assert least <= hit <= most


def test_an_image_without_stain_is_drawn_from_all_the_same():
    cut, (held,) = cutter(same_in_both(1, 40, 40), "2d", signal=1.0)
    empty = replace(held, targets=np.zeros_like(held.targets))
    places = cut.draw([empty], 20, np.random.default_rng(0))
    assert len({(place.top, place.left) for place in places}) > 5


def test_a_round_covers_the_training_part_once_but_for_limits():
    size = Size(1, 10, 10)
    assert round_of([Region(0, 0, 0, 100, 100)], 1, size, StainRecipe()) == 100
    assert round_of([Region(0, 0, 0, 100, 100)], 5, size, StainRecipe()) == 500
    assert round_of([Region(0, 0, 0, 10, 10)], 1, size, StainRecipe()) == 32
    assert round_of([Region(0, 0, 0, 5000, 5000)], 1, size, StainRecipe()) == 2000
    assert round_of([Region(0, 0, 0, 100, 100)], 1, size, StainRecipe(patches=7)) == 7


@given(count=st.integers(0, 50), size=st.integers(1, 20))
def test_batches_are_of_like_size(count, size):
    places = [Place(number, 0, 0, 0) for number in range(count)]
    dealt = list(batches(places, size))
    assert [one for batch in dealt for one in batch] == places
    assert all(0 < len(one) <= size for one in dealt)
    assert not dealt or max(map(len, dealt)) - min(map(len, dealt)) <= 1
