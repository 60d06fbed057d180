"""Pairs of folders on disk."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile

from napari_cellstage.core.errors import ImageError, TrainingStopped
from napari_cellstage.stain.pairs import pairs_of_folders


@pytest.fixture
def write(tmp_path):
    """Return a writer of small TIFFs; the value of each is its own."""
    number = iter(range(1, 1000))

    def write(name, shape=(8, 9), axes="YX", **metadata):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        value = next(number)
        array = np.full(shape, value, np.uint16)
        photometric = "rgb" if "S" in axes else "minisblack"
        tifffile.imwrite(path, array, photometric=photometric, metadata={"axes": axes, **metadata})
        return value

    return write


def values(data):
    """Return the values of input and stains of each pair, by its name."""
    return {pair.name: (pair.read_input()[0, 0, 0, 0], *pair.read_target()[:, 0, 0, 0].tolist()) for pair in data.pairs}


def test_a_tree_of_images_with_all_channels(write, tmp_path):
    for name in ("G1/a.tif", "G1/b.tif", "S/deep/a.tif"):
        write(name, (3, 8, 9), "CYX")
    data = pairs_of_folders(tmp_path, 0, [1, 2])
    assert [pair.name for pair in data.pairs] == ["G1/a.tif", "G1/b.tif", "S/deep/a.tif"]
    assert len(set(data.groups)) == 3
    assert data.stain_names == ("channel 1", "channel 2")
    assert data.notes == ()
    assert pairs_of_folders(tmp_path, 0, 1, group_from="^[^/]+/").groups == ("G1/", "G1/", "S/")


def test_turned_copies_are_one_group(write, tmp_path):
    for name in ("a.tif", "a_rot90.tif", "b.tif"):
        write(name, (2, 8, 9), "CYX")
    assert pairs_of_folders(tmp_path, 0, 1).groups == ("a.tif", "a.tif", "b.tif")


def test_an_image_by_itself_is_a_folder_of_one(write, tmp_path):
    write("a.tif", (2, 8, 9), "CYX")
    assert [pair.name for pair in pairs_of_folders(tmp_path / "a.tif", 0, 1).pairs] == ["a.tif"]


def test_two_folders_are_matched_by_name(write, tmp_path):
    light = {name: write(f"light/{name}.tif") for name in ("x/a", "x/b", "c", "lonely")}
    stain = {name: write(f"stain/{name}.tif") for name in ("x/b", "x/a", "c", "widow")}
    data = pairs_of_folders(tmp_path / "light", "phase", (), tmp_path / "stain")
    assert values(data) == {f"{name}.tif": (light[name], stain[name]) for name in ("c", "x/a", "x/b")}
    assert (data.input_names, data.stain_names) == (("phase",), ("stain",))
    (note,) = data.notes
    assert "lonely.tif (there is no stain named like it in stain)" in note
    assert "widow.tif (there is no input named like it in light)" in note
    assert note.startswith("2 of 5 left out")


def test_a_folder_of_stains_may_lie_in_that_of_the_inputs(write, tmp_path):
    light, stain = write("a.tif"), write("dna/a.tif")
    data = pairs_of_folders(tmp_path, "bf", "DNA", tmp_path / "dna")
    assert values(data) == {"a.tif": (light, stain)}
    assert data.stain_names == ("DNA",)


def test_stains_are_chosen_by_what_their_files_have_more(write, tmp_path):
    made = {}
    for name in ("a", "b"):
        made[name] = write(f"light/{name}.tif"), write(f"stain/{name}_DAPI.tif"), write(f"stain/{name}_NFH.tif")
    data = pairs_of_folders(tmp_path / "light", (), ["NFH", "dapi"], tmp_path / "stain")
    assert values(data) == {f"{name}.tif": (one, three, two) for name, (one, two, three) in made.items()}
    assert data.stain_names == ("NFH", "dapi")
    with pytest.raises(ImageError, match=r"files named by dapi, nfh. Name the stains by these"):
        pairs_of_folders(tmp_path / "light", (), (), tmp_path / "stain")


def test_a_multichannel_stain_folder_is_asked_by_channel(write, tmp_path):
    light, stain = write("light/a.tif"), write("stain/a_fluo.tif", (2, 8, 9), "CYX")
    assert values(pairs_of_folders(tmp_path / "light", (), 1, tmp_path / "stain")) == {"a.tif": (light, stain)}


def test_channels_in_files_of_one_folder(write, tmp_path):
    made = {name: (write(f"{name}_BF.tif", (3, 8, 9), "ZYX"), write(f"{name}_DNA.tif")) for name in ("a", "b")}
    write("c_BF.tif", (3, 8, 9), "ZYX")
    write("d_DNA.tif")
    data = pairs_of_folders(tmp_path, "BF", "DNA", group_from="^[^_]+")
    assert values(data) == {f"{name}_BF.tif": pair for name, pair in made.items()}
    assert data.groups == ("a", "b")
    assert (data.output, data.pairs[0].shape[0]) == ("plane", 3)
    assert "c_BF.tif" in data.notes[0]
    assert "d_DNA.tif" in data.notes[0]


def test_an_image_that_lacks_one_of_several_stains_is_named(write, tmp_path):
    for name in ("a_BF", "a_DNA", "a_actin", "b_BF", "b_DNA"):
        write(f"{name}.tif")
    data = pairs_of_folders(tmp_path, "BF", "DNA,actin")
    assert [pair.name for pair in data.pairs] == ["a_BF.tif"]
    assert "b_DNA.tif (there is no file of actin beside it)" in data.notes[0]


def test_a_colour_picture_is_no_file_of_one_channel(write, tmp_path):
    write("a_BF.tif")
    write("a_DNA.tif", (8, 9, 3), "YXS")
    with pytest.raises(ImageError, match=r"should hold one channel, but has 0: red, 1: green, 2: blue"):
        pairs_of_folders(tmp_path, "BF", "DNA")


def test_planes_and_channels_in_files_of_their_own_are_one_image(tmp_path):
    for z in range(3):
        for channel in range(2):
            tifffile.imwrite(tmp_path / f"f_z{z}_c{channel}.tif", np.full((8, 9), 10 * z + channel, np.uint16))
    data = pairs_of_folders(tmp_path, 0, 1)
    assert [pair.name for pair in data.pairs] == ["f_z#_c#.tif"]
    assert data.pairs[0].read_target()[0, :, 0, 0].tolist() == [1, 11, 21]


def test_images_named_as_planes_are_taken_one_by_one_and_that_is_said(write, tmp_path):
    for t in range(2):
        write(f"movie_t{t}.tif", (2, 8, 9), "CYX")
    data = pairs_of_folders(tmp_path, 0, 1)
    assert len(data) == 2
    assert data.notes[0].startswith("2 files named movie_t#.tif look like planes or time points of one image")


def test_a_file_that_cannot_be_opened_is_left_out_and_named(write, tmp_path):
    write("a.tif", (2, 8, 9), "CYX")
    (tmp_path / "b.tif").write_bytes(b"II*\0 no more")
    data = pairs_of_folders(tmp_path, 0, 1)
    assert len(data) == 1
    assert "1 of 2 left out: b.tif ('b.tif' can't be read as an image" in data.notes[0]


def test_guessed_axes_are_said(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((2, 8, 9), np.uint16))
    assert "The axes of 1 image are taken to be CYX" in pairs_of_folders(tmp_path, 0, 1).notes[0]


def test_planes_that_can_only_be_channels_are_taken_for_channels(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.arange(16, dtype=np.uint16)[:, None, None] * np.ones((1, 8, 9), np.uint16))
    data = pairs_of_folders(tmp_path, "0-12", "13,14,15")
    (pair,) = data.pairs
    assert pair.read_input()[:, 0, 0, 0].tolist() == list(range(13))
    assert pair.read_target()[:, 0, 0, 0].tolist() == [13, 14, 15]
    assert "The axes of 1 image are taken to be CYX" in data.notes[0]
    with pytest.raises(ImageError, match=r"has no channel '16' to be the stain. It has 0: channel 0\. "):
        pairs_of_folders(tmp_path, "0", "16")


def test_what_is_missing_is_told(write, tmp_path):
    with pytest.raises(ImageError, match=r"There is no folder '.*nowhere'"):
        pairs_of_folders(tmp_path / "nowhere", 0, 1)
    with pytest.raises(ImageError, match="There are no images in the folder"):
        pairs_of_folders(tmp_path, 0, 1)
    write("a_BF.tif")
    write("a_DNA.tif")
    with pytest.raises(ImageError, match=r"no file named by 'GFP' in .* It holds a_BF.tif, a_DNA.tif"):
        pairs_of_folders(tmp_path, "BF", "GFP")
    with pytest.raises(ImageError, match="no channel '1' to be the stain"):
        pairs_of_folders(tmp_path, 0, 1)
    write("other/x.tif")
    write("other/y.tif")
    with pytest.raises(ImageError, match=r"None of the \d images can be used.*no stain named like it"):
        pairs_of_folders(tmp_path, (), (), tmp_path / "other")


def test_it_can_be_stopped(write, tmp_path):
    write("a.tif", (2, 8, 9), "CYX")
    with pytest.raises(TrainingStopped):
        pairs_of_folders(tmp_path, 0, 1, should_stop=lambda: True)


@pytest.mark.data
def test_the_jurkat_cells_are_pairs(data_dir):
    data = pairs_of_folders(data_dir / "jurkat", 0, 1)
    assert len(data) == len(set(data.groups)) == 2435
    assert data.pairs[0].shape == (1, 40, 40)
    assert data.notes == ()


@pytest.mark.data
def test_the_neurons_are_a_stack_with_three_stains(data_dir):
    data = pairs_of_folders(data_dir / "pairs" / "isl", "phase_zyx", "DAPI,MAP2,NFH")
    (pair,) = data.pairs
    assert data.stain_names == ("DAPI", "MAP2", "NFH")
    assert (pair.shape, pair.output, pair.read_target(x=slice(4)).shape) == ((13, 640, 640), "plane", (3, 1, 640, 4))
