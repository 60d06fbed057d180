"""Fixtures for the whole suite, and the Qt binding it runs on."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings

from napari_cellstage.screen import virtual_screen

# PyQt5 and PyQt6 lie side by side here, and qtpy and pytest-qt would each choose another one by themselves.
os.environ.setdefault("QT_API", "pyqt5")
os.environ["PYTEST_QT_API"] = os.environ["QT_API"]

# Networks and tables are tiny here: a second thread gains nothing, and spins for seconds where there is other work.
os.environ.setdefault("OMP_NUM_THREADS", "1")

SCREENS = ExitStack()
DATA = Path(__file__).resolve().parents[1].parent / "shared" / "data"

# How long an example takes says how busy the machine is, and nothing about the code.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Start a screen for each of several workers: their windows would take the focus from one another.

    They are kept here: a worker whose screen ends before its last window is gone dies of it.
    """
    if shutil.which("Xvfb"):
        node.workerinput["display"] = SCREENS.enter_context(virtual_screen())


def pytest_configure(config: pytest.Config) -> None:
    """Let a worker use its own screen."""
    if display := getattr(config, "workerinput", {}).get("display"):
        os.environ["DISPLAY"] = display


def pytest_unconfigure() -> None:
    """End the screens."""
    SCREENS.close()


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
