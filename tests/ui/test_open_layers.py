"""Images already open in napari become stacks of the project."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile
from napari.layers._source import layer_source

from napari_cellstage.core.errors import ImageError
from napari_cellstage.ui.open_layers import (
    axes_choices,
    axes_text,
    image_layers,
    labels_layers,
    stack_from_layer,
    stack_from_layers,
)
from napari_cellstage.ui.open_layers_box import OpenLayersBox

RNG = np.random.default_rng(0)


def image(viewer, *shape, **details):
    return viewer.add_image(RNG.integers(0, 255, shape).astype(np.uint8), **details)


@pytest.mark.parametrize(
    ("shape", "first"), [((20, 30), "YX"), ((2, 20, 30), "CYX"), ((40, 20, 30), "ZYX"), ((5, 3, 20, 30), "TCYX")]
)
def test_likeliest_axes_come_first(model, shape, first):
    assert axes_choices(image(model, *shape))[0] == first


def test_axes_are_said_in_words():
    assert axes_text("TCYX") == "time, channel, y, x"
    assert axes_text("YXS") == "y, x, colour"


def test_a_colour_picture_is_three_channels(model):
    layer = image(model, 20, 30, 3, rgb=True)
    (axes,) = axes_choices(layer)
    stack = stack_from_layer(layer, axes)
    assert stack.shape == (1, 3, 1, 20, 30)
    assert stack.rgb


def test_too_many_dimensions_are_refused_in_words(model):
    with pytest.raises(ImageError, match="has 6 dimensions; at most time, channel and depth"):
        axes_choices(image(model, 2, 2, 2, 2, 9, 9, name="odd"))


def test_pixel_size_is_taken_where_the_units_are_lengths(model):
    plain = image(model, 20, 30, scale=(0.5, 0.5))
    assert stack_from_layer(plain, "YX").pixel_size_um is None
    sized = image(model, 20, 30, scale=(500, 500), units="nm")
    assert stack_from_layer(sized, "YX").pixel_size_um == (1.0, 0.5, 0.5)


def test_a_layer_from_a_file_stays_with_its_file(model, tmp_path):
    file = tmp_path / "cells, some.tif"
    tifffile.imwrite(file, RNG.integers(0, 9, (20, 30)).astype(np.uint16))
    with layer_source(path=str(file)):
        layer = model.add_image(tifffile.imread(file))
    assert stack_from_layer(layer, "YX").path == file


def test_a_layer_that_differs_from_its_file_is_kept_as_pixels(model, tmp_path):
    file = tmp_path / "a.tif"
    tifffile.imwrite(file, np.ones((20, 30), np.uint8))
    with layer_source(path=str(file)):
        layer = model.add_image(tifffile.imread(file))
    layer.data = np.ones((10, 10), np.uint8)
    stack = stack_from_layer(layer, "YX")
    assert stack.path is None
    assert stack.shape[-2:] == (10, 10)


def test_several_layers_are_channels(model):
    layers = [image(model, 20, 30, name="DNA"), image(model, 20, 30, name="tubulin")]
    stack = stack_from_layers(layers, "YX")
    assert stack.channel_names == ("DNA", "tubulin")
    np.testing.assert_array_equal(stack.plane(0, 0, (1,))[0], layers[1].data)


def test_channels_of_one_image_need_one_shape(model):
    layers = [image(model, 20, 30, name="DNA"), image(model, 20, 31, name="wide")]
    with pytest.raises(ImageError, match=r"'wide' has shape \(20, 31\), but 'DNA' has \(20, 30\)"):
        stack_from_layers(layers, "YX")


def test_a_layer_with_channels_can_not_be_a_channel(model):
    layers = [image(model, 2, 20, 30, name="a"), image(model, 2, 20, 30, name="b")]
    with pytest.raises(ImageError, match="has channels of its own"):
        stack_from_layers(layers, "CYX")


def test_layers_of_the_project_are_not_offered(model):
    ours, theirs = image(model, 9, 9), image(model, 9, 9)
    cells = model.add_labels(np.zeros((9, 9), int))
    assert image_layers(model, [ours]) == [theirs]
    assert labels_layers(model) == [cells]
    assert labels_layers(model, [cells]) == []


def test_the_box_offers_and_hands_over(qtbot, model):
    ours = []
    box = OpenLayersBox(model, lambda layer: any(layer is one for one in ours))
    qtbot.addWidget(box)
    assert box.isHidden()
    layer = image(model, 12, 20, 30, name="movie")
    box.refresh()
    assert not box.isHidden()
    assert [box.axes.itemText(i) for i in range(3)] == ["depth, y, x", "time, y, x", "channel, y, x"]
    box.axes.setCurrentIndex(1)
    with qtbot.waitSignal(box.adopted, timeout=20_000) as adopted:
        box.use.click()
    stack, its_layer = adopted.args
    assert stack.shape == (12, 1, 1, 20, 30)
    assert its_layer is layer


def test_the_box_takes_two_layers_as_channels(qtbot, model):
    box = OpenLayersBox(model, lambda _layer: False)
    qtbot.addWidget(box)
    image(model, 20, 30, name="DNA"), image(model, 20, 30, name="tubulin")
    box.refresh()
    box.layers.selectAll()
    assert box.use.text() == "Use 2 layers as channels"
    with qtbot.waitSignal(box.adopted, timeout=20_000) as adopted:
        box.use.click()
    assert adopted.args[0].channel_names == ("DNA", "tubulin")
    assert adopted.args[1] is None
