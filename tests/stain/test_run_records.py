"""What is known of trained stain models from their cards."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from napari_cellstage.stain.run_records import list_stain_runs


def run(folder: Path, scores: Any = None, **card: Any) -> Path:
    folder.mkdir(parents=True)
    told = {"kind": "stain", "format": 1, "recipe": {"name": "stain-2d"}, "input_names": ["BF"], "stain_names": ["DNA"]}
    (folder / "card.json").write_text(json.dumps(told | card))
    (folder / "weights.safetensors").write_bytes(b"")
    if scores is not None:
        (folder / "scores.json").write_text(json.dumps({"stains": scores}))
    return folder


def test_the_newest_is_first_with_its_scores(tmp_path: Path) -> None:
    run(tmp_path / "a", made="2026-01-01T00:00:00+00:00")
    score = {"name": "DNA", "pearson": 0.9, "pearson_interval": [0.8, 0.95]}
    run(tmp_path / "b", [score], made="2026-01-02T00:00:00+00:00")
    first, second = list_stain_runs(tmp_path)
    assert (first.name, first.recipe, first.inputs, first.stains) == ("b", "stain-2d", ("BF",), ("DNA",))
    assert (first.pearson, first.interval, first.has_model) == ({"DNA": 0.9}, {"DNA": (0.8, 0.95)}, True)
    assert (second.pearson, second.problem) == ({}, "")


def test_scores_by_name_and_unknown_ones(tmp_path: Path) -> None:
    scores = {"DNA": {"pearson": 0.5, "pearson_interval": [None, None]}, "MAP2": {"pearson": None}}
    run(tmp_path / "a", scores)
    (one,) = list_stain_runs(tmp_path)
    assert (one.pearson, one.interval) == ({"DNA": 0.5}, {})


def test_runs_of_other_kinds_are_left_out_and_damaged_ones_say_so(tmp_path: Path) -> None:
    run(tmp_path / "classes", kind="model")
    run(tmp_path / "bare").joinpath("weights.safetensors").unlink()
    run(tmp_path / "half", stain_names=None)
    (tmp_path / "cut short").mkdir()
    (tmp_path / "a file").write_text("")
    found = {one.name: one.problem for one in list_stain_runs(tmp_path)}
    assert set(found) == {"bare", "half"}
    assert "weights.safetensors is gone" in found["bare"]
    assert "card.json can't be read" in found["half"]


def test_without_runs_there_are_none(tmp_path: Path) -> None:
    assert list_stain_runs(tmp_path / "nothing") == ()
