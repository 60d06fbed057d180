"""`segment` and `predict` on an image."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tifffile

from napari_cellstage.cli import cells
from napari_cellstage.cli.writing import write_labels
from napari_cellstage.core.normalise import Normalisation
from tests.core.reading.writing import write_plate


def test_segment_writes_the_cells(image: Path, tmp_path: Path, invoke: Any) -> None:
    out = tmp_path / "new folder" / "cells.tif"
    result = invoke("segment", image, "--out", out, "--json")
    assert result.exit_code == 0, result.output
    labels = tifffile.imread(out)
    assert labels.shape == tifffile.imread(image).shape
    assert labels.max() == 8 == json.loads(result.stdout.splitlines()[-1])["cells"]
    assert labels[32, 32] > 0


def test_predict_finds_the_cells_or_takes_those_given(
    image: Path, run: tuple[Path, Any], tmp_path: Path, invoke: Any
) -> None:
    found = invoke("predict", run[0], image, "--out", tmp_path / "found.csv", "--json")
    assert found.exit_code == 0, found.output
    table = pd.read_csv(tmp_path / "found.csv", keep_default_na=False)
    assert len(table) == 8
    assert set(table["part"]) == {"neither"}
    assert set(table["label"]) == {""}
    assert np.allclose(table[["p_large one 🔬", "p_small"]].sum(axis=1), 1, atol=1e-5)
    labels = np.zeros(tifffile.imread(image).shape, dtype=np.uint16)
    labels[20:44, 20:44] = 5
    tifffile.imwrite(tmp_path / "labels.tif", labels)
    given = invoke("predict", run[0], image, "--labels", tmp_path / "labels.tif", "--out", tmp_path / "given.csv")
    assert given.exit_code == 0, given.output
    table = pd.read_csv(tmp_path / "given.csv")
    assert table["cell_id"].tolist() == [5]
    assert table.loc[0, ["y", "x"]].tolist() == [31.5, 31.5]


def test_predict_takes_the_channel_that_is_chosen(
    image: Path, run: tuple[Path, Any], tmp_path: Path, invoke: Any
) -> None:
    plain = tifffile.imread(image)
    tifffile.imwrite(tmp_path / "two.tif", np.stack([plain[::-1], plain]), photometric="minisblack")
    options = ("--channel", 1, "--use-channel", 1)
    two = invoke("predict", run[0], tmp_path / "two.tif", "--out", tmp_path / "two.csv", *options)
    assert two.exit_code == 0, two.output
    invoke("predict", run[0], image, "--out", tmp_path / "one.csv")
    columns = ["cell_id", "predicted", "confidence"]
    assert pd.read_csv(tmp_path / "two.csv")[columns].equals(pd.read_csv(tmp_path / "one.csv")[columns])


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("segment", "{none}", "--out", "{out}"), "none.tif"),
        (("segment", "{image}", "--out", "{out}", "--channel", "4"), "Channel 4 was chosen"),
        (("segment", "{image}", "--out", "{file}/cells.tif"), "can't be written"),
        (("predict", "{run}", "{image}", "--labels", "{wrong}", "--out", "{out}"), "The labels have the shape"),
        (("predict", "{run}", "{colours}", "--out", "{out}"), "looks at 1 channel"),
        (("predict", "{run}", "{image}", "--out", "{out}", "--use-channel", "7"), "7"),
    ],
)
def test_mistakes_are_one_sentence_and_exit_code_1(
    arguments: tuple[str, ...], text: str, image: Path, run: tuple[Path, Any], tmp_path: Path, invoke: Any
) -> None:
    places = {name: tmp_path / f"{name}.tif" for name in ("none", "wrong", "file", "colours", "out")}
    tifffile.imwrite(places["wrong"], np.ones((9, 9), dtype=np.uint16))
    places["file"].touch()
    tifffile.imwrite(places["colours"], np.stack([tifffile.imread(image)] * 3), photometric="minisblack")
    result = invoke(*(one.format(image=image, run=run[0], **places) for one in arguments))
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ")
    assert text in result.stderr
    assert not places["out"].exists()


def test_labels_are_written_in_integers_that_hold_them(tmp_path: Path) -> None:
    labels = np.zeros((2, 3, 8, 8), dtype=np.int32)
    labels[1, 2, 3, 4] = 70_000
    write_labels(labels, tmp_path / "large.tif")
    assert np.array_equal(tifffile.imread(tmp_path / "large.tif"), labels)
    write_labels(labels.clip(0, 9)[:1], tmp_path / "small.tif")
    with tifffile.TiffFile(tmp_path / "small.tif") as file:
        assert file.series[0].dtype == np.uint16
        assert file.series[0].axes == "ZYX"


def test_predict_takes_the_axes_that_are_said(image: Path, run: tuple[Path, Any], tmp_path: Path, invoke: Any) -> None:
    plain = tifffile.imread(image)
    tifffile.imwrite(tmp_path / "frames.tif", np.stack([plain, plain[::-1]]), photometric="minisblack", metadata=None)
    result = invoke("predict", run[0], tmp_path / "frames.tif", "--out", tmp_path / "t.csv", "--axes", "TYX")
    assert result.exit_code == 0, result.output
    assert pd.read_csv(tmp_path / "t.csv")["t"].tolist() == [0] * 8 + [1] * 8


def test_predict_takes_one_scene_or_all(image: Path, run: tuple[Path, Any], tmp_path: Path, invoke: Any) -> None:
    field, out = tifffile.imread(image), tmp_path / "cells.csv"
    plate = write_plate(tmp_path / "plate.zarr", {"A/1": [field], "B/2": [field[::-1]]}, "0.4")
    asked = invoke("predict", run[0], plate, "--out", out)
    assert asked.exit_code == 1
    assert "'plate.zarr' holds 2 scenes: 'A/1/0', 'B/2/0'. Choose one with --scene NAME, or --scene all" in asked.stderr
    one = invoke("predict", run[0], plate, "--out", out, "--scene", "B/2/0")
    assert one.exit_code == 0, one.output
    assert set(pd.read_csv(out)["image"]) == {"plate.zarr · B/2/0"}
    both = invoke("predict", run[0], plate, "--out", out, "--scene", "all", "--json")
    assert json.loads(both.stdout.splitlines()[-1])["cells"] == 16
    table = pd.read_csv(out)
    assert table["image"].tolist() == ["plate.zarr · A/1/0"] * 8 + ["plate.zarr · B/2/0"] * 8
    tifffile.imwrite(tmp_path / "labels.tif", np.ones(field.shape, dtype=np.uint16))
    wrong = invoke("predict", run[0], plate, "--out", out, "--scene", "all", "--labels", tmp_path / "labels.tif")
    assert wrong.exit_code == 1
    assert "The labels 'labels.tif' are of one image, but 'plate.zarr' has 2 scenes. Choose one" in wrong.stderr


def test_predict_says_that_no_plate_is_known(
    image: Path, run: tuple[Path, Any], tmp_path: Path, invoke: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = cells.load_model

    def by_plate(*args: Any) -> Any:
        model = real(*args)
        recipe = model.recipe.but(normalise="plate")
        return replace(model, recipe=recipe, normalisation=Normalisation("plate", (0.0,), (1.0,)))

    monkeypatch.setattr(cells, "load_model", by_plate)
    result = invoke("predict", run[0], image, "--out", tmp_path / "cells.csv")
    assert result.exit_code == 0, result.output
    assert "Of which plate an image is, is not known here, so it is scaled by itself alone" in result.output
