"""True and predicted side by side, and the view given back."""

from __future__ import annotations

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_cellstage.ui.stain.split_view import SplitView


@pytest.fixture
def viewer() -> ViewerModel:
    """Three channels, one of them hidden."""
    made = ViewerModel()
    for place, name in enumerate(("phase", "DNA", "DNA (predicted)")):
        pixels = np.full((8, 8), 10.0 * (place + 1)) + np.arange(8)
        made.add_image(pixels, name=name, visible=place < 2, colormap=("gray", "green", "magenta")[place])
    return made


def looks(viewer: ViewerModel) -> list[object]:
    grid = viewer.canvas.grid
    return [
        *((one.visible, one.colormap.name, tuple(one.contrast_limits), one.blending) for one in viewer.layers),
        grid.enabled, grid.shape, grid.stride, grid.spacing,
    ]  # fmt: skip


def test_both_are_seen_alone_side_by_side_with_one_contrast(viewer: ViewerModel) -> None:
    split = SplitView(viewer)
    _, true, predicted = viewer.layers
    split.show([true, predicted])
    assert split.on
    assert [one.visible for one in viewer.layers] == [False, True, True]
    grid, layers = viewer.canvas.grid, viewer.layers
    assert [grid.position(layers.index(one), layers) for one in (true, predicted)] == [(0, 0), (0, 1)]
    assert predicted.colormap.name == true.colormap.name == "green"
    assert tuple(predicted.contrast_limits) == tuple(true.contrast_limits)


def test_contrast_stays_one_while_the_user_changes_it(viewer: ViewerModel) -> None:
    split = SplitView(viewer)
    _, true, predicted = viewer.layers
    split.show([true, predicted])
    predicted.contrast_limits = (1.0, 5.0)
    assert tuple(true.contrast_limits) == (1.0, 5.0)
    split.close()
    predicted.contrast_limits = (2.0, 6.0)
    assert tuple(true.contrast_limits) != (2.0, 6.0)


def test_the_view_is_given_back_as_it_was(viewer: ViewerModel) -> None:
    viewer.canvas.grid.stride = 2
    split, before = SplitView(viewer), looks(viewer)
    split.show([viewer.layers[1], viewer.layers[2]])
    assert looks(viewer) != before
    split.close()
    assert looks(viewer) == before
    assert not split.on
    split.close()  # again: nothing


def test_the_truth_is_first_also_when_it_lies_above(viewer: ViewerModel) -> None:
    viewer.layers.move(1, 3)
    split = SplitView(viewer)
    true, predicted = viewer.layers["DNA"], viewer.layers["DNA (predicted)"]
    split.show([true, predicted])
    layers = viewer.layers
    assert [viewer.canvas.grid.position(layers.index(one), layers) for one in (true, predicted)] == [(0, 0), (0, 1)]


def test_a_layer_that_is_gone_meanwhile_is_left_alone(viewer: ViewerModel) -> None:
    split = SplitView(viewer)
    split.show([viewer.layers[1], viewer.layers[2]])
    viewer.layers.remove("DNA (predicted)")
    split.close()
    assert [one.visible for one in viewer.layers] == [True, True]
