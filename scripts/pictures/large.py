"""formats.md: a large image with its overlay. It is the field of the other pictures, many times side by side."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tifffile

from napari_cellstage.core.images import open_image
from napari_cellstage.core.segment import SegmentSettings
from napari_cellstage.demo import label_some

from .fields import STAGES, find_all, real_marks, stages_at
from .places import FIELD
from .window import window

TIMES, LEVELS, TILE = (6, 6), 4, 512
SEEN = 2100  # pixels from top to bottom


def make() -> None:
    """Make the picture."""
    if not FIELD.is_file():
        print(f"There is no field at {FIELD}; the picture of a large image stays as it is.")
        return
    with window("slide") as shot:
        session = shot.session
        session.add_image(open_image(_slide(shot.folder / "slide.ome.tif")))
        session.find_channel = 1
        shot.settle()
        find_all(session, SegmentSettings(channel=1))
        for name in STAGES:
            session.add_class(name)
        label_some(session, stages_at(session, real_marks()), per_class=30)
        shot.train_quickly()
        height, width = session.current.shape[-2:]
        shot.look_at(height / 2, width / 2, SEEN)
        shot.dock.go_to("Label")
        shot.save("large.png")


def _slide(file: Path) -> Path:
    """Write the slide as an OME-TIFF in tiles and levels."""
    pixels = np.tile(tifffile.imread(FIELD), (1, *TIMES))
    options = {"tile": (TILE, TILE), "photometric": "minisblack", "compression": "zlib"}
    with tifffile.TiffWriter(file, bigtiff=True) as writer:
        names = {"Channel": {"Name": ["tubulin", "H2B"]}}
        writer.write(pixels, subifds=LEVELS - 1, metadata={"axes": "CYX", **names}, **options)
        for level in range(1, LEVELS):
            writer.write(pixels[:, :: 2**level, :: 2**level], subfiletype=1, **options)
    return file
