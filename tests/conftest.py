"""Fixtures for the whole suite, and the Qt binding it runs on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings

# PyQt5 and PyQt6 lie side by side here, and qtpy and pytest-qt would each choose another one by themselves.
os.environ.setdefault("QT_API", "pyqt5")
os.environ["PYTEST_QT_API"] = os.environ["QT_API"]

# Networks and tables are tiny here: a second thread gains nothing, and spins for seconds where there is other work.
os.environ.setdefault("OMP_NUM_THREADS", "1")

DATA = Path(__file__).resolve().parents[1].parent / "shared" / "data"

# How long an example takes says how busy the machine is, and nothing about the code.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Folder of real images beside the project; the test is skipped where it is missing."""
    if not (DATA / "README.md").is_file():
        pytest.skip(f"real images are not at {DATA}")
    return DATA


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """Recipes that leave the number of torch's threads open get one, for the same reason."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("napari_cellstage.learn.device.thread_count", lambda wanted=0: wanted or 1)
        yield


@pytest.fixture(autouse=True)
def own_config(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is remembered from one test to the next, nor from whoever runs them."""
    monkeypatch.setenv("NAPARI_CELLSTAGE_CONFIG", str(tmp_path_factory.getbasetemp() / f"config-{uuid4().hex}"))
