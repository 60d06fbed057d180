"""The table of `make bench`."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks import __main__ as bench
from benchmarks.table import Row, median_ratio, median_seconds

ROOT = Path(__file__).resolve().parents[2]


def test_every_module_of_the_table_is_there_and_has_rows() -> None:
    for name in bench.MODULES:
        text = (ROOT / "benchmarks" / f"{name}.py").read_text(encoding="utf-8")
        assert "def rows() -> list[Row]:" in text, name


def test_no_benchmark_is_forgotten() -> None:
    with_rows = {f.stem for f in (ROOT / "benchmarks").glob("*.py") if "def rows()" in f.read_text(encoding="utf-8")}
    assert with_rows == set(bench.MODULES)


def test_quick_leaves_out_the_long_ones_and_only_wins() -> None:
    assert bench.chosen([], quick=False) == bench.MODULES
    assert not set(bench.chosen([], quick=True)) & set(bench.LONG)
    assert bench.chosen(["mitocheck_quick", "crops"], quick=True) == ("crops", "mitocheck_quick")


def test_table_shows_reached_target_and_verdict() -> None:
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(bench.table_of([Row("speed", "12 ms", "<= 50 ms", ok=True), Row("curve", "0.4", "", ok=None)]))
    speed, curve = (line for line in console.export_text().splitlines() if "speed" in line or "curve" in line)
    assert "12 ms" in speed
    assert "<= 50 ms" in speed
    assert "reached" in speed
    assert "reported" in curve


def test_rows_travel_from_the_other_process(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [Row("größe", "1", ">= 1", ok=True)]
    monkeypatch.setattr(
        bench.importlib, "import_module", lambda name: type("M", (), {"rows": staticmethod(lambda: rows)})
    )
    assert bench.main(["--rows", "crops"]) == 0
    answer = capsys.readouterr().out
    done = type("Done", (), {"stdout": "noise\n" + answer, "stderr": "", "returncode": 0})
    monkeypatch.setattr(bench.subprocess, "run", lambda *a, **k: done)
    assert bench.measure("crops") == rows


def test_module_that_fails_is_a_row_and_exit_code_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    done = type("Done", (), {"stdout": "", "stderr": "Traceback\nValueError: no data\n", "returncode": 1})
    monkeypatch.setattr(bench.subprocess, "run", lambda *a, **k: done)
    assert bench.main(["--only", "crops"]) == 1
    assert "failed: ValueError: no data" in capsys.readouterr().out


def test_medians() -> None:
    assert median_seconds(lambda: None, runs=3) >= 0
    assert median_ratio(lambda: None, lambda: None, runs=3) > 0
