"""What is wrong with pairs is found, and what is right is not."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st

from napari_cellstage.core.errors import TrainingError, TrainingStopped
from napari_cellstage.core.images import from_array
from napari_cellstage.stain.checks import checked, findings
from napari_cellstage.stain.pair import StainPair, StainSet
from napari_cellstage.stain.pairs import pairs_of_folders, pairs_of_images
from napari_cellstage.stain.set_findings import groups_joined


def changed(data: StainSet, place: int, change, channel: int = 1) -> StainSet:
    """Return the set as float64, one channel of one pair changed by a function of its ``(Z, Y, X)`` pixels."""
    pairs = []
    for number, pair in enumerate(data.pairs):
        pixels = np.asarray(pair.inputs.pixels[0], np.float64).copy()
        if number == place:
            pixels[channel] = change(pixels[channel])
        stack = from_array(pixels, "CZYX", pair.name, channel_names=pair.inputs.channel_names)
        pairs.append(replace(pair, inputs=stack, targets=stack))
    return replace(data, pairs=tuple(pairs))


def texts(data: StainSet) -> list[str]:
    return [one.text for one in findings(data)]


@pytest.mark.parametrize("depth", [1, 6])
def test_good_pairs_have_no_findings(make_pairs, depth):
    data = make_pairs(4, depth=depth, stains=2)
    assert findings(data) == ()
    assert checked(data).pairs == data.pairs


def test_a_blank_stain_is_left_out_and_said(make_pairs):
    data = changed(make_pairs(3), 1, lambda old: np.full_like(old, 7))
    made = checked(data)
    assert [pair.name for pair in made.pairs] == ["image 0", "image 2"]
    assert made.notes == ("The stain 'DNA' is blank in 1 of 3 images (image 1): it is 7 in every pixel. Left out.",)


def test_a_stain_without_a_finite_pixel_is_blank(make_pairs):
    (text,) = texts(changed(make_pairs(2), 0, lambda old: old * np.nan))
    assert text.endswith("it is not finite anywhere.")


def test_a_stain_that_is_blank_everywhere_stops_the_training(make_pairs):
    data = make_pairs(2)
    for place in range(2):
        data = changed(data, place, np.zeros_like)
    with pytest.raises(TrainingError, match=r"'DNA' is blank in all 2 images: it is 0 in every pixel\. Choose another"):
        checked(data)


def test_a_blank_input_is_left_out(make_pairs):
    data = changed(make_pairs(2), 0, np.zeros_like, channel=0)
    assert findings(data)[0].text.startswith("The input 'bright field' is blank in 1 of 2 images (image 0)")


def test_a_saturated_stain_is_said(make_pairs):
    (found,) = findings(changed(make_pairs(3), 2, lambda old: old.clip(max=np.quantile(old, 0.8))))
    assert found.text.startswith("The stain 'DNA' is saturated in 1 of 3 images (image 2): up to 20% of the pixels are")
    assert (found.level, found.pairs) == ("note", (2,))


def test_a_stain_of_noise_is_said(make_pairs):
    noise = np.random.default_rng(0)
    (text,) = texts(changed(make_pairs(2), 0, lambda old: noise.normal(size=old.shape)))
    assert text.startswith("The stain 'DNA' shows nothing but noise in 1 of 2 images (image 0)")


def test_missing_pixels_are_said_but_not_those_that_a_shift_leaves(make_pairs):
    def with_holes(old):
        old[:, :8] = np.inf
        return old

    (text,) = texts(changed(make_pairs(2), 1, with_holes))
    assert "has pixels that are NaN or infinite in 1 of 2 images (image 1), up to 25.0% of one" in text
    assert texts(make_pairs(2, shift=(5, 5))) == []


def test_one_image_is_said_to_be_cut(make_pairs, make_stack):
    (text,) = texts(make_pairs(1))
    assert text.startswith("There is one image only, or one group of images, so it is cut in two")
    assert len(texts(pairs_of_images([make_stack(frames=3)], 0, 1))) == 1


def test_a_colour_picture_as_input_is_said(make_stack):
    rng = np.random.default_rng(0)
    stain = make_stack().plane(0, 0, (1,))[0]
    pairs = []
    for name in ("a", "b"):
        coarse = rng.normal(128, 30, (16, 16, 3)).astype(np.uint8)
        picture = from_array(coarse.repeat(2, axis=0).repeat(2, axis=1), "YXS", name)
        pairs.append(StainPair(name, name, picture, (0, 1, 2), from_array(stain, "YX", name), (0,)))
    (text,) = texts(StainSet(tuple(pairs), ("red", "green", "blue"), ("DNA",)))
    assert text.startswith("The input of all 2 images is a colour picture: red, green and blue")


def test_other_pixel_sizes_are_said(make_stack):
    sizes = [(1.0, 0.5, 0.5)] * 2 + [(1.0, 0.65, 0.65), (1.0, 0.5001, 0.5)]
    stacks = [replace(make_stack(n), pixel_size_um=size) for n, size in enumerate(sizes)]
    (text,) = texts(pairs_of_images(stacks, 0, 1))
    assert text.startswith("Pixels of 1 of 4 images (image 2) are 0.65 micrometres wide, those of most 0.5")


def test_input_and_stain_of_other_pixel_sizes_are_said(make_pairs):
    data = make_pairs(2)
    one = data.pairs[0]
    one = replace(
        one,
        inputs=replace(one.inputs, pixel_size_um=(1.0, 0.5, 0.5)),
        targets=replace(one.targets, pixel_size_um=(1.0, 1.0, 1.0)),
    )
    (text,) = texts(replace(data, pairs=(one, data.pairs[1])))
    assert text.startswith("Input and stain of 1 of 2 images (image 0) say different pixel sizes")


def test_other_numbers_of_planes_are_said(make_stack):
    data = pairs_of_images([make_stack(0, depth=3), make_stack(1, depth=3), make_stack(2, depth=2)], 0, 1)
    assert texts(data) == ["The images differ in their number of planes: 2 with 3, 1 with 2."]


def lopsided(make_stack, seed: int, order: slice | list[int] = slice(None)):
    """Return a stack that is blurred more and more from plane to plane, in some order."""
    from scipy.ndimage import gaussian_filter

    sharp = make_stack(seed, side=48).plane(0, 0, (0, 1)).astype(np.float64)
    rng = np.random.default_rng(seed)
    planes = np.stack([[gaussian_filter(one, z) for one in sharp] for z in range(6)], axis=1)
    noisy = planes + rng.normal(0, 5, planes.shape)
    return from_array(noisy[:, order], "CZYX", f"image {seed}", channel_names=("light", "DNA"))


def test_a_stack_that_is_upside_down_is_said(make_stack):
    stacks = [lopsided(make_stack, n) for n in range(5)]
    assert texts(pairs_of_images(stacks, 0, 1)) == []
    stacks[3] = lopsided(make_stack, 3, slice(None, None, -1))
    found = texts(pairs_of_images(stacks, 0, 1))
    assert [text.split(", by")[0] for text in found] == [
        f"The planes of the {what} of 1 of 5 images (image 3) run the other way than those of most images"
        for what in ("input", "stain")
    ]


def test_planes_out_of_order_are_said_with_a_better_order(make_stack):
    stacks = [lopsided(make_stack, 0), lopsided(make_stack, 1, [0, 4, 5, 1, 2, 3])]
    (text,) = texts(pairs_of_images(stacks, 0, 1))
    assert "planes of 1 of 2 images (image 1) look out of order: in the order 0, 3, 4, 5, 1, 2 neighbours" in text


def test_copies_of_an_image_are_kept_on_one_side(make_stack):
    stacks = [make_stack(seed, name=name) for seed, name in ((0, "a"), (1, "b"), (0, "copy"), (2, "c"))]
    data = pairs_of_images(stacks, 0, 1)
    (text,) = texts(data)
    assert text.startswith("There are copies among the inputs of 2 of 4 images (a, copy)")
    assert checked(data).groups == ("a", "b", "a", "c")


@given(
    groups=st.lists(st.sampled_from("abcde"), min_size=1, max_size=12),
    data=st.data(),
)
def test_groups_that_share_an_input_become_one(groups, data):
    digests = data.draw(st.lists(st.sampled_from(["", *"uvwxyz"]), min_size=len(groups), max_size=len(groups)))
    joined = groups_joined(groups, digests)
    for (one, new, digest), (other, newer, same) in combinations(zip(groups, joined, digests, strict=True), 2):
        assert new == newer or not (one == other or (digest and digest == same))
    assert set(joined) <= set(groups)
    if len(set(filter(None, digests))) == len(list(filter(None, digests))):
        assert joined == groups


def test_a_large_image_with_signal_in_one_place_is_not_blank():
    array = np.zeros((2, 3000, 3000), np.uint8)
    array[0] = np.arange(3000, dtype=np.uint16) % 251
    blank = pairs_of_images([from_array(array.copy(), "CYX", "a")], 0, 1)
    assert "is blank" in texts(blank)[0]
    array[1, 5, 7] = 1
    assert not any("is blank" in text for text in texts(pairs_of_images([from_array(array, "CYX", "a")], 0, 1)))


def test_values_of_another_type_are_said(make_stack):
    stacks = [make_stack(n, dtype=np.uint8 if n == 2 else np.uint16) for n in range(3)]
    assert "The inputs of 1 of 3 images (image 2) hold uint8 values, those of most uint16." in " ".join(
        texts(pairs_of_images(stacks, 0, 1))
    )


def test_an_image_that_can_no_longer_be_read_is_left_out(tmp_path, make_stack):
    for n in range(3):
        tifffile.imwrite(tmp_path / f"{n}.tif", make_stack(n).pixels[0, :, 0], metadata={"axes": "CYX"})
    data = pairs_of_folders(tmp_path, 0, 1)
    (tmp_path / "1.tif").unlink()
    made = checked(data)
    assert [pair.name for pair in made.pairs] == ["0.tif", "2.tif"]
    assert made.notes[0].startswith("The pixels of '1.tif' can't be read")
    assert made.notes[0].endswith("Left out.")
    assert [one.pairs for one in findings(data)] == [(1,)]


def test_names_of_many_images_are_cut_short(make_pairs):
    data = make_pairs(7)
    for place in range(6):
        data = changed(data, place, np.zeros_like)
    assert "in 6 of 7 images (image 0, image 1, image 2, image 3 and 2 more)" in texts(data)[0]


def test_nothing_and_a_stop(make_pairs):
    with pytest.raises(TrainingError, match="There are no pairs"):
        checked(StainSet((), ("light",), ("DNA",)))
    with pytest.raises(TrainingStopped):
        checked(make_pairs(1), lambda: True)


@pytest.mark.data
def test_real_pairs_have_no_findings_but_that_there_is_one(data_dir):
    assert findings(pairs_of_folders(data_dir / "jurkat" / "S", 0, 1)) == ()
    (found,) = findings(pairs_of_folders(data_dir / "pairs" / "isl", "phase_zyx", "DAPI,MAP2,NFH"))
    assert found.text.startswith("There is one image only")
