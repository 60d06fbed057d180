"""`stain evaluate` as its user sees it: scored on images that the model has not learned from."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.cli.stain_images import last_json, pixels, write

StainRun = tuple[Path, Any]


@pytest.fixture(scope="module")
def new(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four images that the model has not seen."""
    root = tmp_path_factory.mktemp("new pairs")
    for number in range(4):
        write(root / f"new {number}.tif", pixels(100 + number))
    return root


def test_on_the_training_data_only_the_held_out_images_are_scored(
    stain_run: StainRun, pair_folder: Path, invoke: Any
) -> None:
    result = invoke("stain", "evaluate", stain_run[0], pair_folder, "--json")
    assert result.exit_code == 0, result.output
    answer, trained = last_json(result), last_json(stain_run[1])
    assert (answer["n_test"], answer["n_left_out"], answer["trained_on"]) == (1, 3, False)
    assert answer["pearson"] == pytest.approx(trained["pearson"], abs=1e-4)
    assert "Left out 3 of 4 images: the model was trained on them" in " ".join(result.stdout.split())


def test_an_image_trained_on_is_known_under_another_name(
    stain_run: StainRun, pair_folder: Path, new: Path, tmp_path: Path, invoke: Any
) -> None:
    card = json.loads((stain_run[0] / "card.json").read_text(encoding="utf-8"))
    name = card["split"]["train"][0]["image"]
    shutil.copytree(new, tmp_path / "data")
    shutil.copy(pair_folder / name, tmp_path / "data" / "renamed.tif")
    answer = last_json(invoke("stain", "evaluate", stain_run[0], tmp_path / "data", "--json"))
    assert (answer["n_test"], answer["n_left_out"]) == (4, 1)
    assert "renamed.tif" in " ".join(answer["notes"])


def test_where_all_were_trained_on_that_is_said(
    stain_run: StainRun, pair_folder: Path, tmp_path: Path, invoke: Any
) -> None:
    card = json.loads((stain_run[0] / "card.json").read_text(encoding="utf-8"))
    for number, one in enumerate(card["split"]["train"]):
        shutil.copy(pair_folder / one["image"], tmp_path / f"{number}.tif")
    result = invoke("stain", "evaluate", stain_run[0], tmp_path, "--json")
    assert result.exit_code == 0, result.output
    answer = last_json(result)
    assert (answer["trained_on"], answer["n_test"]) == (True, 3)
    assert "how well it remembers, not how well it predicts" in " ".join(result.stdout.split())
    assert "remembers" in answer["notes"][0]


def test_new_images_have_a_score_each_and_the_sums_a_correlation(stain_run: StainRun, new: Path, invoke: Any) -> None:
    result = invoke("stain", "evaluate", stain_run[0], new, "--json")
    assert result.exit_code == 0, result.output
    answer = last_json(result)
    assert [one["image"] for one in answer["images"]] == [f"new {number}.tif" for number in range(4)]
    assert -1 <= answer["content_r"] <= 1
    for name in ("DNA", "actin"):
        each = [one["stains"][name]["pearson"] for one in answer["images"]]
        assert answer["stains"][name]["pearson"] == pytest.approx(sum(each) / 4)
    assert "r of DNA" in result.stdout


def test_channels_of_other_names_are_named(stain_run: StainRun, tmp_path: Path, invoke: Any) -> None:
    for number in range(2):
        write(tmp_path / f"{number}.tif", pixels(200 + number), ["BF", "Hoechst", "phalloidin"])
    result = invoke("stain", "evaluate", stain_run[0], tmp_path)
    assert result.exit_code == 1
    assert "bright field" in result.stderr
    options = ("--input", "BF", "--target", "Hoechst,phalloidin", "--json")
    result = invoke("stain", "evaluate", stain_run[0], tmp_path, *options)
    assert result.exit_code == 0, result.output
    assert set(last_json(result)["stains"]) == {"DNA", "actin"}


def test_stains_in_a_folder_of_their_own(stain_run: StainRun, tmp_path: Path, invoke: Any) -> None:
    for number in range(2):
        made = pixels(300 + number)
        write(tmp_path / "light" / f"{number}.tif", made[:1], ["bright field"])
        write(tmp_path / "stain" / f"{number}.tif", made[1:], ["DNA", "actin"])
    options = ("--target-folder", tmp_path / "stain", "--json")
    result = invoke("stain", "evaluate", stain_run[0], tmp_path / "light", *options)
    assert result.exit_code == 0, result.output
    assert last_json(result)["n_test"] == 2


def test_of_one_image_that_was_cut_the_held_out_part_is_scored(tiny_recipe: Path, tmp_path: Path, invoke: Any) -> None:
    file = write(tmp_path / "one.tif", pixels(0, (32, 120)))
    options = ("--input", "bright field", "--target", "DNA", "--recipe", tiny_recipe, "--out", tmp_path / "run")
    trained = last_json(invoke("stain", "train", file, *options, "--json"))
    result = invoke("stain", "evaluate", tmp_path / "run", file, "--json")
    assert last_json(result)["pearson"] == pytest.approx(trained["pearson"], abs=1e-4)
    assert "1 image is scored on the part alone" in " ".join(result.stdout.split())


def test_a_project_is_data_too(stain_run: StainRun, new: Path, tmp_path: Path, invoke: Any) -> None:
    assert invoke("import", new, "--project", tmp_path / "p.cellstage").exit_code == 0
    result = invoke("stain", "evaluate", stain_run[0], tmp_path / "p.cellstage", "--json")
    assert result.exit_code == 0, result.output
    assert last_json(result)["n_test"] == 4
