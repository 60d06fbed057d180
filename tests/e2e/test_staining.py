"""A stain learned, watched, applied, and cells found in it: by mouse and keys in a real window."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from napari_cellstage.core.images import ImageStack, from_array
from napari_cellstage.sample_stained import stained_field

if TYPE_CHECKING:
    from window import Bench

pytestmark = [pytest.mark.gui, pytest.mark.filterwarnings("ignore:.*PyQt5.*"), pytest.mark.timeout(900)]

TINY = {"epochs": 3, "patch": 32, "patches": 32, "batch_size": 8, "filters": 8, "levels": 2, "views": 1}


def unstained(stack: ImageStack, name: str, frames: int) -> ImageStack:
    """Its transmitted light alone, as a time-lapse."""
    pixels = np.repeat(np.asarray(stack.pixels[:, 0:1]), frames, axis=0)
    return from_array(pixels.reshape(frames, 1, 1, *stack.shape[-2:]), "TCZYX", name, channel_names=("phase",))


def test_from_transmitted_light_to_cells(open_window: Callable[[], Bench]) -> None:
    bench = open_window()
    fields = [stained_field(seed, size=128, cells=5).stack for seed in range(3)]
    bench.session.add_images([*fields, unstained(stained_field(7, size=128, cells=5).stack, "unstained", 2)])
    learn(bench)
    apply_everywhere(bench)
    compare(bench)
    look_at_the_time_lapse(bench)
    find_cells_in_it(bench)


def learn(bench: Bench) -> None:
    tabs = bench.dock.tabs
    assert not tabs.isTabVisible(1)  # there for those who ask for it
    bench.click(bench.dock.data.stain)
    assert tabs.tabText(tabs.currentIndex()) == "Stain"
    page = bench.dock.stain.step.panel.learn
    assert page.source.channels.stain_names == ("DNA", "tubulin")
    tick(page.source.channels.stains, 2)
    assert page.source.channels.stain_names == ("DNA",)
    page.set_recipe(**TINY)
    pictures: list[Any] = []
    page.work.epoch_done.connect(lambda _epoch: pictures.append(page.outcome.picture.grab().toImage()))
    bench.click(page.train)
    assert bench.dock.job_bar.isVisible()
    bench.wait_for_end()
    assert len(pictures) == TINY["epochs"]
    assert pictures[0] != pictures[-1]  # it went on
    assert page.outcome.picture.isVisible()
    assert "held-out" in page.outcome.score.text()
    bench.click(page.outcome.apply)


def tick(ticks: Any, row: int) -> None:
    """Tick a line with the space bar, or take its tick away."""
    ticks.setFocus()
    ticks.setCurrentRow(row)
    QTest.keyClick(ticks, Qt.Key.Key_Space)


def apply_everywhere(bench: Bench) -> None:
    page = bench.dock.stain.step.panel.apply
    assert page.isVisible()
    bench.click(page.everywhere)
    bench.wait_for_end()
    assert all(bench.session.stains(one.image_id) for one in bench.session.images)
    assert page.stains.isVisible()
    assert page.stains.verdict.text()


def compare(bench: Bench) -> None:
    bench.session.set_current(1)
    stains, layers = bench.dock.stain.step.panel.apply.stains, bench.viewer.layers
    before = [one.visible for one in layers]
    bench.click(stains.compare)
    seen = [one.name for one in layers if one.visible]
    assert seen == ["DNA", "DNA (predicted)"]
    assert bench.viewer.canvas.grid.enabled
    assert tuple(layers["DNA"].contrast_limits) == tuple(layers["DNA (predicted)"].contrast_limits)
    bench.click(stains.compare)
    assert [one.visible for one in layers] == before
    assert not bench.viewer.canvas.grid.enabled
    bench.click(stains.maps["uncertainty"])
    assert "DNA (predicted): uncertainty" in layers
    bench.click(stains.maps["uncertainty"])
    assert "DNA (predicted): uncertainty" not in layers


def look_at_the_time_lapse(bench: Bench) -> None:
    bench.session.set_current(4)
    layer = bench.viewer.layers["DNA (predicted)"]
    assert layer.ndim == 3
    bench.viewer.dims.set_current_step(0, 1)
    assert np.isfinite(np.asarray(layer.data[1])).all()


def find_cells_in_it(bench: Bench) -> None:
    stains = bench.dock.stain.step.panel.apply.stains
    bench.click(stains.find)
    assert bench.dock.tabs.tabText(bench.dock.tabs.currentIndex()) == "Cells"
    assert bench.dock.cells.find_box.find_channel.currentText() == "DNA (predicted)"
    bench.click(bench.dock.cells.find)
    bench.wait_for_end()
    assert len(bench.session.cells())
    assert {"DNA (predicted)", "Cells"} <= {one.name for one in bench.viewer.layers}
