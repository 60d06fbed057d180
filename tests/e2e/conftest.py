"""A window for each test, and a place of its own for projects."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from window import Bench

from tests.ui.quick_probe import QuickProbe


@pytest.fixture
def open_window(qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], Bench]]:
    """Return a function that opens a napari window with the dock."""
    import napari

    monkeypatch.setenv("NAPARI_CELLSTAGE_HOME", str(tmp_path / "projects"))
    monkeypatch.setattr("napari_cellstage.ui.train_panel.DeviceProbe", QuickProbe)
    made: list[Any] = []

    def open_one() -> Bench:
        viewer = napari.Viewer(show=True)
        made.append(viewer)
        return Bench(viewer, qtbot)

    yield open_one
    for viewer in made:
        if viewer in napari.viewer.Viewer._instances:
            viewer.close()
