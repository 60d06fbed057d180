"""Axes that a file leaves open, told by the channels that are asked for."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile

from napari_cellstage.core.images import from_array, open_image
from napari_cellstage.stain.channel_axes import with_channels


@pytest.fixture
def planes(tmp_path):
    """Return an image of 6 planes, or channels: its file does not say which."""
    tifffile.imwrite(tmp_path / "a.tif", np.arange(6 * 8 * 9, dtype=np.uint16).reshape(6, 8, 9))
    return open_image(tmp_path / "a.tif")


@pytest.mark.parametrize("wanted", [["5"], [["channel 0", "channel 5"]], ["0-4", 5]])
def test_planes_are_channels_where_these_are_asked_for(planes, wanted):
    made = with_channels(planes, wanted)
    assert (planes.shape, made.shape) == ((1, 1, 6, 8, 9), (1, 6, 1, 8, 9))
    np.testing.assert_array_equal(made.plane(0, 0, (5,))[0], planes.plane(0, 5, (0,))[0])


@pytest.mark.parametrize("wanted", [[0], ["channel 0"], [()], ["6"], ["GFP"], ["0", "9"]])
def test_they_stay_planes_where_that_does_or_nothing_helps(planes, wanted):
    assert with_channels(planes, wanted) is planes


def test_an_image_whose_axes_are_known_stays_as_it_is(make_stack):
    stack = make_stack(depth=6)
    assert with_channels(stack, ["5"]) is stack
    flat = from_array(np.zeros((6, 8, 9)), "ZYX", "memory", guessed_axes="ZYX")
    assert with_channels(flat, ["5"]) is flat
