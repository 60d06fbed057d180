"""`segment`: methods, choices, scenes, and labels as files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from napari_cellstage.cli import writing
from napari_cellstage.cli.writing import write_labels
from napari_cellstage.core.volumes import LabelVolume


def answer(result: Any) -> dict[str, Any]:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout.splitlines()[-1])  # type: ignore[no-any-return]


@pytest.mark.parametrize("method", ["otsu", "local", "log"])
def test_a_method_is_chosen_by_name(method: str, image: Path, tmp_path: Path, invoke: Any) -> None:
    said = answer(invoke("segment", image, "--out", tmp_path / "cells.tif", "--method", method, "--json"))
    assert said["cells"] == 8
    assert said["labels"] == str(tmp_path / "cells.tif")


def test_other_choices_are_set_by_name(image: Path, tmp_path: Path, invoke: Any) -> None:
    choices = ("--set", "min_diameter=200", "--set", "sensitivity=2")
    result = invoke("segment", image, "--out", tmp_path / "cells.tif", *choices)
    assert result.exit_code == 1
    assert "No cells were found with sensitivity 2 and diameters from 200" in result.stderr


def test_whole_cells_take_a_second_channel(image: Path, tmp_path: Path, invoke: Any) -> None:
    pixels = tifffile.imread(image)
    tifffile.imwrite(tmp_path / "two.tif", np.stack([pixels, pixels]), photometric="minisblack")
    options = ("--axes", "CYX", "--method", "cells", "--second-channel", 1, "--json")
    assert answer(invoke("segment", tmp_path / "two.tif", "--out", tmp_path / "cells.tif", *options))["cells"] == 8


def test_labels_go_to_a_zarr_folder_when_it_is_called_so(image: Path, tmp_path: Path, invoke: Any) -> None:
    out = tmp_path / "cells.zarr"
    assert answer(invoke("segment", image, "--out", out, "--json"))["cells"] == 8
    assert np.asarray(LabelVolume.open(out)).max() == 8
    again = invoke("segment", image, "--out", out)
    assert again.exit_code == 1
    assert "is there already. Choose another name with --out" in again.stderr


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (("--method", "magic"), "There is no method 'magic'. Choose one of: otsu, local, log"),
        (("--set", "sensitivity"), "'sensitivity' is no setting. Write --set NAME=VALUE with one of these names: back"),
        (("--set", "channel=1"), "'channel=1' is no setting"),
        (("--set", "sensitivity=much"), "sensitivity is 'much', but must be a number"),
        (("--set", "sensitivity=99"), "sensitivity is 99.0, but must be from 0.1 to 10"),
        (("--method", "cells", "--second-channel", "7"), "Channel 7 was chosen for finding cells"),
        (("--method", "cells"), "are both 0. Choose two different channels"),
        (("--scene", "B2"), "has no scene 'B2'"),
    ],
)
def test_mistakes_are_one_sentence(
    options: tuple[str, ...], text: str, image: Path, tmp_path: Path, invoke: Any
) -> None:
    result = invoke("segment", image, "--out", tmp_path / "cells.tif", *options)
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ")
    assert text in result.stderr
    assert not (tmp_path / "cells.tif").exists()


@pytest.mark.data
def test_a_scene_is_chosen_or_all_go_to_files_of_their_own(data_dir: Path, tmp_path: Path, invoke: Any) -> None:
    pytest.importorskip("pylibCZIrw")
    file, out = data_dir / "formats" / "two_scenes.czi", tmp_path / "cells.tif"
    asked = invoke("segment", file, "--out", out)
    assert asked.exit_code == 1
    assert "holds 2 scenes" in asked.stderr
    assert "Choose one with --scene NAME, or --scene all" in asked.stderr
    said = answer(invoke("segment", file, "--out", out, "--scene", "all", "--json"))
    assert len(said["images"]) == 2
    places = [Path(one["labels"]) for one in said["images"]]
    assert all(place.name.startswith("cells-") and place.exists() for place in places)
    assert said["cells"] == sum(one["cells"] for one in said["images"])


@pytest.mark.parametrize("shape", [(1, 1, 40, 70), (2, 3, 33, 40)])
def test_large_planes_are_written_by_tiles(
    shape: tuple[int, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    labels = np.random.default_rng(0).integers(0, 300, shape).astype(np.int32)
    monkeypatch.setattr(writing, "_LARGE", 100)
    monkeypatch.setattr(writing, "_TILE", 16)
    write_labels(labels, tmp_path / "tiles.tif")
    with tifffile.TiffFile(tmp_path / "tiles.tif") as file:
        assert file.pages[0].is_tiled
        assert file.series[0].axes == "TZYX"[-file.series[0].ndim :]
        assert np.array_equal(file.asarray(), labels.squeeze())
