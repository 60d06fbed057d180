"""The step Cells in a real window, with a user's mouse and keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from napari_cellstage.core.images import from_array

pytestmark = pytest.mark.gui


def field() -> np.ndarray:
    """Nuclei, and the cells around them, of 3 x 3 cells in a field of 1300 x 1300."""
    y, x = np.mgrid[:1300, :1300]
    away = np.min([(y - 500 - 100 * i) ** 2 + (x - 500 - 100 * j) ** 2 for i in range(3) for j in range(3)], axis=0)
    noise = np.random.default_rng(0).normal(20, 3, (2, 1300, 1300))
    return (np.stack([away <= 100, away <= 30**2]) * 500 + noise).clip(0).astype(np.uint16)


def test_a_method_is_chosen_previewed_on_the_part_seen_and_run(open_window: Callable[[], Any]) -> None:
    bench = open_window()
    bench.session.add_image(from_array(field(), "CYX", "field", channel_names=("DAPI", "tubulin")))
    bench.step("Cells")
    box, preview = bench.dock.cells.find_box, bench.dock.preview
    box.method.setFocus()
    while box.method.currentData() != "cells":
        QTest.keyClick(box.method, Qt.Key.Key_Down)
    assert bench.session.segment_settings.method == "cells"
    assert box.second_channel.isVisible()
    assert box.settings.channels == (0, 1)
    bench.click(box.preview)
    bench.qtbot.waitUntil(lambda: "9 cells" in box.seen.text(), timeout=60_000)
    assert "1,024 × 1,024 pixels" in box.seen.text()
    assert np.bincount(np.asarray(preview.layer.data).ravel())[1:].min() > 2000
    with bench.qtbot.waitSignal(preview.found, timeout=60_000) as found:
        bench.viewer.scene.camera.center = (0, 200, 200)
        bench.viewer.scene.camera.zoom = 8
    assert "<b>0 cells</b>" in found.args[0]
    bench.click(box.find)
    bench.qtbot.waitUntil(lambda: len(bench.session.cells()) == 9, timeout=60_000)
    assert preview.layer is None
