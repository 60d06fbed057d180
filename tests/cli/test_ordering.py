"""`order`: cells of class folders and projects in the order that a model sees."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tifffile
from scipy.stats import spearmanr

from napari_cellstage.learn.model import WEIGHTS
from tests.cli.conftest import disc, run_cli

DOSES = ("0", "0.1", "1", "10")


@pytest.fixture(scope="session")
def doses(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four doses; the discs grow with them, and overlap between neighbours."""
    root, rng = tmp_path_factory.mktemp("doses"), np.random.default_rng(0)
    for place, name in enumerate(DOSES):
        (root / name).mkdir()
        for number in range(15):
            radius = 4 + 2.2 * (place + rng.random())
            tifffile.imwrite(root / name / f"{number}.tif", disc(radius, 400, seed=100 * place + number))
    return root


@pytest.fixture(scope="session")
def dose_run(doses: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "doses"
    assert run_cli("train", doses, "--recipe", "quick", "--out", out, "--device", "cpu").exit_code == 0
    return out


def answer(result: Any) -> dict[str, Any]:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout.splitlines()[-1])  # type: ignore[no-any-return]


def test_doses_are_put_in_order_and_text_json_and_table_agree(doses: Path, dose_run: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "order.csv"
    result = run_cli("order", dose_run, doses, "--out", out, "--json")
    told, table = answer(result), pd.read_csv(out)
    assert told["true_order"] == list(DOSES)
    assert (told["cells"], told["n"], told["seen_in_training"]) == (60, 12, False)
    assert told["spearman"] > 0.8
    assert told["low"] <= told["spearman"] <= told["high"]
    fresh = table[table["part"] == "held out"]
    assert spearmanr(fresh["pseudotime"], fresh["label"]).statistic == pytest.approx(told["spearman"], abs=1e-3)
    assert f"order {told['spearman']:.2f}" in result.stdout
    medians = [one["median"] for one in told["classes"]]
    assert medians == sorted(medians)
    assert "12 cells that the model had not seen" in result.stdout


def test_shape_and_start_can_be_asked_for(doses: Path, dose_run: Path) -> None:
    told = answer(run_cli("order", dose_run, doses, "--open", "--start", "10", "--json"))
    assert (told["shape"], told["shape_given"]) == ("open", True)
    assert told["spearman"] < -0.8
    assert "begins with 10, as told" in told["choice"]
    assert answer(run_cli("order", dose_run, doses, "--cyclic", "--json"))["shape"] == "cyclic"


def test_the_true_order_can_be_written(doses: Path, dose_run: Path) -> None:
    told = answer(run_cli("order", dose_run, doses, "--true-order", "10, 1, 0.1", "--json"))
    assert told["true_order"] == ["10", "1", "0.1"]
    assert abs(told["spearman"]) > 0.6


def test_classes_without_a_known_order_are_placed_and_not_scored(class_folders: Path, run: tuple[Path, Any]) -> None:
    result = run_cli("order", run[0], class_folders, "--json")
    told = answer(result)
    assert (told["spearman"], told["cells"]) == (None, 36)
    assert "--true-order" in result.stdout


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (("--start", "5"), "'5' is no class. Begin with one of 0, 0.1, 1, 10."),
        (("--true-order", "1, 7"), "'1, 7' is no order of the classes 0, 0.1, 1, 10: '7' is none of them."),
    ],
)
def test_names_that_are_no_class_are_refused_before_anything_is_done(
    doses: Path, dose_run: Path, options: tuple[str, ...], why: str
) -> None:
    result = run_cli("order", dose_run, doses, *options)
    assert result.exit_code == 1
    assert why in result.stderr


def test_a_model_without_a_space_is_said(doses: Path, dose_run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from napari_cellstage.cli import ordering

    model = ordering.load_model(dose_run, None)
    bare = replace(model, arrays={name: a for name, a in model.arrays.items() if not name.startswith("space_")})
    assert (dose_run / WEIGHTS).is_file()
    monkeypatch.setattr(ordering, "load_model", lambda *_: bare)
    result = run_cli("order", dose_run, doses)
    assert result.exit_code == 1
    assert "can't be put in order" in result.stderr


@pytest.mark.data
def test_quick_orders_jurkat_cells_along_the_cycle(data_dir: Path, tmp_path: Path) -> None:
    some = tmp_path / "some"
    for folder in (data_dir / "jurkat").iterdir():
        (some / folder.name).mkdir(parents=True)
        for file in sorted(folder.glob("*.tif"))[::6]:
            (some / folder.name / file.name).write_bytes(file.read_bytes())
    assert run_cli("train", some, "--recipe", "quick", "--out", tmp_path / "run", "--device", "cpu").exit_code == 0
    told = answer(run_cli("order", tmp_path / "run", some, "--json"))
    assert told["true_order"][:3] == ["G1", "S", "G2"]
    assert told["shape"] == "open"
    assert told["low"] > 0.7
    assert told["by_chance"] < 0.3
