"""The main job, by real mouse and key events in a real window: from opening a file to coming back tomorrow."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import tifffile
from qtpy.QtCore import Qt

from napari_cellstage.sample_data import cell_cycle_field

if TYPE_CHECKING:
    from window import Bench

pytestmark = [pytest.mark.gui, pytest.mark.filterwarnings("ignore:.*PyQt5.*"), pytest.mark.timeout(900)]

KEYS = (Qt.Key.Key_1, Qt.Key.Key_2, Qt.Key.Key_3)
CONTROL = Qt.KeyboardModifier.ControlModifier
SMALL = {"network": "mobilenet_v3_small", "weights": "none", "crop_size": 32, "views": 1}


@pytest.fixture
def sample_file(tmp_path: Path) -> Path:
    """A small synthetic field on disk."""
    field = cell_cycle_field(size=512, cells=40)
    path = tmp_path / "synthetic field.tif"
    tifffile.imwrite(path, field.stack.data[0, :, 0].compute(), metadata={"axes": "CYX"})
    return path


def test_main_job_on_the_synthetic_field(open_window: Callable[[], Bench], sample_file: Path) -> None:
    do_the_main_job(open_window(), sample_file, channel=0)


@pytest.mark.data
def test_main_job_on_a_real_field(open_window: Callable[[], Bench], data_dir: Path) -> None:
    bench = open_window()
    do_the_main_job(bench, data_dir / "fields" / "tubulin_h2b_field.tif", channel=1)
    assert 130 <= len(bench.session.cells()) <= 260


def do_the_main_job(bench: Bench, file: Path, channel: int) -> None:
    open_and_find(bench, file, channel)
    label_ten_and_undo_one(bench)
    train_and_stop(bench)
    train_to_the_end(bench)
    see_predictions(bench)
    close_and_come_back(bench, file)


def open_and_find(bench: Bench, file: Path, channel: int) -> None:
    bench.open_files(file)
    assert bench.session.current.name == file.name
    bench.step("Cells")
    combo = bench.dock.cells.find_box.find_channel
    combo.setFocus()
    bench.qtbot.keyClick(combo, Qt.Key.Key_Home)
    for _ in range(channel):
        bench.qtbot.keyClick(combo, Qt.Key.Key_Down)
    assert bench.session.find_channel == channel
    bench.click(bench.dock.cells.find)
    bench.wait_for_end()
    assert len(bench.session.cells()) >= 20


def rows_to_label(bench: Bench) -> list[int]:
    """Return ten cells whose middle is their own, spread over the image."""
    cells, session = bench.session.cells(), bench.session
    own = [
        r for r in range(len(cells)) if session.cell_at(0, 0, cells.y[r], cells.x[r]) == r and not cells.at_border[r]
    ]
    return [own[i] for i in np.linspace(0, len(own) - 1, 10).astype(int)]


def label_ten_and_undo_one(bench: Bench) -> None:
    bench.step("Label")
    chooser = bench.dock.label.templates
    bench.click(next(b for b in chooser.findChildren(type(bench.dock.label.undo)) if b.text() == "Cell cycle"))
    for number, row in enumerate(rows_to_label(bench)):
        bench.click_cell(row)
        assert bench.dock.link.selected_row == row
        bench.key(KEYS[number % 3])
        assert bench.session.class_ids()[row] == number % 3 + 1
    bench.key(Qt.Key.Key_Z, CONTROL)
    assert list(bench.session.counts().values()) == [3, 3, 3, 0, 0, 0]
    assert bench.dock.header.state.text().endswith("9 labelled")


def train_and_stop(bench: Bench) -> None:
    bench.step("Train")
    bench.dock.train.set_recipe(**SMALL, epochs=500)
    seen: list[Any] = []
    bench.click(bench.dock.train.train)
    bench.dock.runner.job.progressed.connect(seen.append)
    bench.qtbot.waitUntil(lambda: bool(seen), timeout=240_000)
    bench.click(bench.dock.job_bar.stop)
    bench.wait_for_end()
    assert bench.dock.train.train.isEnabled()


def train_to_the_end(bench: Bench) -> None:
    bench.dock.train.set_recipe(**SMALL, epochs=2)
    bench.click(bench.dock.train.train)
    bench.wait_for_end()
    assert bench.session.predictions() is not None
    assert "held-out accuracy" in bench.dock.train.score.text() or "no score" in bench.dock.train.score.text()


def see_predictions(bench: Bench) -> None:
    session, row = bench.session, rows_to_label(bench)[9]
    overlay = bench.viewer.layers["Predicted"]
    assert overlay.visible
    assert np.asarray(overlay.data).any()
    text = bench.hover(row)
    predictions = session.predictions()
    assert session.scheme.by_id(int(predictions.predicted[row])).name in text
    assert f"{predictions.confidence[row]:.0%}" in text or f"{predictions.confidence[row]:.2f}" in text


def close_and_come_back(bench: Bench, file: Path) -> None:
    before, answers = bench.session.class_ids().copy(), bench.session.predictions().predicted
    keymap = dict(bench.viewer.keymap)
    bench.close_dock()
    assert bench.session.project is None
    assert not {layer.name for layer in bench.viewer.layers} & {"Predicted", "Labelled", "Cells"}
    assert "1" in {str(key) for key in keymap}
    assert "1" not in {str(key) for key in bench.viewer.keymap}
    bench.open_dock()
    bench.open_files(file)
    np.testing.assert_array_equal(bench.session.class_ids(), before)
    np.testing.assert_array_equal(bench.session.predictions().predicted, answers)
    assert bench.viewer.layers["Predicted"].visible
