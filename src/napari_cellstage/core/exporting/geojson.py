"""Cells as GeoJSON that QuPath imports as detections: outlines in pixels of the full image, classes, measurements."""

from __future__ import annotations

import json
import math
import uuid
from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.classes import UNLABELLED
from napari_cellstage.core.exporting.outlines import polygons_of
from napari_cellstage.core.exporting.places import cannot_write, distinct_names, empty_folder, free_file
from napari_cellstage.core.exporting.source import Exported, ExportError, ExportImage, ExportSource
from napari_cellstage.core.volumes import LabelVolume

ShouldStop = Callable[[], bool]
Feature = dict[str, Any]
_BLOCK = 1024  # pixels: cells are cut out of blocks, so that labels on disk are read once
_SPACE = uuid.UUID("6f2a3f0e-58f2-4e55-9a3e-3f0c2c5a7b11")


def export_geojson(
    source: ExportSource, out: Path, labelled_only: bool, should_stop: ShouldStop, overwrite: bool = False
) -> Generator[tuple[int, int], None, Exported]:
    """Write the outlines of cells; yields cells done and all cells.

    Parameters
    ----------
    source
        What to export.
    out
        A name that ends in ``.geojson`` or ``.json``: one file, each feature with its image in the properties. Else a
        folder with a file an image, which is what QuPath wants.
    labelled_only
        Without the cells that have no label.
    should_stop
        Asked block by block; what is written until then stays.

    Raises
    ------
    ExportError
        If there are no cells, or the files can't be written.
    """
    source.check_cells(labelled_only)
    images = [image for image in source.images if len(image.rows(labelled_only))]
    one_file = out.suffix.lower() in (".geojson", ".json")
    if one_file:
        free_file(out, overwrite)
        files = {out: images}
    else:
        empty_folder(out, overwrite)
        names = distinct_names(image.name for image in images)
        files = {out / f"{name}.geojson": [image] for name, image in zip(names, images, strict=True)}
    total, done = sum(len(image.rows(labelled_only)) for image in images), 0
    written: list[Path] = []
    lost: list[str] = []
    for file, members in files.items():
        for step in _write_file(file, members, source, labelled_only, should_stop, lost):
            yield done + step, total
        done += step
        written.append(file)
        if should_stop():
            break
    if not done and lost:
        raise ExportError(f"The cells of {', '.join(lost)} can't be read, so they have no outlines. Find them again.")
    notes = tuple(f"The cells of '{name}' can't be read, so they have no outlines." for name in lost)
    return Exported(done, tuple(written), notes, should_stop())


def _write_file(
    file: Path,
    images: list[ExportImage],
    source: ExportSource,
    labelled_only: bool,
    should_stop: ShouldStop,
    lost: list[str],
) -> Iterator[int]:
    """Write features one by one, as there may be a million; yield how many, so far."""
    beside = file.with_name(f".part-{file.name}")
    count = 0
    try:
        with beside.open("w", encoding="utf-8") as target:
            target.write('{"type": "FeatureCollection", "features": [')
            for image in images:
                labels = image.volume()
                if labels is None:
                    lost.append(image.name)
                    continue
                for feature in features_of(replace(image, labels=labels), source, labelled_only, should_stop):
                    _write(target, feature, count)
                    count += 1
                    if count % 256 == 0:
                        yield count
            target.write("\n]}\n")
        beside.replace(file)
    except OSError as error:
        raise cannot_write(file, error) from error
    finally:
        beside.unlink(missing_ok=True)
    yield count


def _write(target: TextIO, feature: Feature, count: int) -> None:
    target.write(",\n" if count else "\n")
    json.dump(feature, target, ensure_ascii=False, allow_nan=False)


def features_of(
    image: ExportImage, source: ExportSource, labelled_only: bool, should_stop: ShouldStop = lambda: False
) -> Iterator[Feature]:
    """Yield a feature a cell; of a cell in several planes, the plane that has most of it."""
    labels = image.volume()
    if labels is None:
        return
    image = replace(image, labels=labels)
    for rows in _blocks(image, image.rows(labelled_only)):
        if should_stop():
            return
        box = image.cells.bbox[rows]
        t, top, left = int(image.cells.t[rows[0]]), int(box[:, 1].min()), int(box[:, 2].min())
        low, high = int(box[:, 0].min()), int(box[:, 3].max())
        block = np.asarray(labels[t, low:high, top : int(box[:, 4].max()), left : int(box[:, 5].max())])
        for row in rows.tolist():
            z0, y0, x0, z1, y1, x1 = image.cells.bbox[row].tolist()
            part = block[z0 - low : z1 - low, y0 - top : y1 - top, x0 - left : x1 - left]
            yield _feature(image, source, row, part == image.cells.cell_id[row], (z0, y0, x0))


def _blocks(image: ExportImage, rows: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Yield rows whose cells begin in one block."""
    corner = image.cells.bbox[rows]
    keys = np.stack((image.cells.t[rows], corner[:, 0], corner[:, 1] // _BLOCK, corner[:, 2] // _BLOCK), axis=1)
    _, place = np.unique(keys, axis=0, return_inverse=True)
    place = place.reshape(-1)
    order = np.argsort(place, kind="stable")
    yield from np.split(rows[order], np.flatnonzero(np.diff(place[order])) + 1) if len(rows) else ()


def _feature(
    image: ExportImage, source: ExportSource, row: int, mask: NDArray[np.bool_], corner: tuple[int, int, int]
) -> Feature:
    plane = int(mask.sum(axis=(1, 2)).argmax())
    z, y, x = corner[0] + plane, corner[1], corner[2]
    parts = [[[[px + x, py + y] for px, py in ring] for ring in polygon] for polygon in polygons_of(mask[plane])]
    t, cell_id = int(image.cells.t[row]), int(image.cells.cell_id[row])
    geometry: Feature = (
        {"type": "Polygon", "coordinates": parts[0]}
        if len(parts) == 1
        else {"type": "MultiPolygon", "coordinates": parts}
    )
    if isinstance(image.labels, LabelVolume) and max(image.labels.shape[:2]) > 1:
        geometry["plane"] = {"c": -1, "z": z, "t": t}
    return {
        "type": "Feature",
        "id": str(uuid.uuid5(_SPACE, f"{image.image_id}/{image.name}/{t}/{cell_id}")),
        "geometry": geometry,
        "properties": _properties(image, source, row),
    }


def _properties(image: ExportImage, source: ExportSource, row: int) -> Feature:
    name_of = {one.id: one for one in source.scheme}
    label, predicted = int(image.class_ids[row]), int(image.predicted[row])
    properties: Feature = {"objectType": "detection", "isLocked": False, "image": image.name}
    shown = name_of.get(label or predicted)
    if shown is not None:
        properties["classification"] = {"name": shown.name, "color": _rgb(shown.color)}
    text = {"label": label, "predicted": predicted}
    known = {key: name_of[class_id].name for key, class_id in text.items() if class_id in name_of}
    if image.origins is not None and label != UNLABELLED:
        known["origin"] = str(image.origins[row])
    stains = {"found in": image.found_in, "model sees": image.model_sees}
    properties["metadata"] = known | {key: said for key, said in stains.items() if said}
    properties["measurements"] = _measurements(image, source, row)
    return properties


def _measurements(image: ExportImage, source: ExportSource, row: int) -> dict[str, float]:
    values = {"cell": float(image.cells.cell_id[row]), "area px": float(image.cells.area[row])}
    if image.track_id is not None:
        values["track"] = float(image.track_id[row])
    found = image.predictions
    if found is not None and found.predicted[row] != UNLABELLED:
        values["confidence"] = float(found.confidence[row])
        if found.unlike is not None:
            values["unlike"] = float(found.unlike[row])
        names = {one.id: one.name for one in source.scheme}
        values |= {
            f"p {names[i]}": float(p)
            for i, p in zip(found.class_ids, found.probabilities[row], strict=True)
            if i in names
        }
    return {name: round(value, 6) for name, value in values.items() if math.isfinite(value)}


def _rgb(color: str) -> list[int]:
    return [int(color[start : start + 2], 16) for start in (1, 3, 5)]
