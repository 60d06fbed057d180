"""staining.md: a stain learned, applied, compared and used, on the synthetic sample of unstained cells."""

from __future__ import annotations

import numpy as np

from napari_cellstage.core.segment import SegmentSettings
from napari_cellstage.sample_data import SampleField
from napari_cellstage.sample_stained import PHASE, stained_field, unstained
from napari_cellstage.ui.next_step import CELLS, STAIN

from .window import Shot, window

# Small enough for two cores and some minutes; the recipe's own choices take longer and do better.
RECIPE = {"epochs": 24, "patches": 320, "filters": 16, "average": 0.95, "learning_rate": 4e-3, "views": 1}
NEW = (20, 21, 22)  # seeds of fields that nobody stained
PREDICTED = "DNA (predicted)"
# A predicted stain is patchier than a true one: smoother, nothing small, and not so readily split.
PATCHY = SegmentSettings(smoothing=2, min_diameter=14, split=0.8, sensitivity=0.8)
SEEN = 420  # pixels of a field, from top to bottom


def make() -> None:
    """Make the pictures."""
    with window("label-free") as shot:
        fields = [stained_field(seed) for seed in NEW]
        shot.dock.data.sample.open_stained()
        shot.wait(lambda: not shot.dock.runner.busy and len(shot.session.images) > 1)
        shot.session.add_images([unstained(field.stack) for field in fields])
        _learn(shot)
        _apply(shot)
        _compare(shot)
        _stage(shot, fields)


def _learn(shot: Shot) -> None:
    """Train, and show how it went."""
    shot.session.set_current(shot.session.images[0].image_id)
    shot.look_at(256, 256, SEEN)
    shot.dock.go_to(STAIN)
    page = shot.dock.stain.step.panel.learn
    page.set_recipe(**RECIPE)
    page.start()
    shot.wait(lambda: not shot.dock.runner.busy)
    _show_only(shot, PHASE)
    shot.save("stain-learn.png")
    page.outcome.picture.enlarge()
    large = page.outcome.picture.large
    if large is not None:
        large.picture.setFixedWidth(900)
        large.adjustSize()
        shot.save_dialog(large, "stain-live.png")
        large.close()


def _apply(shot: Shot) -> None:
    """Apply it to all images, and show a time-lapse that was never stained."""
    panel = shot.dock.stain.step.panel
    panel.learn.outcome.apply.click()
    shot.settle()
    panel.apply.everywhere.click()
    shot.wait(lambda: not shot.dock.runner.busy)
    movie = next(one for one in shot.session.images if one.record.shape[0] > 1)
    shot.session.set_current(movie.image_id)
    shot.viewer.reset_view()
    shot.viewer.dims.set_current_step(0, movie.record.shape[0] // 2)
    _show_only(shot, PHASE, PREDICTED)
    shot.save("stain-apply.png", whole=True)


def _compare(shot: Shot) -> None:
    """Show true and predicted stain of an image side by side."""
    shot.session.set_current(shot.session.images[2].image_id)
    shot.look_at(256, 256, SEEN)
    stains = shot.dock.stain.step.panel.apply.stains
    stains.choose(PREDICTED)
    stains.compare.click()
    shot.save("stain-compare.png")
    stains.compare.click()


def _stage(shot: Shot, fields: list[SampleField]) -> None:
    """Find nuclei in the predicted stain of the new fields, label those of all but the last, train, show the last."""
    session, box = shot.session, shot.dock.cells
    ids = [one.image_id for one in session.images][-len(fields) :]
    session.use_template("cell cycle")
    session.segment_settings = PATCHY
    for image_id, field in zip(ids, fields, strict=True):
        session.set_current(image_id)
        shot.dock.go_to(STAIN)
        shot.dock.stain.step.panel.apply.stains.find.click()
        box.find.click()
        shot.wait(lambda: not shot.dock.runner.busy)
        if image_id != ids[-1]:
            _label(shot, field)
    session.network_channels = (session.channel_names.index(PREDICTED),)
    shot.train_quickly()
    shot.dock.go_to(CELLS)
    shot.look_at(256, 256, SEEN)
    _show_only(shot, PREDICTED)
    shot.dock.go_to("Label")
    shot.save("stain-stages.png", whole=True)


def _label(shot: Shot, field: SampleField) -> None:
    """Label the cells of the current image as the sample knows them."""
    labels = shot.session.labels()
    stages = np.array(field.truth_of(labels) if labels is not None else ())
    for one in shot.session.scheme:
        if len(rows := np.flatnonzero(stages == one.name)):
            shot.session.label_cells(rows, one.id)


def _show_only(shot: Shot, *channels: str) -> None:
    """Show some channels of the image and hide the others; cells stay as they are."""
    for name, layer in zip(shot.session.channel_names, shot.dock.link.layers.channels, strict=True):
        layer.visible = name in channels
        if name == PHASE:
            layer.colormap = "gray"
