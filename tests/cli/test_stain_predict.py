"""`stain predict` as its user sees it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_cellstage.core.images import open_image
from tests.cli.stain_images import last_json, pixels, words, write

StainRun = tuple[Path, Any]
Trained = Callable[..., Path]


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An image without stains, new to the model."""
    return write(tmp_path_factory.mktemp("new") / "new image.tif", pixels(50)[:1], ["bright field"])


@pytest.fixture(scope="module")
def another(pair_folder: Path, tiny_recipe: Path, tmp_path_factory: pytest.TempPathFactory, invoke: Any) -> Path:
    """A model of DNA alone."""
    out = tmp_path_factory.mktemp("others") / "second"
    options = ("--input", "bright field", "--target", "DNA", "--recipe", tiny_recipe, "--out", out)
    assert invoke("stain", "train", pair_folder, *options, "--set", "epochs=1").exit_code == 0
    return out


@pytest.mark.parametrize("ending", ["ome.tif", "ome.zarr"])
def test_a_file_of_predicted_stains_says_so(
    stain_run: StainRun, image: Path, tmp_path: Path, invoke: Any, ending: str
) -> None:
    out = tmp_path / f"predicted.{ending}"
    result = invoke("stain", "predict", stain_run[0], image, "--out", out, "--uncertainty", "--json")
    assert result.exit_code == 0, result.output
    stack = open_image(out)
    assert stack.channel_names == (
        "DNA (predicted)", "actin (predicted)", "DNA (uncertainty)", "actin (uncertainty)",
    )  # fmt: skip
    assert stack.shape == (1, 4, 1, 40, 48)
    assert stack.pixel_size_um == pytest.approx((0.5, 0.5, 0.5))
    assert stack.data.dtype == np.float32
    assert np.isfinite(np.asarray(stack.data)).all()
    answer = last_json(result)
    assert answer["predicted"] is True
    (said,) = answer["images"]
    assert (said["file"], said["channels"]) == (str(out), list(stack.channel_names))
    (verdict,) = said["verdicts"]["first"]
    assert verdict["level"] in ("like", "doubtful", "unlike")
    assert verdict["text"] in words(result.stdout)
    assert "predicted and not measured" in words(result.stdout)


def test_the_metadata_name_the_model(stain_run: StainRun, image: Path, tmp_path: Path, invoke: Any) -> None:
    out = tmp_path / "predicted.ome.tif"
    assert invoke("stain", "predict", stain_run[0], image, "--out", out).exit_code == 0
    with tifffile.TiffFile(out) as tif:
        assert "PREDICTED by napari-cellstage, not measured" in tif.ome_metadata
        assert "by the model 'first'" in tif.ome_metadata
        assert "Verdict: " in tif.ome_metadata


def test_many_models_go_into_one_file(
    stain_run: StainRun, another: Path, image: Path, tmp_path: Path, invoke: Any
) -> None:
    out = tmp_path / "both.ome.tif"
    result = invoke("stain", "predict", stain_run[0], image, "--also", another, "--out", out, "--json")
    assert result.exit_code == 0, result.output
    names = ("DNA (predicted)", "actin (predicted)", "DNA (predicted by second)")
    assert open_image(out).channel_names == names
    assert set(last_json(result)["images"][0]["verdicts"]) == {"first", "second"}
    twice = invoke("stain", "predict", stain_run[0], image, "--also", stain_run[0], "--out", tmp_path / "c.ome.tif")
    assert twice.exit_code == 1
    assert "folders named 'first'" in twice.stderr


def test_every_time_point_is_predicted(stain_run: StainRun, tmp_path: Path, invoke: Any) -> None:
    frames = np.stack([pixels(number)[:1] for number in (60, 61, 62)])
    movie = write(tmp_path / "movie.tif", frames, ["bright field"])
    result = invoke("stain", "predict", stain_run[0], movie, "--out", tmp_path / "out.ome.tif", "--json")
    assert result.exit_code == 0, result.output
    assert open_image(tmp_path / "out.ome.tif").shape == (3, 2, 1, 40, 48)
    said = last_json(result)["images"][0]
    assert said["times"] == [0, 1, 2]
    assert [one["t"] for one in said["verdicts"]["first"]] == [0, 1, 2]


def test_images_that_can_not_be_used_are_named_and_the_others_predicted(
    stain_run: StainRun, image: Path, tmp_path: Path, invoke: Any
) -> None:
    folder = tmp_path / "images"
    write(folder / "good.tif", pixels(51)[:1], ["bright field"])
    tifffile.imwrite(folder / "good_labels.tif", np.zeros((40, 48), np.uint16))
    (folder / "cut.tif").write_bytes(b"II*")
    write(folder / "other channels.tif", pixels(52)[1:], ["DNA", "actin"])
    result = invoke("stain", "predict", stain_run[0], folder, image, "--out", tmp_path / "out", "--json")
    assert result.exit_code == 3, result.output
    files = {file.name for file in (tmp_path / "out").iterdir()}
    assert files == {"good_predicted.ome.tif", "new_image_predicted.ome.tif"}
    answer = last_json(result)
    assert len(answer["images"]) == 2
    assert {Path(one["image"]).name for one in answer["not_used"]} == {"cut.tif", "other channels.tif"}
    assert "Not used: cut.tif" in result.stdout


def test_another_pixel_size_is_resampled_and_said(stain_run: StainRun, tmp_path: Path, invoke: Any) -> None:
    fine = write(tmp_path / "fine.tif", pixels(53, (80, 96))[:1], ["bright field"], um=0.25)
    result = invoke("stain", "predict", stain_run[0], fine, "--out", tmp_path / "out.ome.tif", "--json")
    assert result.exit_code == 0, result.output
    assert "0.25" in words(result.stdout)
    assert "0.5" in words(result.stdout)
    stack = open_image(tmp_path / "out.ome.tif")
    assert stack.shape[-2:] == (80, 96)
    assert stack.pixel_size_um == pytest.approx((0.25, 0.25, 0.25))
    assert last_json(result)["images"][0]["notes"]


def test_an_image_with_nan_is_predicted_and_has_none(stain_run: StainRun, tmp_path: Path, invoke: Any) -> None:
    values = pixels(54)[:1].astype(np.float32)
    values[0, 0, 10:14, 10:14] = np.nan
    file = write(tmp_path / "nan.tif", values, ["bright field"])
    result = invoke("stain", "predict", stain_run[0], file, "--out", tmp_path / "out.ome.tif")
    assert result.exit_code == 0, result.output
    assert np.isfinite(np.asarray(open_image(tmp_path / "out.ome.tif").data)).all()


def test_a_photograph_is_unlike_the_training_data(stain_run: StainRun, tmp_path: Path, invoke: Any) -> None:
    picture = np.random.default_rng(0).integers(0, 255, (120, 160, 3)).astype(np.uint8)
    Image.fromarray(picture).save(tmp_path / "photo.png")
    options = ("--input", "red", "--out", tmp_path / "out.ome.tif", "--json")
    result = invoke("stain", "predict", stain_run[0], tmp_path / "photo.png", *options)
    assert result.exit_code == 0, result.output
    (verdict,) = last_json(result)["images"][0]["verdicts"]["first"]
    assert verdict["level"] == "unlike"
    assert "unlike" in result.stdout


def test_another_number_of_planes_is_refused(tiny_recipe: Path, tmp_path: Path, invoke: Any) -> None:
    for number in range(2):
        write(tmp_path / "data" / f"{number}.tif", pixels(number, depth=3))
    flat = ("--set", "dimensions=2.5d", "--output", "maximum", "--set", "epochs=1")
    options = ("--input", "bright field", "--target", "DNA", "--recipe", tiny_recipe, *flat)
    assert invoke("stain", "train", tmp_path / "data", *options, "--out", tmp_path / "run").exit_code == 0
    deep = write(tmp_path / "deep.tif", pixels(5, depth=4)[:1], ["bright field"])
    result = invoke("stain", "predict", tmp_path / "run", deep, "--out", tmp_path / "out.ome.tif")
    assert result.exit_code == 1
    assert "3" in result.stderr
    assert "4" in result.stderr
    assert "plane" in result.stderr
    assert not (tmp_path / "out.ome.tif").exists()


def test_images_of_one_name_in_several_folders_go_into_files_of_their_own(
    stain_run: StainRun, tmp_path: Path, invoke: Any
) -> None:
    for number, well in enumerate(("A1", "A2", "A3")):
        write(tmp_path / "plate" / well / "field.tif", pixels(60 + number)[:1], ["bright field"])
    command = ("stain", "predict", stain_run[0], tmp_path / "plate", "--out", tmp_path / "out", "--overwrite", "--json")
    for _ in range(2):  # the second time over the files of the first
        result = invoke(*command)
        assert result.exit_code == 0, result.output
        files = [Path(one["file"]).name for one in last_json(result)["images"]]
        assert files == [f"{stem}_predicted.ome.tif" for stem in ("field", "A2_field", "A3_field")]
    means = [float(np.asarray(open_image(tmp_path / "out" / name).data).mean()) for name in files]
    assert len(set(means)) == 3


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("{missing}", "{image}", "--out", "{tmp}/a.ome.tif"), "There is no folder"),
        (("{tmp}", "{image}", "--out", "{tmp}/a.ome.tif"), "There is no model"),
        (("{run}", "{missing}", "--out", "{tmp}/a.ome.tif"), "none"),
        (("{run}", "{image}", "--out", "{tmp}/a.png"), "in which format"),
        (("{run}", "{image}", "--out", "{there}"), "is there already"),
        (("{run}", "{image}", "{image}/../new image.tif", "--out", "{tmp}/a.ome.tif"), "names one file"),
        (("{run}", "{image}", "--input", "phase", "--out", "{tmp}/a.ome.tif"), "'phase'"),
        (("{run}", "{tmp}/empty", "--out", "{tmp}/out"), "There is no image in"),
    ],
)
def test_mistakes_are_one_sentence(
    arguments: tuple[str, ...], text: str, stain_run: StainRun, image: Path, tmp_path: Path, invoke: Any
) -> None:
    there = tmp_path / "there.ome.tif"
    there.write_bytes(b"mine")
    (tmp_path / "empty").mkdir()
    places = {"missing": tmp_path / "none", "image": image, "run": stain_run[0], "tmp": tmp_path, "there": there}
    result = invoke("stain", "predict", *(one.format(**places) for one in arguments))
    assert result.exit_code == 1, result.output
    assert result.stderr.startswith("Error: ")
    assert text in words(result.stderr)
    assert there.read_bytes() == b"mine"


def test_a_file_that_is_there_is_replaced_where_that_is_said(
    stain_run: StainRun, image: Path, tmp_path: Path, invoke: Any
) -> None:
    for name in ("a.ome.tif", "a.ome.zarr"):
        for _ in range(2):
            options = ("--out", tmp_path / name, "--overwrite")
            assert invoke("stain", "predict", stain_run[0], image, *options).exit_code == 0
        assert open_image(tmp_path / name).shape[1] == 2
