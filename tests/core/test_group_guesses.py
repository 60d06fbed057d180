from __future__ import annotations

import re

import pytest

from napari_cellstage.core.errors import ImageError
from napari_cellstage.core.group_guesses import group_guesses, groups_by, original_of


def test_movies_are_found_by_how_names_begin() -> None:
    names = [
        f"{stage}/exp-1_P{movie:02d}_T{t:03d}_crop.png" for stage in ("G1", "S") for movie in range(3) for t in range(4)
    ]
    guesses = group_guesses(names)
    assert [(one.count, one.example) for one in guesses] == [(3, "exp-1_P00"), (12, "exp-1_P00_T000")]
    groups = {re.match(guesses[0].expression, name.split("/")[1]).group(0) for name in names}  # type: ignore[union-attr]
    assert groups == {"exp-1_P00", "exp-1_P01", "exp-1_P02"}


def test_what_says_the_class_again_is_no_group() -> None:
    assert group_guesses([f"{stage}/{stage}_{n:04d}.tif" for stage in ("G1", "S") for n in range(9)]) == []


def test_names_that_differ_all_give_none() -> None:
    assert group_guesses(["a/x.tif", "a/y.tif", "b/z.tif"]) == []
    assert group_guesses([]) == []


@pytest.mark.parametrize(
    "copy",
    ["12_rot90.png", "12_rotated_180.png", "12_flip.png", "12-flip_lr.png", "12_hflip_rot270.png", "12_aug3.png"],
)
def test_turned_and_mirrored_copies_belong_to_their_picture(copy: str) -> None:
    assert original_of(f"G1/{copy}") == "G1/12.png"


@pytest.mark.parametrize("name", ["G1/12.png", "G1/rot90.png", "G1/12_rotor5.png", "G1/flipper_1.tif", "G1/12_h.png"])
def test_other_names_are_left_alone(name: str) -> None:
    assert original_of(name) == name


def test_a_regular_expression_looks_at_the_files_own_names_first() -> None:
    names = ["G1/movie1_a.tif", "S/movie1_b.tif", "S/movie2_a.tif"]
    assert groups_by(names, "^[^_]+") == ["movie1", "movie1", "movie2"]
    assert groups_by(names, "^([^/]+)/") == ["G1", "S", "S"]
    assert groups_by(["a_rot90.png", "a.png"], None) == ["a.png", "a.png"]


def test_an_expression_that_does_not_fit_is_told() -> None:
    with pytest.raises(ImageError, match=r"is not found in 'x\.tif'"):
        groups_by(["a_1.tif", "x.tif"], "_")
    with pytest.raises(ImageError, match="is no regular expression"):
        groups_by(["a.tif"], "(")
