"""Real files dropped on the dock of a real window: scenes, a question answered by mouse, a drive that goes away."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import tifffile
from napari.utils.notifications import notification_manager

from napari_cellstage.core.errors import ImageError
from tests.core.reading.writing import write_zarr_image

if TYPE_CHECKING:
    from window import Bench

pytestmark = [pytest.mark.gui, pytest.mark.filterwarnings("ignore:.*PyQt5.*"), pytest.mark.timeout(300)]


@pytest.mark.data
def test_scenes_and_a_file_that_does_not_say_its_axes(
    open_window: Callable[[], Bench], data_dir: Path, tmp_path: Path
) -> None:
    bench = open_window()
    formats = data_dir / "formats"
    bench.open_files(formats / "two_scenes.czi", formats / "cluster.nd2", formats / "stardist" / "img3d.tif")
    names = [entry.name for entry in bench.session.images]
    assert names == ["two_scenes.czi · scene 1", "two_scenes.czi · scene 2", "cluster.nd2"]
    layer = bench.viewer.layers[0]
    assert layer.data.shape == (2, 251, 251)
    assert [str(unit) for unit in layer.units] == ["micrometer"] * 3
    assert layer.scale == pytest.approx([0.3, 0.1956, 0.1956], abs=1e-4)
    question = bench.dock.data.opening.question
    assert question.isVisible()
    bench.click(question.buttons["ZYX"])
    bench.qtbot.waitUntil(lambda: not bench.dock.data.opening.busy, timeout=20_000)
    assert bench.session.current.shape == (1, 1, 31, 61, 57)
    assert bench.viewer.layers[0].data.shape == (31, 61, 57)


def test_a_drive_that_goes_away_in_the_middle(open_window: Callable[[], Bench], tmp_path: Path) -> None:
    bench = open_window()
    pixels = np.random.default_rng(0).integers(0, 255, (5, 90, 110)).astype(np.uint8)
    drive = write_zarr_image(tmp_path / "drive" / "a.zarr", [pixels], "zyx", "0.5", (1, 1, 1))
    near = tmp_path / "near.tif"
    tifffile.imwrite(near, pixels[0])
    bench.open_files(drive, near)
    shutil.move(tmp_path / "drive", tmp_path / "unplugged")
    with bench.qtbot.capture_exceptions() as raised:
        slider = bench.viewer.window._qt_viewer.dims.slider_widgets[0].slider
        slider.setValue(4)
        bench.qtbot.wait(200)
    assert all(issubclass(kind, ImageError) and "Connect it again" in str(error) for kind, error, _trace in raised)
    bench.step("Cells")
    bench.click(bench.dock.cells.find)
    bench.wait_for_end()
    assert "The pixels of 'a.zarr' can't be read" in notification_manager.records[-1].message
    bench.session.go_to_image(1)
    assert bench.viewer.layers[0].data.shape == (90, 110)
    bench.session.go_to_image(-1)
    assert "The pixels of 'a.zarr' can't be read" in notification_manager.records[-1].message
    shutil.move(tmp_path / "unplugged", tmp_path / "drive")
    bench.session.go_to_image(1)
    bench.session.go_to_image(-1)
    assert bench.viewer.layers[0].data.shape == (5, 90, 110)
