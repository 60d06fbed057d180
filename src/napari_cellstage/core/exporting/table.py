"""The table of an export: one row a cell, everything known of it; safe to open in a spreadsheet."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_cellstage.core.classes import UNLABELLED
from napari_cellstage.core.exporting.places import cannot_write, free_file
from napari_cellstage.core.exporting.source import Exported, ExportImage, ExportSource
from napari_cellstage.core.predictions import PART_NAMES
from napari_cellstage.core.safe_csv import write_csv

if TYPE_CHECKING:
    import pandas as pd

ShouldStop = Callable[[], bool]


def export_csv(
    source: ExportSource, out: Path, labelled_only: bool, should_stop: ShouldStop, overwrite: bool = False
) -> Generator[tuple[int, int], None, Exported]:
    """Write the table as CSV; yields cells done and all cells.

    Raises
    ------
    ExportError
        If there are no cells, or the file can't be written.
    """
    source.check_cells(labelled_only)
    free_file(out, overwrite)
    total, done, stopped = source.count(labelled_only), 0, False
    beside = out.with_name(f".part-{out.name}")
    try:
        with beside.open("w", encoding="utf-8-sig", newline="") as file:  # the mark tells Excel that it is UTF-8
            for image in source.images:
                if stopped := should_stop():
                    break
                frame = image_frame(image, source, labelled_only)
                write_csv(frame, file, header=done == 0 and not file.tell())
                done += len(frame)
                yield done, total
        if stopped:
            return Exported(0, (out,), ("Nothing was written, as half a table would mislead.",), True)
        beside.replace(out)
    except OSError as error:
        raise cannot_write(out, error) from error
    finally:
        beside.unlink(missing_ok=True)
    return Exported(done, (out,))


def image_frame(image: ExportImage, source: ExportSource, labelled_only: bool) -> pd.DataFrame:
    """Return the rows of one image; every image of a source has the same columns.

    Places are in pixels (`z`, `y`, `x`) and micrometres (`z_um`, `y_um`, `x_um`; empty where the pixel size is not
    known). `label` is what the user said, `predicted` and `confidence` what the model said, `unlike` how far
    the cell is from the training cells, `flagged` that it is too far for `predicted`, the nearest class, to be
    believed, `p_NAME` the probability of each class, `file` the picture of a cell of a contact sheet. `found_in` and
    `model_sees` name predicted stains that the cells were found in, and that the model looked at.
    """
    import pandas as pd  # slow to load

    rows = image.rows(labelled_only)
    cells = image.cells.take(rows)
    name_of = {one.id: one.name for one in source.scheme} | {UNLABELLED: ""}
    columns: dict[str, Any] = {"image": image.name, "image_id": image.image_id, "cell_id": cells.cell_id}
    columns |= {name: getattr(cells, name) for name in ("t", "z", "y", "x")}
    sizes = image.pixel_size_um or (np.nan,) * 3
    columns |= {f"{axis}_um": getattr(cells, axis) * size for axis, size in zip("zyx", sizes, strict=True)}
    columns |= {"area": cells.area, "at_border": cells.at_border}
    columns["label"] = [name_of.get(i, "") for i in image.class_ids[rows].tolist()]
    columns["origin"] = "" if image.origins is None else image.origins[rows]
    columns["predicted"] = [name_of.get(i, "") for i in image.predicted[rows].tolist()]
    columns |= _probabilities(image, source, rows)
    columns |= asdict(image.facts)
    columns["track"] = 0 if image.track_id is None else image.track_id[rows]
    columns["file"] = "" if image.files is None else image.files[rows]
    columns |= {"found_in": image.found_in, "model_sees": image.model_sees}
    return pd.DataFrame(columns, index=range(len(rows)))


def _probabilities(image: ExportImage, source: ExportSource, rows: Any) -> dict[str, Any]:
    found = image.predictions
    missing = np.full(len(rows), np.nan, dtype=np.float32)
    columns: dict[str, Any] = {"confidence": missing if found is None else _confidence(image, rows)}
    columns["unlike"] = missing if found is None or found.unlike is None else found.unlike[rows]
    columns["flagged"] = np.nan_to_num(columns["unlike"]) > 1
    for one in source.scheme:
        known = found is not None and one.id in found.class_ids
        place = found.class_ids.index(one.id) if found is not None and known else 0
        columns[f"p_{one.name}"] = found.probabilities[rows, place] if found is not None and known else missing
    columns["part"] = "" if found is None else [PART_NAMES[p] for p in found.part[rows].tolist()]
    return columns


def _confidence(image: ExportImage, rows: Any) -> Any:
    found = image.predictions
    return None if found is None else np.where(found.predicted[rows] == UNLABELLED, np.nan, found.confidence[rows])
