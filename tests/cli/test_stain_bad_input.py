"""`stain train` with images in which something is wrong: said in a sentence, with what is done about it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter

from napari_cellstage.stain.model import StainModel
from tests.cli.stain_images import last_json, pixels, words, write

DNA = ("--input", "bright field", "--target", "DNA")


def train(invoke: Any, data: Path, recipe: Path, *more: Any) -> Any:
    options = (*DNA, "--recipe", recipe, "--set", "epochs=1", "--out", data.parent / "run", "--overwrite", "--json")
    result = invoke("stain", "train", data, *options, *more)
    assert result.exit_code == 0, result.output
    return result


def test_a_shifted_stain_is_said_and_moved_where_that_is_wanted(tiny_recipe: Path, tmp_path: Path, invoke: Any) -> None:
    for number in range(2):
        made = pixels(number, (128, 128))
        made[1] = np.roll(made[1], (4, -3), axis=(1, 2))
        write(tmp_path / "data" / f"{number}.tif", made)
    told = words(train(invoke, tmp_path / "data", tiny_recipe).stdout)
    assert "So it is in 2 of 2 images that were looked at. Add --register" in told
    told = words(train(invoke, tmp_path / "data", tiny_recipe, "--register").stdout)
    assert "0.tif 4 up, 3 right" in told
    assert "Add --register" not in told
    assert StainModel.load(tmp_path / "run").recipe.register
    again = invoke("stain", "evaluate", tmp_path / "run", tmp_path / "data", "--json")
    assert "were shifted and moved" in words(again.stdout)


def test_stains_that_lie_on_their_input_are_left_alone_and_nothing_is_said(
    tiny_recipe: Path, tmp_path: Path, invoke: Any
) -> None:
    for number in range(2):
        write(tmp_path / "data" / f"{number}.tif", pixels(number, (128, 128)))
    assert "--register" not in train(invoke, tmp_path / "data", tiny_recipe).stdout


def test_a_blank_stain_among_others_is_left_out_and_said(tiny_recipe: Path, tmp_path: Path, invoke: Any) -> None:
    for number in range(3):
        blank = pixels(number)
        blank[1] = 100 if number == 2 else blank[1]
        write(tmp_path / "data" / f"{number}.tif", blank)
    result = train(invoke, tmp_path / "data", tiny_recipe)
    assert "The stain 'DNA' is blank in 1 of 3 images (2.tif)" in words(result.stdout)
    answer = last_json(result)
    assert answer["n_train"] + answer["n_test"] == 2


def test_a_saturated_stain_is_said(tiny_recipe: Path, tmp_path: Path, invoke: Any) -> None:
    for number in range(2):
        bright = pixels(number)
        bright[1] = np.where(bright[1] > np.percentile(bright[1], 80), 65535, bright[1])
        write(tmp_path / "data" / f"{number}.tif", bright)
    assert "saturated" in train(invoke, tmp_path / "data", tiny_recipe).stdout


def test_pixels_that_are_nan_are_said_and_learned_around(tiny_recipe: Path, tmp_path: Path, invoke: Any) -> None:
    for number in range(2):
        holes = pixels(number).astype(np.float32)
        holes[0, 0, 5:9, 5:9] = np.nan
        write(tmp_path / "data" / f"{number}.tif", holes)
    result = train(invoke, tmp_path / "data", tiny_recipe)
    assert "NaN or infinite in all 2 images" in words(result.stdout)
    assert last_json(result)["pearson"] is not None


def test_planes_in_another_order_than_those_of_most_images_are_said(
    tiny_recipe: Path, tmp_path: Path, invoke: Any
) -> None:
    for number in range(4):
        deep = pixels(number, (64, 64), depth=5)
        for z in range(5):
            deep[0, z] = gaussian_filter(deep[0, z].astype(float), 0.6 * z)
        write(tmp_path / "data" / f"{number}.tif", deep[:, ::-1] if number == 3 else deep)
    told = words(train(invoke, tmp_path / "data", tiny_recipe).stdout)
    assert "(3.tif) run the other way" in told


@pytest.fixture
def broken(tmp_path: Path) -> dict[str, Path]:
    """Folders in which something is wrong."""
    flat, full = pixels(1), pixels(2)
    flat[1], full[1] = 100, 65535
    rgb = np.moveaxis(pixels(3)[:, 0] // 256, 0, -1).astype(np.uint8)
    write(tmp_path / "flat" / "a.tif", flat)
    write(tmp_path / "full" / "a.tif", full)
    for place, (side, name) in enumerate((((40, 48), "light"), ((40, 40), "stain"))):
        write(tmp_path / "sizes" / name / "a.tif", pixels(1, side)[place : place + 1], [("bright field", "DNA")[place]])
    (tmp_path / "empty").mkdir()
    (tmp_path / "picture").mkdir()
    Image.fromarray(rgb).save(tmp_path / "picture" / "a.png")
    return {one.name: one for one in tmp_path.iterdir()}


@pytest.mark.parametrize(
    ("data", "more", "text"),
    [
        ("missing", (), "There is no"),
        ("empty", (), "no images in the folder"),
        ("good", ("--target", "nucleus"), "has no channel 'nucleus'"),
        ("good", ("--target", "bright field"), "bright field"),
        ("good", ("--set", "filters=many"), "--set filters=many needs a whole number"),
        ("good", ("--set", "colour=1"), "'colour=1' is no choice of a recipe"),
        ("good", ("--recipe", "slow"), "There is no recipe 'slow'"),
        ("good", ("--seed", -1), "seed is -1"),
        ("flat", (), "The stain 'DNA' is blank in a.tif: it is 100 in every pixel"),
        ("full", (), "The stain 'DNA' is blank in a.tif: it is 65535 in every pixel"),
        ("picture", (), "has no channel 'bright field'"),
        ("sizes/light", ("--target-folder", "{sizes}/stain"), "48 x 40"),
    ],
)
def test_mistakes_are_one_sentence(
    data: str, more: tuple[Any, ...], text: str, broken: dict[str, Path], pair_folder: Path, tiny_recipe: Path,
    tmp_path: Path, invoke: Any,
) -> None:  # fmt: skip
    place = pair_folder if data == "good" else tmp_path / data
    more = tuple(one.format(sizes=broken["sizes"]) if isinstance(one, str) else one for one in more)
    base = {"--input": "bright field", "--target": "DNA", "--recipe": tiny_recipe}
    base |= dict(zip(more[::2], more[1::2], strict=True))
    options = [part for pair in base.items() for part in pair]
    result = invoke("stain", "train", place, *options, "--out", tmp_path / "new run")
    assert result.exit_code == 1, result.output
    assert result.stderr.startswith("Error: ")
    assert text in words(result.stderr), result.stderr
    assert "Traceback" not in result.output
    assert not (tmp_path / "new run").exists()
