"""Class folders as people have them: what is mixed, doubled or empty is used by a plain rule, and said."""

from __future__ import annotations

from pathlib import Path
from zlib import crc32

import imageio.v3 as imageio
import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st

from napari_cellstage.core.errors import TrainingError
from napari_cellstage.core.folder_notes import Looks, folder_notes
from napari_cellstage.core.folders import CropSet, read_class_folders
from napari_cellstage.learn.data import TrainingSet
from napari_cellstage.learn.recipe import Recipe


def put(
    root: Path, name: str, shape: tuple[int, ...] = (12, 12), dtype: str = "uint8", value: int | None = None
) -> None:
    """Write a picture, one that no other is like unless a value is given."""
    file = root / name
    file.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(crc32(name.encode())).integers(0, 200, shape).astype(dtype)
    pixels = pixels if value is None else np.full(shape, value, dtype=dtype)
    if file.suffix == ".tif":
        tifffile.imwrite(file, pixels, photometric="minisblack")
    else:
        imageio.imwrite(file, pixels)


def read(root: Path, *names: str) -> CropSet:
    for name in names:
        put(root, name)
    return read_class_folders(root)


def test_plain_folders_have_nothing_to_say(tmp_path: Path) -> None:
    assert read(tmp_path, "a/1.png", "a/2.png", "b/1.png", "b/2.png").notes == ()


def test_a_class_with_one_picture_is_kept_and_said(tmp_path: Path) -> None:
    crops = read(tmp_path, "a/1.png", "b/1.png", "b/2.png")
    assert crops.counts() == {"a": 1, "b": 2}
    told = "Class 'a' has one picture; training needs two of each class. Add some, or leave the class out."
    assert crops.notes == (told,)
    with pytest.raises(TrainingError, match=r"Class 'a' has 1 labelled cell; training needs at least 2"):
        TrainingSet.from_crops(crops, Recipe())
    put(tmp_path, "c/1.png")
    assert "Classes 'a', 'c' each have one picture" in read_class_folders(tmp_path).notes[0]


def test_mixed_sizes_come_to_the_largest_around_their_middle_and_it_is_said(tmp_path: Path) -> None:
    for name, shape in (("a/1.png", (10, 14)), ("a/2.png", (16, 9)), ("b/3.png", (16, 9)), ("b/4.png", (16, 9))):
        put(tmp_path, name, shape)
    crops = read_class_folders(tmp_path)
    assert crops.crops.shape == (4, 1, 16, 14)
    assert crops.crops[0, 0, 8, 7] == imageio.imread(tmp_path / "a/1.png")[5, 7]
    assert crops.notes[0].startswith(
        "Pictures differ in size: 3 16 x 9 (such as a/2.png), 1 10 x 14 (such as a/1.png). All are brought to 16 x 14"
    )
    assert "nothing is made larger or smaller" in crops.notes[0]


def test_8_and_16_bit_are_never_scaled_apart_and_it_is_said(tmp_path: Path) -> None:
    put(tmp_path, "a/1.tif", value=200)
    put(tmp_path, "a/2.tif", dtype="uint16", value=4000)
    put(tmp_path, "b/3.tif", dtype="uint16", value=201)
    put(tmp_path, "b/4.tif", dtype="uint16", value=202)
    crops = read_class_folders(tmp_path)
    assert crops.crops.dtype == np.uint16
    assert crops.crops[:, 0, 5, 5].tolist() == [200, 4000, 201, 202]
    assert crops.notes[0].startswith(
        "Pictures differ in their kind of number: 3 uint16 (such as a/2.tif), 1 uint8 (such as a/1.tif). Values are"
    )


def test_gray_beside_colour_is_used_and_said(tmp_path: Path) -> None:
    put(tmp_path, "a/gray.png")
    for name in ("a/rgb.png", "b/1.png", "b/2.png"):
        put(tmp_path, name, (12, 12, 3))
    crops = read_class_folders(tmp_path)
    assert crops.crops.shape == (4, 3, 12, 12)
    assert crops.notes[0].startswith(
        "1 of 4 pictures are gray and the others coloured: a/gray.png. Gray ones get three"
    )


def test_one_picture_in_two_classes_is_said_before_copies_in_one(tmp_path: Path) -> None:
    for name, value in (("a/1.png", 1), ("a/2.tif", 2), ("b/3.png", 1), ("b/4.png", 4), ("b/5.png", 4)):
        put(tmp_path, name, value=value)
    first, second = read_class_folders(tmp_path).notes
    assert first == "1 picture is in two classes: a/1.png and b/3.png. One label of each is wrong: take one away."
    assert second.startswith("1 picture is there more than once: b/4.png and b/5.png. One may be trained on and the")


def test_empty_folders_stray_and_hidden_files_are_no_classes(tmp_path: Path) -> None:
    (tmp_path / "c" / "deeper").mkdir(parents=True)
    (tmp_path / ".git").mkdir()
    (tmp_path / "notes").mkdir()
    for name in ("notes/read me.txt", "a/notes.txt", "a/.DS_Store", "a/Thumbs.db", "b/._1.png", "a/desktop.ini"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"no picture")
    crops = read(tmp_path, "a/1.png", "a/2.png", "b/1.png", "b/2.png")
    assert (crops.classes, crops.skipped) == (("a", "b"), ())
    assert crops.notes == ("Folders without a picture, so no class: c, notes.",)


@pytest.mark.parametrize(
    ("names", "classes", "told"),
    [
        (("G1/1.png", "G1/more/2.png", "G1/more/3/3.png", "S/1.png"), ("G1", "S"), ""),
        (("G1/day1/1.png", "G1/day1/2.png", "S/day1/1.png"), ("G1", "S"), ""),
        (("all/G1/1.png", "all/S/1.png"), ("G1", "S"), ""),
        (("p1/G1/1.png", "p2/G1/2.png", "p2/S/3.png"), ("G1", "S"), "the classes are G1, S, named by the inner ones"),
        (("p1/G1/1_Ch1.png", "p1/G1/1_Ch2.png", "p2/S/1_Ch1.png", "p2/S/1_Ch2.png"), ("G1", "S"), "not p1, p2. Where"),
        (("G1/1_Ch1.png", "G1/1_Ch2.png", "G1/x/2_Ch1.png", "G1/x/2_Ch2.png", "S/3.png"), ("G1", "S"), ""),
    ],
)
def test_nested_folders_have_a_plain_rule(
    names: tuple[str, ...], classes: tuple[str, ...], told: str, tmp_path
) -> None:
    crops = read(tmp_path, *names)
    assert set(crops.classes) | {"S"} == set(classes)
    nested = [note for note in crops.notes if note.startswith("Folders lie in folders")]
    assert bool(nested) == bool(told)
    assert told in "".join(nested)


def test_many_kinds_are_cut_short(tmp_path: Path) -> None:
    for side in range(5, 10):
        put(tmp_path, f"a/{side}.png", (side, side))
    assert "and 2 more kinds" in read_class_folders(tmp_path).notes[0]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 3)), min_size=2, max_size=12))
def test_a_picture_in_two_classes_is_said_exactly_when_there_is_one(pictures: list[tuple[str, int]]) -> None:
    pixels = [np.full((1, 4, 4), value, dtype=np.uint8) for _, value in pictures]
    rows = enumerate(zip(pictures, pixels, strict=True))
    looks = [Looks.of(f"{name}/{row}.png", name, one) for row, ((name, _), one) in rows]
    classes: dict[int, set[str]] = {}
    for name, value in pictures:
        classes.setdefault(value, set()).add(name)
    wanted = any(len(names) > 1 for names in classes.values())
    assert any("in two classes" in note for note in folder_notes(looks, (4, 4))) == wanted
