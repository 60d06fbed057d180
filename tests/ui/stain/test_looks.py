"""Maps and comparisons of predicted stains in the viewer: they end before the layers show something else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from napari.components import ViewerModel
from napari.utils.notifications import notification_manager

from napari_cellstage.core.errors import ImageError
from napari_cellstage.core.stain_channels import StainChannel
from napari_cellstage.session import Session
from napari_cellstage.ui.stain.door import StainDoor
from napari_cellstage.ui.stain.stains_part import StainsPart
from napari_cellstage.ui.theme import PanelTheme
from napari_cellstage.ui.viewer_link import ViewerLink
from napari_cellstage.ui.workers import JobRunner
from tests.ui.stain.scene import prediction

DNA = "DNA (predicted)"


@pytest.fixture
def viewer() -> ViewerModel:
    """A viewer without a window."""
    return ViewerModel()


@pytest.fixture
def door(qtbot: Any, viewer: ViewerModel, session: Session, runner: JobRunner) -> Iterator[StainDoor]:
    """The page in that viewer; two images have a true stain and a predicted one."""
    for image_id in (2, 1):
        session.set_current(image_id)
        session.add_stains(image_id, prediction(session.current), "run")
    link = ViewerLink(viewer, session)
    made = StainDoor(viewer, session, runner, PanelTheme(viewer), link, lambda _layer: True)
    qtbot.addWidget(made.step)
    yield made
    link.close()


@pytest.fixture
def stains(door: StainDoor) -> StainsPart:
    """The part with the buttons."""
    return door.step.panel.apply.stains


def limits(viewer: ViewerModel) -> dict[str, tuple[float, ...]]:
    return {one.name: tuple(one.contrast_limits) for one in viewer.layers}


def test_the_next_image_does_not_get_the_contrast_of_a_comparison(
    viewer: ViewerModel, session: Session, stains: StainsPart
) -> None:
    session.set_current(2)
    wanted = limits(viewer)
    session.set_current(1)
    viewer.layers["DNA"].contrast_limits = (0, 7)
    stains.compare.click()
    session.set_current(2)
    assert not viewer.canvas.grid.enabled
    assert limits(viewer) == wanted


def test_a_comparison_goes_on_while_other_images_get_stains(
    viewer: ViewerModel, session: Session, stains: StainsPart
) -> None:
    stains.compare.click()
    session.add_stains(2, prediction(session.current, ("actin",)), "another")
    assert viewer.canvas.grid.enabled
    session.add_stains(1, prediction(session.current, ("actin",)), "another")
    assert not viewer.canvas.grid.enabled
    assert not stains.compare.isChecked()


def test_another_channel_to_find_cells_in_ends_a_comparison_and_is_in_front(
    viewer: ViewerModel, session: Session, stains: StainsPart
) -> None:
    stains.compare.click()
    session.put_setting("anything", 1)
    assert stains.compare.isChecked()
    session.find_channel = 2
    assert not stains.compare.isChecked()
    assert [one.name for one in viewer.layers if one.visible] == [DNA]
    assert viewer.layers[DNA].colormap.name == "gray"


def test_a_layer_that_was_removed_is_not_put_side_by_side_and_nothing_stays_pressed(
    viewer: ViewerModel, session: Session, door: StainDoor, stains: StainsPart
) -> None:
    viewer.layers.remove(DNA)
    before = len(notification_manager.records)
    stains.compare.click()
    assert f"The layer '{DNA}' was removed" in notification_manager.records[before].message
    assert not door.split.on
    assert not stains.compare.isChecked()
    session.set_current(2)
    session.set_current(1)
    stains.compare.click()
    assert door.split.on


def test_a_map_that_can_not_be_read_is_told_and_its_box_is_free_again(
    stains: StainsPart, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreadable(_channel: StainChannel) -> Any:
        raise ImageError("A part of it is lost.")

    monkeypatch.setattr(StainChannel, "unlike", unreadable)
    before = len(notification_manager.records)
    stains.maps["unlike"].click()
    assert "lost" in notification_manager.records[before].message
    assert not stains.maps["unlike"].isChecked()


def test_maps_can_be_shown_after_cells_were_looked_for(viewer: ViewerModel, stains: StainsPart) -> None:
    stains.find.click()
    stains.maps["unlike"].click()
    assert f"{DNA}: unlike training images" in viewer.layers
