"""Where a model looks: maps lie on what makes the class, for networks and for the quick kind, in crops and images."""

from __future__ import annotations

import numpy as np
import pytest

from napari_cellstage.core.errors import ModelError
from napari_cellstage.core.folders import CropSet
from napari_cellstage.core.windows import Windows
from napari_cellstage.learn.attention import attend, attention, placed
from napari_cellstage.learn.data import TrainingSet
from napari_cellstage.learn.fit import fit
from napari_cellstage.learn.model import TrainedModel
from napari_cellstage.learn.quick import fit_quick
from napari_cellstage.learn.recipe import Recipe

SIDE = 32
SPOT = (slice(0, 18), slice(0, 18))


def spot_crops(count: int = 40) -> CropSet:
    """Cells whose class is whether there is a bright spot, in the upper left."""
    rng = np.random.default_rng(1)
    crops = rng.integers(0, 60, (count, 1, SIDE, SIDE)).astype(np.uint16)
    labels = np.arange(count) % 2
    crops[labels == 1, 0, 4:12, 4:12] += 500
    names = tuple(map(str, range(count)))
    return CropSet(crops, None, labels.astype(np.int64), ("none", "spot"), names, np.array(["a"] * count))


STILL = {"rotate": False, "flip": False, "shift": 0.0, "views": 1, "threads": 1, "crop_size": SIDE}


@pytest.fixture(scope="module")
def network(request) -> TrainedModel:
    from tests.learn.conftest import run

    recipe = Recipe.load("finetune").but(
        network="resnet18", weights="none", epochs=3, batch_size=16, holdout=0.0, validation=0.0, average=0.0, **STILL
    )
    return run(fit(TrainingSet.from_crops(spot_crops(), recipe), recipe))[1]


@pytest.fixture(scope="module")
def quick() -> TrainedModel:
    from tests.learn.conftest import run

    recipe = Recipe.load("quick").but(weights="none", holdout=0.0, crop_size=SIDE)
    data = TrainingSet.from_crops(spot_crops(), recipe)
    return run(fit_quick(data, recipe, lambda: False, None))[1]


def share(one: np.ndarray, where: tuple[slice, slice]) -> float:
    return float(one[where].sum() / one.sum())


def test_a_network_looks_at_what_makes_the_class(network, run):
    crops = spot_crops(8)
    events, maps = run(attention(network, crops.crops))

    assert events[-1].done == 8
    assert maps.shape == (8, SIDE, SIDE)
    assert maps.dtype == np.float32
    assert maps.min() >= 0
    assert maps.max() == 1
    for one in maps[crops.labels == 1]:
        assert share(one, SPOT) > 0.5


def test_the_same_cells_give_the_same_maps_and_a_chosen_class_another(network, run):
    crops = spot_crops(4).crops
    first, again = (run(attention(network, crops, places=np.zeros(4, int)))[1] for _ in range(2))
    other = run(attention(network, crops, places=np.ones(4, int)))[1]

    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)


def test_the_quick_kind_misses_the_spot_when_it_is_covered(quick, run):
    events, maps = run(attention(quick, spot_crops(4).crops, places=np.ones(4, int)))

    assert events[-1].done == 4
    for one in maps[1::2]:
        assert share(one, SPOT) > 0.6


@pytest.mark.parametrize("name", ["mobilenet_v3_small", "regnet_y_400mf"])
def test_other_networks_have_maps_too(name, run):
    import torch

    from napari_cellstage.learn.grad_cam import LEAST_PLACES, block_of
    from napari_cellstage.learn.networks import make_network

    network = make_network(name, 1, 2).eval()
    seen = []
    block = block_of(network, torch.zeros(1, 1, 64, 64))
    block.register_forward_hook(lambda _m, _i, out: seen.append(min(out.shape[2:])))
    network(torch.zeros(1, 1, 64, 64))
    assert seen[0] >= LEAST_PLACES


def test_a_network_without_convolutions_says_so():
    from torch import nn

    from napari_cellstage.learn.grad_cam import _blocks

    with pytest.raises(ModelError, match="no blocks of convolutions"):
        _blocks(nn.Linear(2, 2))


def test_stopping_ends_it_with_empty_maps(network, run):
    events, maps = run(attention(network, spot_crops(4).crops, should_stop=lambda: True))
    assert not events
    assert not maps.any()


def test_what_does_not_fit_is_said(network, run):
    with pytest.raises(ModelError, match="classes 0 to 1, but 7"):
        run(attention(network, spot_crops(2).crops, places=np.array([0, 7])))
    with pytest.raises(ModelError, match="1 channel"):
        run(attention(network, np.zeros((2, 3, SIDE, SIDE), np.uint8)))
    assert run(attention(network, np.zeros((0, 1, SIDE, SIDE), np.uint8)))[1].shape == (0, SIDE, SIDE)


@pytest.mark.parametrize(("size", "step"), [(32, 1.0), (33, 1.0), (32, 2.5)])
def test_windows_lie_around_the_cell_from_edge_to_edge(size, step):
    windows = Windows(np.array([50]), np.array([20]), np.array([[step, step]]), size)
    top, left, height, width = placed(windows)[0]

    assert (height, width) == (size * step, size * step)
    # The middle of crop pixel size // 2 is the middle of image pixel 50, 20.
    assert top + (size // 2 + 0.5) * step == 50
    assert left + (size // 2 + 0.5) * step == 20


def test_cells_of_a_project_are_looked_into_where_they_lie(quick, run, tmp_path):
    from napari_cellstage.core.images import from_array
    from napari_cellstage.core.review.cell_refs import CellRefs
    from napari_cellstage.session import Session

    session = Session(tmp_path)
    for name in ("a", "b"):
        pixels = np.random.default_rng(len(name)).integers(0, 60, (90, 90)).astype(np.uint16)
        pixels[30:38, 50:58] += 500 + ord(name)
        session.add_image(from_array(pixels, "YX", name))
        labels = np.zeros((90, 90), dtype=np.int32)
        labels[28:46, 48:66] = 4
        session.set_labels(labels)
    cells = CellRefs(np.array([2, 1, 7, 1]), np.zeros(4, int), np.array([4, 4, 4, 99]))
    events, found = run(attend(quick, session.look(), cells, np.array([2, 2, 2, 2])))
    assert len(run(attend(quick, session.look(), CellRefs()))[1]) == 0
    session.close()

    assert events[-1].total == 4
    assert found.cells.image_id.tolist() == [1, 2]
    assert found.maps.shape == (2, SIDE, SIDE)
    for one, (top, left, height, width) in zip(found.maps, found.windows, strict=True):
        assert (height, width) == (SIDE, SIDE)
        y, x = np.unravel_index(one.argmax(), one.shape)
        assert 24 <= top + y <= 46
        assert 44 <= left + x <= 66
