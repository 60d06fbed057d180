"""`stain train` and `stain add` as their user sees them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from napari_cellstage.stain.model import StainModel
from tests.cli.stain_images import last_json, pixels, words, write

BRIGHT = ("--input", "bright field")
DNA = (*BRIGHT, "--target", "DNA")


def test_train_answers_with_figures_and_a_run_folder(stain_run: tuple[Path, Any]) -> None:
    out, result = stain_run
    assert result.exit_code == 0, result.output
    answer = last_json(result)
    assert {"pearson", "ssim", "content_r", "seconds", "patches_per_second", "notes"} <= set(answer)
    assert (answer["n_train"], answer["n_test"], answer["recipe"], answer["run"]) == (3, 1, "tiny", str(out))
    assert set(answer["stains"]) == {"DNA", "actin"}
    (image,) = answer["images"]
    assert set(image["stains"]) == {"DNA", "actin"}
    each = [answer["stains"][name]["pearson"] for name in ("DNA", "actin")]
    assert answer["pearson"] == pytest.approx(np.mean(each))
    assert all(-1 <= value <= 1 for value in each)
    assert answer["patches_per_second"] > 0
    lines = [line for line in result.stdout.splitlines() if line.startswith("epoch ")]
    assert [line.split()[1] for line in lines] == ["1/2", "2/2"]
    assert "held-out r DNA" in lines[1]
    for name in ("card.json", "weights.safetensors", "history.csv", "scores.json", "held-out.png"):
        assert (out / name).is_file(), name


def test_the_run_says_what_it_was_trained_on(stain_run: tuple[Path, Any], pair_folder: Path) -> None:
    card = json.loads((stain_run[0] / "card.json").read_text(encoding="utf-8"))
    assert card["kind"] == "stain"
    assert card["data"] == str(pair_folder)
    assert StainModel.load(stain_run[0]).input_names == ("bright field",)
    history = pd.read_csv(stain_run[0] / "history.csv")
    assert history["epoch"].tolist() == [1, 2]
    with Image.open(stain_run[0] / "held-out.png") as picture:
        assert "PREDICTED" in picture.info["Description"]


def test_same_seed_same_figures(
    stain_run: tuple[Path, Any], pair_folder: Path, tiny_recipe: Path, tmp_path: Path, invoke: Any
) -> None:
    options = (*BRIGHT, "--target", "DNA,actin", "--recipe", tiny_recipe, "--seed", 1, "--json")
    again = last_json(invoke("stain", "train", pair_folder, *options, "--out", tmp_path / "run"))
    assert again["stains"]["DNA"]["pearson"] == last_json(stain_run[1])["stains"]["DNA"]["pearson"]


def test_stains_in_a_folder_of_their_own_are_matched_by_name(tiny_recipe: Path, tmp_path: Path, invoke: Any) -> None:
    for number in range(3):
        made = pixels(number)
        write(tmp_path / "light" / f"a{number}.tif", made[:1], ["bright field"])
        write(tmp_path / "stain" / f"a{number}.tif", made[1:2], ["DNA"])
    write(tmp_path / "light" / "alone.tif", pixels(9)[:1], ["bright field"])
    options = (*DNA, "--target-folder", tmp_path / "stain", "--recipe", tiny_recipe)
    result = invoke("stain", "train", tmp_path / "light", *options, "--out", tmp_path / "run", "--json")
    assert result.exit_code == 0, result.output
    assert last_json(result)["n_train"] + last_json(result)["n_test"] == 3
    assert "alone.tif" in result.stdout


def test_one_image_is_split_by_blocks_and_that_is_said(tiny_recipe: Path, tmp_path: Path, invoke: Any) -> None:
    file = write(tmp_path / "one.tif", pixels(0, (32, 120)))
    result = invoke("stain", "train", file, *DNA, "--recipe", tiny_recipe, "--out", tmp_path / "run", "--json")
    assert result.exit_code == 0, result.output
    assert "There is one image" in words(result.stdout)
    answer = last_json(result)
    assert (answer["n_train"], answer["n_test"]) == (1, 1)
    assert "60%" in answer["split"]


@pytest.mark.parametrize("output", ["stack", "plane", "maximum"])
def test_of_a_stack_the_stain_wanted_is_learned(tiny_recipe: Path, tmp_path: Path, invoke: Any, output: str) -> None:
    for number in range(2):
        write(tmp_path / "data" / f"{number}.tif", pixels(number, depth=3))
    kind = ("--set", "dimensions=2.5d", "--set", "planes=3" if output == "stack" else "planes=0")
    options = (*DNA, "--recipe", tiny_recipe, *kind, "--output", output, *(("--plane", 2) if output == "plane" else ()))
    result = invoke("stain", "train", tmp_path / "data", *options, "--out", tmp_path / "run", "--json")
    assert result.exit_code == 0, result.output
    assert StainModel.load(tmp_path / "run").output == output


def test_a_run_that_is_there_is_kept_unless_it_may_be_replaced(
    stain_run: tuple[Path, Any], pair_folder: Path, tiny_recipe: Path, invoke: Any
) -> None:
    result = invoke("stain", "train", pair_folder, *DNA, "--recipe", tiny_recipe, "--out", stain_run[0])
    assert result.exit_code == 1
    assert "add --overwrite" in result.stderr


def test_a_model_of_classes_is_no_model_of_stains(
    run: tuple[Path, Any], stain_run: tuple[Path, Any], pair_folder: Path, class_folders: Path, invoke: Any
) -> None:
    result = invoke("stain", "evaluate", run[0], pair_folder)
    assert result.exit_code == 1
    assert "predicts no stain" in result.stderr
    result = invoke("evaluate", stain_run[0], class_folders)
    assert result.exit_code == 1
    assert "stain" in result.stderr


def test_a_new_stain_is_added_and_the_known_one_predicted_as_before(
    pair_folder: Path, tiny_recipe: Path, tmp_path: Path, invoke: Any
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    options = ("--recipe", tiny_recipe, "--out", first)
    assert invoke("stain", "train", pair_folder, *DNA, *options).exit_code == 0
    more = ("--target", "actin", "--out", second, "--set", "freeze=true", "--set", "epochs=1", "--json")
    result = invoke("stain", "add", first, pair_folder, *more)
    assert result.exit_code == 0, result.output
    assert set(StainModel.load(second).stain_names) == {"DNA", "actin"}
    assert StainModel.load(first).stain_names == ("DNA",)
    files = []
    for name in (first, second):
        file = tmp_path / f"{name.name}.ome.tif"
        image = pair_folder / "day 0" / "image 0.tif"
        assert invoke("stain", "predict", name, image, "--out", file).exit_code == 0
        files.append(file)
    import tifffile

    before, after = (np.squeeze(tifffile.imread(file)) for file in files)
    known = StainModel.load(second).stain_names.index("DNA")
    np.testing.assert_allclose(after[known], before, rtol=1e-3, atol=1e-2)


def test_a_stain_that_is_known_is_not_added_again(
    stain_run: tuple[Path, Any], pair_folder: Path, tmp_path: Path, invoke: Any
) -> None:
    result = invoke("stain", "add", stain_run[0], pair_folder, "--target", "DNA", "--out", tmp_path / "run")
    assert result.exit_code == 1
    assert "predicts DNA already" in result.stderr
    result = invoke("stain", "add", stain_run[0], pair_folder, "--target", "DNA", "--out", stain_run[0], "--overwrite")
    assert "is the model itself" in result.stderr


def test_recipes_are_listed(invoke: Any) -> None:
    result = invoke("stain", "recipes", "--json")
    assert result.exit_code == 0, result.output
    names = [one["name"] for one in last_json(result)["recipes"]]
    assert names == ["stain-25d", "stain-2d", "stain-3d"]
    assert "stain-3d" in result.stdout
