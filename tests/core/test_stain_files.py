"""Predictions on disk: whole or not there, read in parts, and a lost part is no black picture."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import zarr

from napari_cellstage.core import stain_files, volumes, whole_files
from napari_cellstage.core.errors import ImageError
from napari_cellstage.core.images import from_array
from napari_cellstage.core.stain_files import StainFiles, write_prediction
from tests.core.stain_scene import prediction_for

STACK = from_array(np.zeros((2, 1, 3, 40, 30), dtype=np.uint8), "TCZYX", "stack")


def test_what_was_written_is_read(tmp_path: Path) -> None:
    prediction = prediction_for(STACK, ("DNA", "MAP2"), levels=("like", "doubtful"))
    kept = write_prediction(tmp_path / "one.zarr", prediction)
    files = StainFiles.open(tmp_path / "one.zarr")
    assert files.kept == kept
    assert (kept.stain_names, kept.shape, kept.times) == (("DNA", "MAP2"), (2, 2, 3, 40, 30), (0, 1))
    assert (kept.verdict, kept.text) == ("doubtful", "It is doubtful.")
    assert np.array_equal(files.read("mean-0", (slice(None),) * 5), prediction.mean)
    assert np.array_equal(files.read("uncertainty-0", (1, 0, 2)), prediction.uncertainty[1, 0, 2])
    assert np.array_equal(files.read("unlike", (0, 0)), prediction.unlike[0, 0])
    assert files.step == (16.0, 16.0)
    assert not files.gaps


def test_one_that_lies_on_the_disk_is_written_block_by_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stain_files, "CHUNK", 16)
    monkeypatch.setattr(volumes, "_COARSEST", 12)
    prediction = prediction_for(STACK)
    stored = zarr.open_array(tmp_path / "mean.zarr", mode="w", shape=prediction.mean.shape, dtype="f4")
    stored[:] = prediction.mean
    write_prediction(tmp_path / "one.zarr", replace(prediction, mean=stored))
    files = StainFiles.open(tmp_path / "one.zarr")
    assert files.levels == 3
    for level in range(3):
        read = files.read(f"mean-{level}", (slice(None),) * 5)
        assert np.array_equal(read, prediction.mean[..., :: 2**level, :: 2**level])


def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_folder: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(whole_files, "_flush_tree", full)
    with pytest.raises(ImageError, match="no space left on device"):
        write_prediction(tmp_path / "one.zarr", prediction_for(STACK))
    assert not list(tmp_path.iterdir())


def test_a_prediction_that_makes_no_sense_is_refused(tmp_path: Path) -> None:
    prediction = prediction_for(STACK)
    with pytest.raises(ImageError, match="T, S, Z, Y, X are needed"):
        write_prediction(tmp_path / "one.zarr", replace(prediction, times=(0,)))
    assert not list(tmp_path.iterdir())


def test_a_lost_chunk_is_an_error_but_a_gap_is_not(tmp_path: Path) -> None:
    prediction = prediction_for(STACK)
    prediction.mean[0, 0, 0, :5] = np.nan
    write_prediction(tmp_path / "gaps.zarr", prediction)
    assert np.isnan(StainFiles.open(tmp_path / "gaps.zarr").read("mean-0", (0, 0, 0))[:5]).all()
    write_prediction(tmp_path / "whole.zarr", prediction_for(STACK))
    shutil.rmtree(tmp_path / "whole.zarr" / "mean-0" / "c" / "1")
    files = StainFiles.open(tmp_path / "whole.zarr")
    assert np.isfinite(files.read("mean-0", (0,))).all()
    with pytest.raises(ImageError, match="a part of it is lost"):
        files.read("mean-0", (1,))


@pytest.mark.parametrize("text", ["", "{}", '{"attributes": {"format": "something else"}}', "[1]"])
def test_what_is_no_prediction_says_so(tmp_path: Path, text: str) -> None:
    (tmp_path / "zarr.json").write_text(text)
    with pytest.raises(ImageError, match="can't be read"):
        StainFiles.open(tmp_path)
    with pytest.raises(ImageError, match="can't be read"):
        StainFiles.open(tmp_path / "nowhere")


def test_its_folder_says_that_it_is_predicted(tmp_path: Path) -> None:
    write_prediction(tmp_path / "one.zarr", prediction_for(STACK))
    told = json.loads((tmp_path / "one.zarr" / "zarr.json").read_text())["attributes"]
    assert told["verdicts"] == [{"level": "like", "text": "It is like."}] * 2
    assert "predicted" in told["note"]
