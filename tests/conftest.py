"""Fixtures for the whole suite, and the Qt binding it runs on."""

from __future__ import annotations

import os
from pathlib import Path
from uuid import uuid4

import pytest

# PyQt5 and PyQt6 lie side by side here, and qtpy and pytest-qt would each choose another one by themselves.
os.environ.setdefault("QT_API", "pyqt5")
os.environ["PYTEST_QT_API"] = os.environ["QT_API"]

DATA = Path(__file__).resolve().parents[1].parent / "shared" / "data"


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Folder of real images beside the project; the test is skipped where it is missing."""
    if not (DATA / "README.md").is_file():
        pytest.skip(f"real images are not at {DATA}")
    return DATA


@pytest.fixture(autouse=True)
def own_config(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is remembered from one test to the next, nor from whoever runs them."""
    monkeypatch.setenv("NAPARI_CELLSTAGE_CONFIG", str(tmp_path_factory.getbasetemp() / f"config-{uuid4().hex}"))
