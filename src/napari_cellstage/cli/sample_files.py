"""Synthetic samples as files: class folders of crops, or fields with label images and a table of the truth.

Every file says that it is synthetic: by its name, by the description inside, and by ``SYNTHETIC.txt`` beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import tifffile
from numpy.typing import NDArray
from PIL import Image

from napari_cellstage.cli.writing import write_labels
from napari_cellstage.core.cells import CellTable
from napari_cellstage.core.images import ImageStack
from napari_cellstage.core.safe_csv import write_csv
from napari_cellstage.core.steps import relayed
from napari_cellstage.sample_data import SampleField, cell_cycle_field
from napari_cellstage.sample_microtubules import DOSES, crop_names, drawn_crops, microtubule_field
from napari_cellstage.sample_microtubules import PIXEL_SIZE_UM as MICROTUBULE_PIXEL
from napari_cellstage.sample_movie import SampleMovie, cell_cycle_movie
from napari_cellstage.sample_stained import stained_field, stained_movie

DESCRIPTION = "SYNTHETIC: drawn by napari-cellstage sample {name}, seed {seed}. This is no photograph of real cells."
NOTE = "SYNTHETIC.txt"
_JPEG_QUALITY = 92  # what is lost was lost in the phone already
_DESCRIPTION_TAG = 0x010E
_TEXT = """These images are SYNTHETIC.

They were drawn by a program, by the command

    {command}

and show no real cells. They are for trying software out, for teaching and for tests. Don't draw conclusions about
biology from them, and don't mix them with real data.
"""
Sample = SampleField | SampleMovie


@dataclass(frozen=True)
class Written:
    """What was written: images, single cells in them, and their classes."""

    images: int
    cells: int
    classes: tuple[str, ...]


def write_note(out: Path, command: str) -> None:
    """Say in the folder that what is in it is synthetic, and by which command it was drawn."""
    (out / NOTE).write_text(_TEXT.format(command=command), encoding="utf-8")


def writing_crops(name: str, out: Path, per_class: int, seed: int) -> Generator[tuple[int, int], None, Written]:
    """Write crops as class folders; yields crops done and all crops.

    Parameters
    ----------
    name
        ``"microtubules"`` (TIFF) or ``"photographs"`` (JPEG).
    out
        The folder.
    per_class
        How many crops of each class.
    seed
        Same seed, same crops.
    """
    names, crops = _CROPS[name](per_class, seed)
    description = DESCRIPTION.format(name=name, seed=seed)
    for done, (file, pixels) in enumerate(zip(names, crops, strict=True), start=1):
        (out / file).parent.mkdir(exist_ok=True)
        _write_picture(out / file, pixels, description)
        yield done, len(names)
    return Written(len(names), len(names), tuple(dict.fromkeys(file.partition("/")[0] for file in names)))


def writing_fields(
    name: str, out: Path, fields: int, seed: int, width: int | None = None, planes: int | None = None
) -> Generator[tuple[int, int], None, Written]:
    """Write images, ``NAME_labels.tif`` beside each, and ``truth.csv``; yields images done and all images.

    Parameters
    ----------
    name
        Of `FIELDS`.
    out
        The folder.
    fields
        How many images; the first has this seed, the next one the next seed.
    seed
        Same seed, same images.
    width
        Of photographs, in pixels; None: as usual.
    planes
        Of stained cells, in depth; None: one.
    """
    make = partial(_photograph, width=width) if width is not None else FIELDS[name]
    make = partial(_stained, planes=planes) if planes is not None else make
    tables: list[pd.DataFrame] = []
    classes: tuple[str, ...] = ()
    for number in range(fields):
        label, sample = make(seed + number, number)
        stem = f"synthetic_{name}{label}_{number + 1:02d}"
        file = out / f"{stem}.{'jpg' if sample.stack.rgb else 'tif'}"
        write_image(file, sample.stack, DESCRIPTION.format(name=name, seed=seed + number))
        write_labels(sample.labels, out / f"{stem}_labels.tif")
        tables.append(_truth(file.name, sample))
        classes = sample.class_names
        yield number + 1, fields
    truth = pd.concat(tables, ignore_index=True)
    write_csv(truth, out / "truth.csv")
    return Written(fields, len(truth), classes)


def writing_stained(
    out: Path, fields: int, seed: int, planes: int | None = None
) -> Generator[tuple[int, int], None, Written]:
    """Write stained cells in phase contrast: images to train on into ``fields``, a movie into ``time-lapse``.

    Parameters
    ----------
    out
        The folder.
    fields
        How many images to train on.
    seed
        Same seed, same images.
    planes
        Of the images, in depth; None: one. The movie has one.
    """
    places = [out / name for name in ("fields", "time-lapse")]
    for place in places:
        place.mkdir()

    def counted(before: int) -> Callable[[tuple[int, int]], tuple[int, int]]:
        return lambda step: (before + step[0], fields + 1)

    images = yield from relayed(writing_fields("stained", places[0], fields, seed, planes=planes), counted(0))
    movie = yield from relayed(writing_fields("stained-movie", places[1], 1, seed), counted(fields))
    return Written(fields + 1, images.cells + movie.cells, images.classes)


def write_image(file: Path, stack: ImageStack, description: str) -> None:
    """Write a sample's image: a colour picture as JPEG, anything else as OME-TIFF."""
    pixels = np.asarray(stack.data)
    if stack.rgb:
        _write_picture(file, np.ascontiguousarray(np.moveaxis(pixels[0, :, 0], 0, -1)), description)
        return
    flat = stack.shape[2] == 1
    um = stack.pixel_size_um
    facts: dict[str, Any] = {"Description": description, "Channel": {"Name": list(stack.channel_names)}}
    if um is not None:
        facts |= {"PhysicalSizeX": um[2], "PhysicalSizeXUnit": "µm", "PhysicalSizeY": um[1], "PhysicalSizeYUnit": "µm"}
        facts |= {} if flat else {"PhysicalSizeZ": um[0], "PhysicalSizeZUnit": "µm"}
    if stack.time_step_s is not None:
        facts |= {"TimeIncrement": stack.time_step_s, "TimeIncrementUnit": "s"}
    facts["axes"] = "TCYX" if flat else "TCZYX"
    tifffile.imwrite(file, pixels[:, :, 0] if flat else pixels, ome=True, photometric="minisblack", metadata=facts)


def _write_picture(file: Path, pixels: NDArray[np.uint8], description: str) -> None:
    if pixels.ndim == 3:
        exif = Image.Exif()
        exif[_DESCRIPTION_TAG] = description
        Image.fromarray(pixels).save(file, quality=_JPEG_QUALITY, exif=exif, comment=description)
        return
    per_cm = 1e4 / MICROTUBULE_PIXEL
    tifffile.imwrite(
        file,
        pixels,
        photometric="minisblack",
        description=description,
        metadata=None,
        resolution=(per_cm, per_cm),
        resolutionunit="CENTIMETER",
    )


def _truth(file: str, sample: Sample) -> pd.DataFrame:
    """Return a row for each cell of an image: where it is, and its class."""
    cells = CellTable.from_labels(sample.labels)
    classes = sample.classes_of
    if isinstance(sample, SampleField):  # by id there; a cell that another covers or that lies outside has no pixels
        classes = classes[cells.cell_id - 1]
    places = {"t": cells.t, "cell_id": cells.cell_id, "y": cells.y.round(1), "x": cells.x.round(1)}
    return pd.DataFrame({"image": file, **places, "class": classes})


def _microtubules(per_class: int, seed: int) -> tuple[tuple[str, ...], Iterator[NDArray[np.uint8]]]:
    return crop_names(per_class), drawn_crops(per_class, seed)


def _photographs(per_class: int, seed: int) -> tuple[tuple[str, ...], Iterator[NDArray[np.uint8]]]:
    from napari_cellstage.sample_photographs import drawn_photographs, photograph_names

    return photograph_names(per_class), drawn_photographs(per_class, seed)


def _one_dose(seed: int, number: int) -> tuple[str, SampleField]:
    """Return one dish, which has one dose, and how its name says so; one dose after the other."""
    dose = DOSES[number % len(DOSES)]
    return f"_dose{dose}", microtubule_field(seed, dose=dose)


def _photograph(seed: int, _number: int, width: int | None = None) -> tuple[str, SampleField]:
    from napari_cellstage.sample_photographs import WIDTH, photograph_field

    return "", photograph_field(seed, width=WIDTH if width is None else width)


def _stained(seed: int, _number: int, planes: int = 1) -> tuple[str, SampleField]:
    return "", stained_field(seed, planes=planes)


_CROPS: dict[str, Callable[[int, int], tuple[tuple[str, ...], Iterator[NDArray[np.uint8]]]]] = {
    "microtubules": _microtubules,
    "photographs": _photographs,
}
FIELDS: dict[str, Callable[[int, int], tuple[str, Sample]]] = {
    "field": lambda seed, _number: ("", cell_cycle_field(seed)),
    "movie": lambda seed, _number: ("", cell_cycle_movie(seed)),
    "microtubules": _one_dose,
    "photographs": _photograph,
    "stained": _stained,
    "stained-movie": lambda seed, _number: ("", stained_movie(seed)),
}
