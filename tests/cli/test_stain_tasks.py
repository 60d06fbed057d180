"""The checks by task of `stain evaluate`, as their user sees them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.cli.stain_images import last_json

StainRun = tuple[Path, Any]


def test_nuclei_are_found_in_both_stains(stain_run: StainRun, pair_folder: Path, invoke: Any) -> None:
    result = invoke("stain", "evaluate", stain_run[0], pair_folder, "--nuclei", "dna", "--json")
    assert result.exit_code == 0, result.output
    found = last_json(result)["nuclei"]
    assert found["true"] > 0
    assert 0 <= found["matched"] <= min(found["true"], found["predicted"])
    assert len(found["images"]) == last_json(result)["n_test"]
    assert f"{found['true']} in the true stain" in " ".join(result.stdout.split())


def test_a_stain_that_is_not_there_is_said_at_once(stain_run: StainRun, pair_folder: Path, invoke: Any) -> None:
    result = invoke("stain", "evaluate", stain_run[0], pair_folder, "--nuclei", "tubulin")
    assert result.exit_code == 1
    assert "'tubulin' is no stain that the model predicts" in " ".join(result.output.split())
    assert "Pearson" not in result.output


def test_a_model_of_stains_judges_no_classes(stain_run: StainRun, pair_folder: Path, invoke: Any) -> None:
    result = invoke("stain", "evaluate", stain_run[0], pair_folder, "--classes-by", stain_run[0])
    assert result.exit_code == 1
    assert "Pearson" not in result.output
