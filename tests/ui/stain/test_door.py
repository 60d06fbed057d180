"""The Stain page in the dock of a real window: its tab, its room, what it does in the viewer."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.utils.notifications import notification_manager
from qtpy.QtWidgets import QApplication, QWidget

from napari_cellstage.ui.dock import CellStageDock
from napari_cellstage.ui.next_step import CELLS, STAIN, STEPS, next_step
from napari_cellstage.ui.pieces import Folded
from napari_cellstage.ui.stain.source_box import LAYERS
from tests.ui.stain.scene import epoch, image, prediction

pytestmark = [pytest.mark.gui, pytest.mark.filterwarnings("ignore:.*PyQt5.*")]
PLACE = STEPS.index(STAIN)


@pytest.fixture
def viewer(qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A real window."""
    import napari

    monkeypatch.setenv("NAPARI_CELLSTAGE_HOME", str(tmp_path / "projects"))
    made = napari.Viewer(show=True)
    made.window._qt_window.resize(1280, 800)
    yield made
    if made in napari.viewer.Viewer._instances:
        made.close()
    qtbot.wait(10)


@pytest.fixture
def dock(viewer: Any) -> CellStageDock:
    """The dock, with a stained image."""
    _wrapper, made = viewer.window.add_plugin_dock_widget("napari-cellstage", "Cellstage")
    QApplication.processEvents()
    made.session.add_image(image("stained"))
    return made


def make_run(dock: CellStageDock, name: str = "run", stains: tuple[str, ...] = ("DNA",)) -> None:
    """Leave the folder of a stain's training."""
    folder = dock.session.project.runs / name
    folder.mkdir(parents=True)
    card = {
        "format": 1, "kind": "stain", "made": "2026-11-01T12:00:00+00:00", "input_names": ["phase"],
        "stain_names": list(stains), "recipe": {"name": "stain-25d"},
    }  # fmt: skip
    (folder / "card.json").write_text(json.dumps(card))
    (folder / "weights.safetensors").write_bytes(b"not read")
    dock.session.note_stain_run()


def test_the_page_is_there_for_those_who_ask_and_stays_with_the_project(dock: CellStageDock, tmp_path: Path) -> None:
    assert not dock.tabs.isTabVisible(PLACE)
    dock.data.stain.click()
    assert dock.tabs.currentIndex() == PLACE
    folder = dock.session.project.folder
    dock.tabs.setCurrentIndex(0)
    dock.session.new_project(tmp_path / "other.cellstage")
    assert not dock.tabs.isTabVisible(PLACE)
    dock.session.open_project(folder)
    assert dock.tabs.isTabVisible(PLACE)


def test_a_project_with_a_model_has_the_page_open_at_apply(dock: CellStageDock) -> None:
    make_run(dock)
    assert dock.tabs.isTabVisible(PLACE)
    assert dock.stain.step.panel.pages.currentIndex() == 1


def test_the_next_step_is_to_predict_where_a_model_fits_and_the_stain_lacks(dock: CellStageDock) -> None:
    make_run(dock)
    assert next_step(dock.session).step == CELLS  # it is stained
    dock.session.add_image(image("plain", ("phase",)))
    assert next_step(dock.session).step == STAIN
    assert dock.header.advice.text() == "<b>Next:</b> Predict DNA of this image, then find its cells there."
    make_run(dock, "run 2", ("DNA", "tubulin"))
    dock.session.add_stains(2, prediction(dock.session.current), "run")
    assert next_step(dock.session).step == CELLS  # in the stain that it has, and not the other one first
    dock.session.add_image(image("other light", ("DIC",)))
    assert next_step(dock.session).step == CELLS  # no model for it


def test_true_and_predicted_are_shown_side_by_side_and_the_view_is_given_back(
    viewer: Any, dock: CellStageDock, qtbot: Any
) -> None:
    dock.session.add_stains(1, prediction(dock.session.current), "run")
    dock.data.stain.click()
    stains, zoom = dock.stain.step.panel.apply.stains, viewer.scene.camera.zoom
    before = [(one.visible, one.colormap.name) for one in viewer.layers]
    stains.compare.click()
    assert [one.name for one in viewer.layers if one.visible] == ["DNA", "DNA (predicted)"]
    assert viewer.canvas.grid.enabled
    stains.compare.click()
    assert [(one.visible, one.colormap.name) for one in viewer.layers] == before
    assert viewer.scene.camera.zoom == pytest.approx(zoom)
    stains.compare.click()
    dock.parentWidget().title.close_button.click()
    qtbot.wait(20)
    assert not viewer.canvas.grid.enabled


def test_the_enlarged_picture_goes_with_the_dock(dock: CellStageDock) -> None:
    dock.data.stain.click()
    picture = dock.stain.step.panel.learn.outcome.picture
    picture.show_picture(epoch(1).picture, {})
    picture.enlarge()
    assert picture.large.isVisible()
    dock.parentWidget().title.close_button.click()
    assert not picture.large.isVisible()


def test_maps_of_trust_are_layers(viewer: Any, dock: CellStageDock) -> None:
    dock.session.add_stains(1, prediction(dock.session.current), "run")
    dock.data.stain.click()
    maps = dock.stain.step.panel.apply.stains.maps
    for kind, words in (("uncertainty", "uncertainty"), ("unlike", "unlike training images")):
        maps[kind].click()
        assert f"DNA (predicted): {words}" in viewer.layers
    dock.stain.step.panel.apply.stains.remove.click()
    assert not [one for one in viewer.layers if "predicted" in one.name]


def test_where_a_layer_of_the_user_shows_the_image_nothing_can_be_put_beside(
    viewer: Any, dock: CellStageDock, qtbot: Any
) -> None:
    layer = viewer.add_image(np.random.default_rng(0).random((20, 30)), name="mine")
    qtbot.waitUntil(lambda: dock.layers_box.layers.count() == 1, timeout=20_000)
    dock.layers_box.use.click()
    qtbot.waitUntil(lambda: dock.session.current.name == "mine", timeout=20_000)
    dock.session.add_stains(2, prediction(dock.session.current, ("actin",)), "a")
    dock.session.add_stains(2, prediction(dock.session.current, ("actin",)), "b")
    before = len(notification_manager.records)
    dock.data.stain.click()
    dock.stain.step.panel.apply.stains.compare.click()
    assert "side by side" in notification_manager.records[before].message
    assert layer.visible


def test_layers_that_are_open_can_be_learned_from(viewer: Any, dock: CellStageDock, qtbot: Any) -> None:
    viewer.add_image(np.random.default_rng(0).random((3, 20, 30)), name="light")
    viewer.add_image(np.random.default_rng(1).random((20, 30)), name="actin")
    dock.data.stain.click()
    source = dock.stain.step.panel.learn.source
    source.use(LAYERS)
    assert source.channels.inputs.keys == ("light", "actin")
    viewer.layers.remove("actin")
    qtbot.waitUntil(lambda: source.channels.inputs.keys == ("light",), timeout=20_000)
    viewer.add_image(np.random.default_rng(1).random((20, 30)), name="actin")
    qtbot.waitUntil(lambda: source.channels.inputs.count() == 2, timeout=20_000)
    source.channels.choose(["light"], ["actin"])
    data = source.source().pairs(lambda: False)
    assert (data.pairs[0].shape, data.pairs[0].depth_out) == ((3, 20, 30), 1)


def crowd(dock: CellStageDock) -> None:
    """Long names, many of them, everything unfolded."""
    for number in range(3):
        dock.session.add_image(image(f"a field with a name that is long, number {number}", planes=4))
    make_run(dock, "2026-11-01_12-00-00_stain-25d", ("DNA", "tubulin of the mitotic spindle"))
    text = "Unlike the training data: 95% of the image looks like nothing the model was trained on."
    dock.session.add_stains(4, prediction(dock.session.current, ("DNA", "tubulin"), "unlike", text), "a_long_run")
    panel = dock.stain.step.panel
    panel.learn.outcome.add(epoch(1, DNA=0.5, tubulin=0.5))
    panel.learn.outcome.note("A sentence about images that were left out, which is a rather long one.")
    panel.apply._note("Another sentence, about pixel sizes that are not known and so were taken as they are.")
    for part in panel.findChildren(Folded):
        part.head.setChecked(True)


@pytest.mark.parametrize("page", ["Learn", "Apply"])
def test_nothing_is_cut_off_in_a_small_window(viewer: Any, dock: CellStageDock, qtbot: Any, page: str) -> None:
    dock.data.stain.click()
    crowd(dock)
    dock.go_to(STAIN)
    dock.stain.step.panel.open(page)
    qtbot.wait(50)
    area = dock.tabs.currentWidget()
    bar = area.verticalScrollBar()
    beside = 0 if bar.isVisible() else bar.sizeHint().width()
    room = area.viewport().width() - beside - (dock.width() - dock.minimumWidth())
    assert area.widget().minimumSizeHint().width() <= room
    tabs = dock.tabs.tabBar()
    assert tabs.sizeHint().width() <= dock.minimumWidth()
    assert dock.mapTo(viewer.window._qt_window, dock.rect().bottomRight()).y() <= 800


def test_tab_goes_through_the_page_from_top_to_bottom(dock: CellStageDock) -> None:
    dock.data.stain.click()
    learn = dock.stain.step.panel.learn
    wanted = [
        learn.source.kind, learn.source.channels.inputs, learn.source.channels.stains, learn.source.recipe.recipe,
        learn.train, learn.aligned.head, learn.learning.head,
    ]  # fmt: skip
    met: list[QWidget] = []
    one: QWidget = learn.source.kind
    for _ in range(500):
        if one in wanted:
            met.append(one)
        one = one.nextInFocusChain()
        if one is learn.source.kind:
            break
    assert met == wanted


def test_opening_the_page_loads_no_torch() -> None:
    script = (
        "import sys, napari_cellstage.ui.stain.panel, napari_cellstage.ui.stain.door;"
        "sys.exit(any(name in sys.modules for name in ('torch', 'torchvision', 'monai')))"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
