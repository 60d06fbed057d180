"""plates.md and formats.md: a made plate, its window, and the list of its images with what is known of each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import tifffile

from napari_cellstage.core.images import find_images, open_image
from napari_cellstage.core.plate_map import read_plate_map
from napari_cellstage.core.plate_placing import place_on
from napari_cellstage.core.segment import SegmentSettings
from napari_cellstage.core.volumes import LabelVolume
from napari_cellstage.demo import label_some
from napari_cellstage.sample_data import SampleField, cell_cycle_field

from .fields import find_all
from .window import Shot, window

ROWS, DOSES, FIELDS = "BCDE", (0, 10, 30, 100, 300), 2
TREATMENTS = {"B": "nocodazole", "C": "nocodazole", "D": "taxol", "E": "taxol"}
SIDE, CELLS = 320, 14
LABELLED, PREDICTED, FOUND = 3, 5, 7  # so many images, each with what comes before
TOLD = 3  # cells of a class that are labelled in an image


def make() -> None:
    """Make the pictures."""
    with window("screen") as shot:
        folder = shot.folder / "plate 1"
        folder.mkdir()
        _write_images(folder)
        shot.session.add_images([open_image(path) for path in find_images(folder)])
        shot.dock.plates.open_dialog()
        dialog = shot.dock.plates.dialog
        dialog.names.pattern.setText("{plate}_{well}_f{field}")
        shot.save_dialog(dialog, "plate-names.png")
        dialog.names.apply()
        shot.session.set_facts(_placed(shot))
        dialog.tabs.setCurrentIndex(2)
        dialog.plate.by.setCurrentText("dose")
        shot.save_dialog(dialog, "plate.png")
        dialog.close()
        _work_on_some(shot)
        shot.dock.go_to("Data")
        shot.viewer.reset_view()
        shot.save("images.png")


def _wells() -> Iterator[tuple[str, str, int]]:
    for row in ROWS:
        for column, dose in enumerate(DOSES, start=2):
            yield f"{row}{column:02}", TREATMENTS[row], dose


def _write_images(folder: Path) -> None:
    for seed, (well, _treatment, _dose) in enumerate(_wells()):
        for field in range(1, FIELDS + 1):
            stack = _sample(seed * FIELDS + field - 1).stack
            pixels = np.asarray(stack.data[0, :, 0])
            tifffile.imwrite(folder / f"plate1_{well}_f{field}.tif", pixels, metadata={"axes": "CYX"}, imagej=True)


def _sample(seed: int) -> SampleField:
    return cell_cycle_field(seed=seed, size=SIDE, cells=CELLS)


def _placed(shot: Shot) -> dict:
    lines = ["well,compound,conc. (nM)", *(f"{well},{what},{dose}" for well, what, dose in _wells())]
    file = shot.folder / "map.csv"
    file.write_text("\n".join(lines), encoding="utf-8")
    return place_on(read_plate_map(file), shot.session.facts_all(), shot.session.source_names()).facts


def _work_on_some(shot: Shot) -> None:
    """Find the cells of some images, label cells of a few, train, and find the cells of two more."""
    session = shot.session
    session.use_template("cell cycle")
    images = [one.image_id for one in session.image_states()]
    for place, image_id in enumerate(images[:PREDICTED]):
        found = _find(shot, image_id)
        if place < LABELLED:
            label_some(session, _sample(place).truth_of(found), per_class=TOLD)
    shot.train_quickly()
    for image_id in images[PREDICTED:FOUND]:
        _find(shot, image_id)
    session.set_current(images[1])


def _find(shot: Shot, image_id: int) -> LabelVolume:
    shot.session.set_current(image_id)
    find_all(shot.session, SegmentSettings(channel=shot.session.find_channel))
    return shot.session.labels()
