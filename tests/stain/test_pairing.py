"""Pairs of open images, and what is said of those that can't be used."""

from __future__ import annotations

import numpy as np
import pytest

from napari_cellstage.core.errors import ImageError
from napari_cellstage.core.images import from_array
from napari_cellstage.stain.pairs import pairs_of_images, pairs_of_stacks


def test_channels_of_one_image_are_paired_by_name(make_stack):
    stack = make_stack(stains=2)
    data = pairs_of_images([stack], "bright field", "DNA, actin")
    (pair,) = data.pairs
    assert (data.input_names, data.stain_names) == (("bright field",), ("DNA", "actin"))
    assert (pair.name, pair.group, pair.output, pair.depth_out) == ("image 0", "image 0", "stack", 1)
    np.testing.assert_array_equal(pair.read_target()[:, 0], stack.plane(0, 0, (1, 2)))
    assert data.notes == ()


def test_every_time_point_is_a_pair_of_its_movie(make_stack):
    movie = make_stack(frames=3, name="movie")
    data = pairs_of_images([movie, make_stack(1, frames=2, name="other")], 0, 1)
    assert [pair.name for pair in data.pairs] == ["movie t=0", "movie t=1", "movie t=2", "other t=0", "other t=1"]
    assert data.groups == ("movie",) * 3 + ("other",) * 2
    np.testing.assert_array_equal(data.pairs[2].read_input()[0, 0], movie.plane(2, 0, (0,))[0])


def test_images_of_one_name_are_two_groups(make_stack):
    data = pairs_of_images([make_stack(0, name="a.tif"), make_stack(1, name="a.tif")], 0, 1)
    assert data.groups == ("a.tif", "a.tif (2)")


def test_groups_are_given_or_found_in_the_names(make_stack):
    stacks = [make_stack(0, name="A1_f1.tif"), make_stack(1, name="A1_f2.tif"), make_stack(2, name="B1_f1.tif")]
    assert pairs_of_images(stacks, 0, 1, group_from="^[^_]+").groups == ("A1", "A1", "B1")
    assert pairs_of_images(stacks, 0, 1, groups=["x", "y", "x"]).groups == ("x", "y", "x")
    with pytest.raises(ImageError, match="2 groups for 3 images"):
        pairs_of_images(stacks, 0, 1, groups=["x", "y"])


def test_several_input_channels_as_a_range(make_stack):
    data = pairs_of_images([make_stack(stains=3)], "0-2", "3")
    assert data.pairs[0].read_input().shape == (3, 1, 32, 32)
    assert data.input_names == ("bright field", "DNA", "actin")


def test_a_stack_gives_a_stack_a_plane_or_its_maximum(make_stack):
    stack = make_stack(depth=5)
    assert pairs_of_images([stack], 0, 1).pairs[0].depth_out == 5
    middle = pairs_of_images([stack], 0, 1, output="plane")
    assert middle.pairs[0].plane == 2
    assert middle.notes == ("Plane 2 of 5 (from 0) of the stain is predicted, its middle one, as none was chosen.",)
    first = pairs_of_images([stack], 0, 1, plane=0)
    assert (first.output, first.pairs[0].plane, first.notes) == ("plane", 0, ())
    most = pairs_of_images([stack], 0, 1, output="maximum").pairs[0]
    np.testing.assert_array_equal(most.read_target()[0, 0], stack.volume(0, 1).max(axis=0))


def test_several_stains_in_images_of_their_own(make_stack):
    stack = make_stack(depth=4, name="phase")
    stains = [from_array(stack.volume(0, 1)[1] + n, "YX", f"{name}.tif") for n, name in enumerate(("DAPI", "NFH"))]
    data = pairs_of_stacks(stack, stains, inputs=0)
    assert (data.stain_names, data.output, data.pairs[0].plane) == (("DAPI", "NFH"), "plane", None)
    assert data.pairs[0].shape[0] == 4
    assert data.pairs[0].read_target().shape == (2, 1, 32, 32)
    assert pairs_of_stacks(stack, stains, 0, "nfh", name="field", group="well").pairs[0].group == "well"


def test_a_plane_of_input_gets_the_maximum_of_a_deep_stain(make_stack):
    stack = make_stack(depth=4)
    flat = from_array(stack.volume(0, 0)[2], "YX", "light")
    stain = from_array(stack.volume(0, 1), "ZYX", "DNA")
    assert pairs_of_stacks(flat, stain, output="maximum").pairs[0].depth_out == 1
    with pytest.raises(ImageError, match="has 1 plane, its stain 4"):
        pairs_of_stacks(flat, stain)


def test_pairs_of_different_sizes_are_refused_with_both(make_stack):
    light, stain = make_stack(side=(32, 40), name="light"), make_stack(side=32, name="stain")
    with pytest.raises(ImageError, match="'light' has 40 x 32 pixels, its stain 'stain' 32 x 32 pixels"):
        pairs_of_stacks(light, stain, 0, 1)


def test_movies_of_different_lengths_are_refused_with_both(make_stack):
    with pytest.raises(
        ImageError, match="32 x 32 pixels, 3 time points, its stain 'stain' 32 x 32 pixels, 2 time points"
    ):
        pairs_of_stacks(make_stack(frames=3, name="light"), make_stack(1, frames=2, name="stain"), 0, 1)


def test_an_unknown_channel_is_told_with_those_there_are(make_stack):
    with pytest.raises(ImageError, match=r"no channel 'GFP' to be the stain. It has 0: bright field, 1: DNA"):
        pairs_of_images([make_stack()], 0, "GFP")
    with pytest.raises(ImageError, match=r"None of the 2 images can be used. The first, 'a': 'a' has no channel 'GFP'"):
        pairs_of_images([make_stack(name="a"), make_stack(1, name="b")], 0, "GFP")


def test_input_and_stain_must_differ_also_in_another_image_of_the_same_pixels(make_stack):
    with pytest.raises(ImageError, match=r"Channel 1 \('DNA'\) of 'image 0' is input and stain at once"):
        pairs_of_images([make_stack(stains=2)], "0-1", "DNA")
    with pytest.raises(ImageError, match="is input and stain at once"):
        pairs_of_stacks(make_stack(), make_stack(), 0, 0)
    assert pairs_of_stacks(make_stack(), make_stack(), 0, 1)


def test_a_predicted_stain_is_nothing_to_learn_from(make_stack):
    pixels = make_stack().pixels[0, :, 0]
    stack = from_array(pixels, "CYX", "a", channel_names=("light", "DNA (predicted)"))
    with pytest.raises(ImageError, match=r"'DNA \(predicted\)' of 'a' was predicted, not measured"):
        pairs_of_images([stack], 0, 1)


def test_images_without_the_stain_are_left_out_and_named(make_stack):
    stacks = [make_stack(n, stains=1 + (n < 2), name=f"{n}.tif") for n in range(8)]
    data = pairs_of_images(stacks, 0, "actin")
    assert [pair.name for pair in data.pairs] == ["0.tif", "1.tif"]
    (note,) = data.notes
    assert note.startswith("6 of 8 left out: 2.tif ('2.tif' has no channel 'actin' to be the stain); 3.tif")
    assert note.endswith("; and 2 more.")


def test_images_that_are_no_stack_among_stacks_are_left_out(make_stack):
    flat = from_array(make_stack(9).pixels[0, :, 0], "CYX", "flat", channel_names=("bright field", "DNA"))
    deep = [make_stack(n, depth=3) for n in range(2)]
    data = pairs_of_images([*deep, flat], 0, 1, output="auto")
    assert len(data) == 3  # one plane in, one plane out is a stack too
    with pytest.raises(ImageError, match="no plane 7: it has 3"):
        pairs_of_images(deep, 0, 1, plane=7)


@pytest.mark.parametrize(
    ("but", "text"),
    [({"output": "slab"}, "output 'slab' is unknown"), ({"output": "maximum", "plane": 1}, "Plane 1 was chosen, but")],
)
def test_outputs_that_cannot_be_are_refused(make_stack, but, text):
    with pytest.raises(ImageError, match=text):
        pairs_of_images([make_stack()], 0, 1, **but)


def test_nothing_to_pair_is_said():
    with pytest.raises(ImageError, match="There are no images to pair"):
        pairs_of_images([], 0, 1)


def test_the_pixel_size_is_that_of_most(make_stack):
    sizes = [None, (1.0, 0.5, 0.5), (1.0, 0.5, 0.5), (1.0, 0.3, 0.3)]
    stacks = [
        from_array(make_stack(n).pixels[0, :, 0], "CYX", f"{n}", pixel_size_um=size) for n, size in enumerate(sizes)
    ]
    assert pairs_of_images(stacks, 0, 1).pixel_size_um == (1.0, 0.5, 0.5)
    assert pairs_of_images(stacks[:1], 0, 1).pixel_size_um is None
