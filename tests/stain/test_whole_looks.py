"""Images as a whole against those of the training."""

from __future__ import annotations

import numpy as np
import pytest

from napari_cellstage.stain.place_looks import KINDS, OVER_PLANES
from napari_cellstage.stain.whole_looks import WholeLooks

LOOKS = len(KINDS) * OVER_PLANES


def places(seed: int, count: int = 2000, middle: float = 0.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(middle, 1, (count, LOOKS)).astype(np.float32)


def fitted(*images: np.ndarray) -> WholeLooks:
    return WholeLooks.fit(np.concatenate(images), np.repeat(np.arange(len(images)), [len(one) for one in images]))


def test_the_same_is_no_difference():
    known = fitted(places(0), places(1), places(2))
    assert known.difference(places(3)).amount == 0
    assert known.granted.item() < 0.05


@pytest.mark.parametrize("kind", range(len(KINDS)))
def test_what_differs_most_is_named(kind):
    other = places(3)
    other[:, kind * OVER_PLANES] += 2
    found = fitted(places(0), places(1)).difference(other)
    assert found.amount > 0.25  # of contrast, as many empty places are allowed for
    assert found.kind == KINDS[kind]


def test_nothing_but_places_that_occur_somewhere_may_be_another_image():
    found = fitted(places(0), places(1)).difference(places(3) * 0.1)
    assert 0.3 < found.amount < 0.5


def test_more_or_fewer_cells_are_no_difference_but_other_light_is():
    def field(seed: int, cells: float, darker: float = 0.0) -> np.ndarray:
        made = places(seed) * 0.3 - darker
        made[: int(cells * len(made))] += 3  # cells are brighter, and rougher, than the ground
        return made

    known = fitted(field(0, 0.4), field(1, 0.4))
    assert known.difference(field(2, 0.2)).amount < 0.05
    assert known.difference(field(3, 0.6)).amount < 0.05
    assert known.difference(field(4, 0.4, darker=1.0)).amount > 0.25


def test_few_places_tell_nothing():
    assert fitted(places(0)).difference(places(3, 9, middle=0.5)).amount == 0
    assert np.isnan(fitted(places(0)).difference(places(3, 0)).amount)


def test_as_much_as_training_images_differ_is_granted():
    images = [places(seed, middle=middle) for seed, middle in enumerate((-1.0, 0.0, 1.0))]
    alike, various = fitted(*[places(seed) for seed in range(3)]), fitted(*images)
    other = places(9, middle=1.0)
    assert various.difference(other).amount < alike.difference(other).amount - 0.2


def test_looks_that_never_change_say_nothing():
    flat = np.zeros((500, LOOKS), np.float32)
    assert fitted(flat, flat).difference(places(0)).amount == 0


def test_values_that_many_places_have_do_no_harm():
    def clipped(seed: int) -> np.ndarray:
        return np.maximum(places(seed), 0)

    assert fitted(clipped(0), clipped(1)).difference(clipped(2)).amount == 0


def test_it_comes_back_from_arrays():
    known = fitted(places(0), places(1))
    again = WholeLooks.from_arrays(known.arrays() | {"more": np.zeros(1)})
    assert again is not None
    assert again.difference(places(3) + 1) == known.difference(places(3) + 1)
    assert WholeLooks.from_arrays({}) is None
