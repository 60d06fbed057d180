"""Real data in a real window: a folder with its label images, scenes of a CZI, cells merged by hand, and a table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

if TYPE_CHECKING:
    from window import Bench

pytestmark = [
    pytest.mark.gui,
    pytest.mark.data,
    pytest.mark.filterwarnings("ignore:.*PyQt5.*"),
    # napari silences this while it makes colours, which the imports of a worker may undo meanwhile.
    pytest.mark.filterwarnings("ignore:Conversion from CIE-LAB:UserWarning"),
    pytest.mark.timeout(300),
]


def with_cells(bench: Bench, folder: Path) -> None:
    """Drop a folder, and say that its label images are cells."""
    bench.open_files(folder)
    question = bench.dock.data.opening.question
    assert question.isVisible()
    assert "16 files look like the cells of others" in question.text.text()
    bench.click(question.buttons["cells"])
    bench.qtbot.waitUntil(lambda: not bench.dock.data.opening.busy, timeout=60_000)


def test_a_folder_with_label_images_is_labelled_and_exported(
    open_window: Callable[[], Bench], data_dir: Path, tmp_path: Path
) -> None:
    bench = open_window()
    with_cells(bench, data_dir / "fields" / "dsb2018")
    states = bench.session.image_states()
    assert len(states) == 16
    assert all(state.cells for state in states)
    assert sum(state.cells for state in states) == 1013

    first = bench.session.current_id
    bench.key(Qt.Key.Key_PageDown)
    assert bench.session.current_id == states[1].image_id != first
    layer = bench.dock.link.layers.cells_layer
    assert layer.data.shape[-2:] == bench.session.current.shape[-2:]
    assert len(np.unique(np.asarray(layer.data))) == states[1].cells + 1

    rows = nearest_pair(bench)
    bench.click_cell(rows[0])
    QTest.mouseClick(
        bench.native, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ControlModifier, bench.place_of(rows[1])
    )
    assert sorted(bench.dock.link.selection.rows) == sorted(rows)
    bench.key(Qt.Key.Key_M)
    assert len(bench.session.cells()) == states[1].cells - 1
    bench.key(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert len(bench.session.cells()) == states[1].cells

    bench.step("Data")
    bench.click(bench.dock.exports.button)
    dialog = bench.dock.exports.dialog
    dialog.place.selectAll()
    QTest.keyClicks(dialog.place, str(tmp_path / "cells.csv"))
    bench.click(dialog.export)
    bench.qtbot.waitUntil(lambda: not dialog.runner.busy, timeout=60_000)
    table = pd.read_csv(tmp_path / "cells.csv")
    assert len(table) == 1013
    assert table["image"].nunique() == 16


def nearest_pair(bench: Bench) -> tuple[int, int]:
    """Return two cells close to each other, both in the middle of the view."""
    cells = bench.session.cells()
    places = np.column_stack((cells.y, cells.x))
    middle = np.array(bench.session.current.shape[-2:]) / 2
    one = int(np.argmin(np.linalg.norm(places - middle, axis=1)))
    away = np.linalg.norm(places - places[one], axis=1)
    away[one] = np.inf
    return one, int(np.argmin(away))


def test_scenes_are_images_and_the_channel_of_nuclei_is_found(open_window: Callable[[], Bench], data_dir: Path) -> None:
    bench = open_window()
    bench.open_files(data_dir / "formats" / "two_scenes.czi")
    assert [entry.name for entry in bench.session.images] == ["two_scenes.czi · scene 1", "two_scenes.czi · scene 2"]
    bench.open_files(data_dir / "fields" / "tubulin_h2b_field.tif")
    assert bench.session.find_channel == 1
    assert bench.dock.data.find_channel.currentText() == "channel 1"
