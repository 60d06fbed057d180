"""Channels by name, number and range."""

from __future__ import annotations

import numpy as np
import pytest

from napari_cellstage.core.errors import ImageError
from napari_cellstage.core.images import from_array
from napari_cellstage.stain.channels import as_items, channels_named

NAMES = ("Phase", "DNA", "dna", "488", "a, b", "9", "last")


@pytest.fixture
def stack():
    return from_array(np.zeros((7, 4, 4), np.uint8), "CYX", "image", channel_names=NAMES)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("Phase", (0,)),
        ("phase", (0,)),
        ("dna", (2,)),
        ("DNA", (1,)),
        (3, (3,)),
        ("3", (3,)),
        ("488", (3,)),
        ("9", (5,)),
        ("a, b", (4,)),
        ("2-4", (2, 3, 4)),
        ("0-1,last", (0, 1, 6)),
        (["phase", 2, "5 - 6"], (0, 2, 5, 6)),
        ((6, 0), (6, 0)),
    ],
)
def test_channels_are_found(stack, wanted, found):
    assert channels_named(stack, wanted) == found


@pytest.mark.parametrize("wanted", ["GFP", "Dna", 7, -1, "0-7", "4-2", "1.5"])
def test_channels_that_are_not_there_are_told_with_those_that_are(stack, wanted):
    with pytest.raises(ImageError, match=r"has no channel '.*' to be the stain. It has 0: Phase, 1: DNA, 2: dna"):
        channels_named(stack, wanted, "stain")


def test_the_only_channel_needs_no_name(stack):
    assert channels_named(from_array(np.zeros((4, 4)), "YX", "flat"), ()) == (0,)
    with pytest.raises(ImageError, match=r"has 7 channels .* Say which is the input"):
        channels_named(stack, "")


def test_a_channel_is_named_once(stack):
    with pytest.raises(ImageError, match="names channel 1 of 'image' twice"):
        channels_named(stack, "DNA,0-1")


def test_items_are_cut_at_commas():
    assert as_items("a, b,,2") == ("a", "b", "2")
    assert as_items(0) == (0,)
    assert as_items(["a,b", 3]) == ("a", "b", 3)
