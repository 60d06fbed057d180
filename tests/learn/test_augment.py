from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_cellstage.learn.augment import augment, turned, view
from napari_cellstage.learn.recipe import Recipe

OFF = Recipe().but(rotate=False, flip=False, scale=0.0, shift=0.0, brightness=0.0, contrast=0.0, noise=0.0)


def crops(count: int = 8, height: int = 16, width: int = 16) -> torch.Tensor:
    return torch.rand(count, 2, height, width, generator=torch.Generator().manual_seed(1))


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def disc(height: int, width: int) -> torch.Tensor:
    """Return a soft bright disc off the middle, all of it within reach of a turned view."""
    y = torch.arange(height).view(-1, 1) - height / 2 - 3
    x = torch.arange(width).view(1, -1) - width / 2 + 0.5
    return torch.exp(-(y**2 + x**2) / 3).expand(64, 1, height, width)


def test_all_off_changes_nothing():
    assert torch.equal(augment(crops(), OFF, rng()), crops())


def test_same_seed_same_changes_another_seed_others():
    one, again, other = (augment(crops(), Recipe(), rng(seed)) for seed in (0, 0, 1))
    assert torch.equal(one, again)
    assert not torch.allclose(one, other)


def test_the_input_is_left_alone():
    given_crops = crops()
    augment(given_crops, Recipe(), rng())
    assert torch.equal(given_crops, crops())


@settings(deadline=None, max_examples=30)
@given(
    count=st.integers(1, 4),
    height=st.integers(8, 33),
    width=st.integers(8, 33),
    seed=st.integers(0, 2**31),
    strength=st.floats(0, 0.5),
)
def test_shape_stays_and_nothing_is_invented(count, height, width, seed, strength):
    recipe = Recipe().but(scale=strength, shift=strength, brightness=0.0, contrast=0.0, noise=0.0)
    given_crops = crops(count, height, width)
    changed = augment(given_crops, recipe, rng(seed))
    assert changed.shape == given_crops.shape
    low, high = given_crops.amin((0, 2, 3)), given_crops.amax((0, 2, 3))
    assert (changed.amin((0, 2, 3)) >= low - 1e-4).all()
    assert (changed.amax((0, 2, 3)) <= high + 1e-4).all()


@pytest.mark.parametrize(("height", "width"), [(24, 24), (32, 38)])
def test_any_angle_turns_without_shearing(height: int, width: int):
    turned = augment(disc(height, width), replace(OFF, rotate=True), rng())
    total = turned.sum((1, 2, 3))
    assert torch.allclose(total, disc(height, width).sum((1, 2, 3)), rtol=0.1)
    y, x = torch.meshgrid(torch.arange(height) - (height - 1) / 2, torch.arange(width) - (width - 1) / 2, indexing="ij")
    down, right = ((turned[:, 0] * axis).sum((1, 2)) / total for axis in (y, x))
    radius = torch.hypot(down, right)
    assert radius.min() > 2.5
    assert radius.max() < 4.5
    quarters = {(bool(a > 0), bool(b > 0)) for a, b in zip(down, right, strict=True)}
    assert len(quarters) == 4


def test_flip_alone_mirrors_left_and_right_and_up_and_down_each_about_half():
    changed, axes = augment(crops(64), replace(OFF, flip=True), rng()), ([], [2], [1], [1, 2])
    ways = [
        [bool(torch.allclose(a, b.flip(one) if one else b, atol=1e-4)) for one in axes]
        for a, b in zip(changed, crops(64), strict=True)
    ]
    assert all(sum(found) == 1 for found in ways)
    assert all(8 < count < 26 for count in map(sum, zip(*ways, strict=True)))


def test_no_angle_is_larger_than_asked_for():
    point = torch.zeros(64, 1, 33, 33)
    point[:, :, 15:18, 26:29] = 1
    turned_a_little = augment(point, replace(OFF, rotate=True, rotate_up_to=30.0), rng())
    y, x = torch.meshgrid(torch.arange(33) - 16, torch.arange(33) - 16, indexing="ij")
    total = turned_a_little[:, 0].sum((1, 2))
    down, right = ((turned_a_little[:, 0] * axis).sum((1, 2)) / total for axis in (y, x))
    angles = torch.rad2deg(torch.atan2(down, right))
    assert float(angles.abs().max()) < 31
    assert float(angles.min()) < -20 < 20 < float(angles.max())


@pytest.mark.parametrize("rim", [1, 3])
def test_a_random_part_of_each_crop_is_cut(rim: int):
    given_crops = crops(32)
    parts = augment(given_crops, replace(OFF, random_crop=rim), rng())
    side = 16 - rim
    assert parts.shape == (32, 2, side, side)
    corners = {
        next(
            (y, x)
            for y in range(rim + 1)
            for x in range(rim + 1)
            if torch.equal(part, whole[:, y : y + side, x : x + side])
        )
        for part, whole in zip(parts, given_crops, strict=True)
    }
    assert corners == {(y, x) for y in range(rim + 1) for x in range(rim + 1)} or len(corners) > 8


def test_each_crop_is_turned_by_its_own_right_angles():
    quarters = torch.tensor([0, 1, 2, 3, 1])
    for one, whole, number in zip(turned(crops(5), quarters), crops(5), quarters.tolist(), strict=True):
        assert torch.equal(one, torch.rot90(whole, number, (1, 2)))


def test_brightness_scales_the_mean_and_contrast_keeps_it():
    mean = crops(64).mean((2, 3))
    brighter = augment(crops(64), replace(OFF, brightness=0.3), rng()).mean((2, 3)) / mean
    assert 0.65 < float(brighter.min()) < 0.8 < 1.2 < float(brighter.max()) < 1.35
    starker = augment(crops(64), replace(OFF, contrast=0.3), rng())
    assert torch.allclose(starker.mean((2, 3)), mean, atol=1e-5)
    spread = starker.std((2, 3)) / crops(64).std((2, 3))
    assert 0.65 < float(spread.min()) < 0.8 < 1.2 < float(spread.max()) < 1.35


def test_noise_adds_up_to_its_level():
    flat = torch.zeros(64, 1, 16, 16)
    levels = augment(flat, replace(OFF, noise=0.1), rng()).std((1, 2, 3))
    assert 0.08 < float(levels.max()) < 0.12
    assert float(levels.min()) < 0.03


def test_the_eight_views_are_all_different_and_keep_the_pixels():
    one = crops(1)
    views = [view(one, number) for number in range(8)]
    assert torch.equal(views[0], one)
    assert all(not torch.equal(views[a], views[b]) for a in range(8) for b in range(a))
    assert all(torch.equal(v.flatten().sort().values, one.flatten().sort().values) for v in views)


def test_turning_by_right_angles_needs_no_mirror():
    one = crops(1)
    for number, turns in ((3, 2), (5, 1), (6, 3)):
        assert any(torch.equal(view(one, number), torch.rot90(one, k, (2, 3))) for k in (turns, 4 - turns))
