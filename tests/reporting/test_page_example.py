"""The example on the page about scores is run as it stands."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import tifffile

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-good.md"


def test_the_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(0)
    y, x = np.ogrid[:32, :32]
    far = np.hypot(y - 16, x - 16)
    for name, radius in {"small": 5, "large": 11}.items():
        for number in range(16):
            crop = rng.normal(100, 5, (32, 32)) + 400 * (far <= radius)
            place = tmp_path / "my crops" / ("large" if name == "small" and number == 0 else name)
            place.mkdir(parents=True, exist_ok=True)
            tifffile.imwrite(place / f"movie{number % 5}_{name}{number}.tif", crop.astype(np.uint16))
    monkeypatch.chdir(tmp_path)
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    exec(compile(code, str(PAGE), "exec"), {})
    told = capsys.readouterr().out.splitlines()
    assert "32 cells" in told[0]
    assert any("small0.tif large small" in line for line in told[1:])
