"""What the model sees: real crops, by class or around a cell, by the choices of the recipe."""

from __future__ import annotations

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_cellstage.learn.inputs import sharpened
from napari_cellstage.ui.crop_preview import AROUND, LABELLED, SIDE, CropPreview, pixmap
from napari_cellstage.ui.theme import PanelTheme
from napari_cellstage.ui.train_panel import TrainPanel
from napari_cellstage.ui.workers import JobRunner


@pytest.fixture
def panel(qtbot, session):
    made = TrainPanel(session, JobRunner(), PanelTheme(ViewerModel()))
    qtbot.addWidget(made)
    made.set_recipe(crop_size=16)
    yield made
    made.close_link(None)


def seen(qtbot, panel, act) -> CropPreview:
    """Do something and return the preview once it has shown anew."""
    act()
    before = panel.crops.strips
    qtbot.waitUntil(lambda: panel.crops.strips is not before and not panel.crops.runner.busy, timeout=120000)
    return panel.crops


def label_some(session):
    session.label_cells([0, 1, 2], 1)
    session.label_cells([3, 4], 2)


def test_labelled_cells_stand_by_class(qtbot, panel, session):
    label_some(session)
    crops = seen(qtbot, panel, panel.look.click)
    assert [strip.title for strip in crops.strips] == list(session.scheme.names[:2])
    assert [strip.pictures.shape for strip in crops.strips] == [(3, 16, 16, 3), (2, 16, 16, 3)]
    assert crops.note.text() == "16 × 16 pixels of channel 0."
    assert crops.strips[0].color == session.scheme.by_id(1).color


def test_the_pictures_are_the_pixels_that_the_network_gets(qtbot, panel, session):
    label_some(session)
    panel.set_recipe(normalise="fixed", fixed_low="0", fixed_high="1000")
    strip = seen(qtbot, panel, panel.look.click).strips[1]
    plane = np.pad(np.asarray(session.current.data)[0, 0, 0], 16, mode="reflect")
    places = [(y, x) for y in range(plane.shape[0] - 15) for x in range(plane.shape[1] - 15)]
    for picture in strip.pictures[:, :, :, 0]:
        away = (np.abs(picture - plane[y : y + 16, x : x + 16] * 0.255).max() for y, x in places)
        assert min(away) <= 1.01


def test_without_labels_cells_of_the_image_are_shown(qtbot, panel):
    crops = seen(qtbot, panel, panel.look.click)
    assert [(strip.title, len(strip.pictures)) for strip in crops.strips] == [("Cells of this image", 12)]


def test_a_change_of_the_recipe_is_seen_at_once(qtbot, panel, session):
    label_some(session)
    before = seen(qtbot, panel, panel.look.click).strips[0].pictures
    surroundings = panel.form.widgets["surroundings"]
    masked = seen(qtbot, panel, lambda: setattr(surroundings, "value", "masked")).strips[0].pictures
    assert (masked != before).any()
    larger = seen(qtbot, panel, lambda: panel.set_recipe(crop_size=24)).strips[0].pictures
    assert larger.shape == (3, 24, 24, 3)


def test_cells_around_the_selected_one_begin_with_it(qtbot, panel, session):
    label_some(session)
    panel.set_recipe(normalise="fixed", fixed_high="1000")
    seen(qtbot, panel, panel.look.click)
    crops = seen(qtbot, panel, lambda: crops_around(panel))
    assert crops.note.text().endswith("Select a cell in the viewer to see those around it.")
    crops = seen(qtbot, panel, lambda: panel.select(7))
    assert [(strip.title, len(strip.pictures)) for strip in crops.strips] == [("Cells around the selected one", 12)]
    other = seen(qtbot, panel, lambda: panel.select(0))
    assert (other.strips[0].pictures[0] != crops.strips[0].pictures[1]).any()


def crops_around(panel):
    panel.crops.which.setCurrentText(AROUND)


def test_as_in_training_each_cell_is_changed_at_random(qtbot, panel, session):
    label_some(session)
    plain = seen(qtbot, panel, panel.look.click).strips[0].pictures
    panel.crops.changed.click()
    # What is said meanwhile may be gone at once, or stay for as long as torch takes to load.
    shown = panel.crops.strips
    qtbot.waitUntil(lambda: not panel.crops.runner.busy and panel.crops.strips is not shown, timeout=120000)
    changed = panel.crops.strips[0].pictures
    again = seen(qtbot, panel, panel.crops.others.click).strips[0].pictures
    assert plain.shape == changed.shape == again.shape
    assert (plain != changed).any()
    assert (again != changed).any()


def test_planes_stand_side_by_side(qtbot, make_session):
    session = make_session((1, 5, 40, 50))
    made = TrainPanel(session, JobRunner(), PanelTheme(ViewerModel()))
    qtbot.addWidget(made)
    made.set_recipe(crop_size=16, planes="all", planes_count=3)
    assert seen(qtbot, made, made.look.click).strips[0].pictures.shape == (12, 16, 48, 3)
    made.close_link(None)


def test_channels_are_coloured(qtbot, make_session):
    session = make_session((1, 1, 40, 50), channels=2)
    made = TrainPanel(session, JobRunner(), PanelTheme(ViewerModel()))
    qtbot.addWidget(made)
    pictures = seen(qtbot, made, made.look.click).strips[0].pictures
    np.testing.assert_array_equal(pictures[..., 0], pictures[..., 2])  # magenta
    assert (pictures[..., 0] != pictures[..., 1]).any()  # and green
    made.close_link(None)


def test_what_can_not_be_cut_is_said_in_the_window(qtbot, panel):
    seen(qtbot, panel, panel.look.click)
    panel.set_recipe(crop="micrometres")
    qtbot.waitUntil(lambda: "its file does not say" in panel.crops.note.text(), timeout=10000)
    assert "Choose crops in pixels" in panel.crops.note.text()
    panel.form.widgets["crop"].value = "pixels"
    panel.form.widgets["normalise"].value = "fixed"
    panel.form.widgets["fixed_high"].value = "bright"
    qtbot.waitUntil(lambda: "fixed_high is 'bright'" in panel.crops.note.text(), timeout=10000)


def test_without_cells_it_says_what_is_missing(qtbot, make_session):
    made = TrainPanel(make_session(cells=False), JobRunner(), PanelTheme(ViewerModel()))
    qtbot.addWidget(made)
    made.look.click()
    text = "There are no cells to show yet. Find cells first."
    qtbot.waitUntil(lambda: made.crops.note.text() == text, timeout=10000)
    made.close_link(None)


def test_only_choices_that_count_are_shown(panel):
    widgets = panel.form.seen.widgets

    def shown() -> set[str]:
        return {name for name, widget in widgets.items() if not widget.native.isHidden()}

    always = {"crop_size", "crop", "surroundings", "planes", "normalise"}
    assert shown() == always
    widgets["crop"].value = "micrometres"
    assert shown() == always | {"crop_um"}
    panel.set_recipe(crop="cell", planes="all", normalise="fixed")
    assert shown() == always | {"margin", "planes_count", "fixed_low", "fixed_high"}
    assert (panel.form.value.crop, panel.form.value.crop_size) == ("cell", 16)


def test_a_closed_preview_does_nothing(qtbot, panel, session):
    label_some(session)
    crops = seen(qtbot, panel, panel.look.click)
    before = crops.strips
    crops.close()
    panel.set_recipe(crop_size=32)
    qtbot.wait(400)
    assert crops.strips is before
    assert seen(qtbot, panel, panel.look.click).strips[0].pictures.shape[1] == 32


def test_a_picture_is_as_it_was_but_larger(qtbot):
    picture = np.random.default_rng(0).integers(0, 255, (19, 19, 3)).astype(np.uint8)
    shown = pixmap(picture)
    assert (shown.width(), shown.height()) == (SIDE, SIDE)
    color = shown.toImage().pixelColor(2, 6)
    assert (color.red(), color.green(), color.blue()) == tuple(picture[1, 0].tolist())


def test_labelled_is_the_first_choice(panel, qtbot):
    assert seen(qtbot, panel, panel.look.click).which.currentText() == LABELLED


def test_sharpened_and_resized_as_the_network_gets_them(qtbot, panel, session):
    label_some(session)
    panel.set_recipe(normalise="fixed", fixed_low="0", fixed_high="1000")
    plain = seen(qtbot, panel, panel.look.click).strips[1].pictures
    sharp = seen(qtbot, panel, lambda: panel.set_recipe(sharpen=True)).strips[1].pictures
    wanted = sharpened(plain[:, :, :, 0][:, None].astype(np.float32) / 255)
    assert np.abs(sharp[:, :, :, 0] / 255 - wanted[:, 0]).max() < 0.1
    assert not np.array_equal(sharp, plain)

    crops = seen(qtbot, panel, lambda: panel.set_recipe(input_size=20, random_crop=4))
    assert crops.strips[1].pictures.shape == (2, 20, 20, 3)
    assert crops.note.text() == "20 × 20 pixels of channel 0."
    changed = seen(qtbot, panel, crops.changed.click).strips[1].pictures
    assert changed.shape == (2, 20, 20, 3)
