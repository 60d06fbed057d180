"""A movie in a real window: cells followed, one labelled in all its frames, another from one frame on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import tifffile
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from napari_cellstage.sample_movie import cell_cycle_movie

if TYPE_CHECKING:
    from window import Bench

pytestmark = [pytest.mark.gui, pytest.mark.filterwarnings("ignore:.*PyQt5.*"), pytest.mark.timeout(900)]

FRAMES = 6


@pytest.fixture
def movie(tmp_path: Path) -> Path:
    """File of a short movie, axes TCYX, whose true cells are known too."""
    sample = cell_cycle_movie(seed=2, size=256, cells=8, frames=FRAMES)
    path = tmp_path / "movie.ome.tif"
    tifffile.imwrite(path, np.asarray(sample.stack.data)[:, :, 0], metadata={"axes": "TCYX"})
    return path


def lasting(bench: Bench) -> list[int]:
    """Return the tracks that are there in every frame, far from the edge."""
    tracks, cells = bench.session.tracks(), bench.session.cells()
    whole = [track for track in range(1, tracks.count + 1) if (tracks.track_id == track).sum() == FRAMES]
    return [track for track in whole if not cells.at_border[tracks.track_id == track].any()]


def test_a_movie(open_window: Callable[[], Bench], movie: Path) -> None:
    bench = open_window()
    session, viewer = bench.session, bench.viewer
    bench.open_files(movie)
    session.use_template("cell cycle")
    bench.step("Cells")
    bench.click(bench.dock.cells.find)
    bench.wait_for_end()
    assert bench.dock.time.isVisible()
    bench.click(bench.dock.time.follow)
    bench.wait_for_end()
    first, second = lasting(bench)[:2]
    assert "tracks" in bench.dock.time.state.text()
    assert any(layer.name == "Tracks" for layer in viewer.layers)
    bench.step("Label")
    assert bench.dock.scope.isVisible()
    classes_of(bench, first, at=3, key=Qt.Key.Key_1, scope_presses=1)
    assert labels_of(bench, first) == [1] * FRAMES
    classes_of(bench, second, at=3, key=Qt.Key.Key_2, scope_presses=1)
    assert labels_of(bench, second) == [0, 0, 0, 2, 2, 2]
    assert bench.dock.scope.choice.currentText() == "this frame and later"
    bench.key(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert labels_of(bench, second) == [0] * FRAMES
    assert labels_of(bench, first) == [1] * FRAMES


def classes_of(bench: Bench, track: int, at: int, key: Any, scope_presses: int) -> None:
    """Go to a frame, click the cell of a track there, press T so often, and give it a class by its key."""
    bench.viewer.dims.set_point(0, at * bench.viewer.dims.range[0].step)
    row = int(np.flatnonzero((bench.session.tracks().track_id == track) & (bench.session.cells().t == at))[0])
    bench.qtbot.wait(200)
    bench.click_cell(row)
    assert bench.dock.link.selected_row == row
    for _ in range(scope_presses):
        QTest.keyClick(bench.native, Qt.Key.Key_T)
    bench.key(key)


def labels_of(bench: Bench, track: int) -> list[int]:
    """Return the place of the class of each frame's cell in the list, from 1; 0 for none."""
    session = bench.session
    rows = np.flatnonzero(session.tracks().track_id == track)
    rows = rows[np.argsort(session.cells().t[rows])]
    return [0 if i == 0 else session.scheme.position(int(i)) + 1 for i in session.class_ids()[rows]]
