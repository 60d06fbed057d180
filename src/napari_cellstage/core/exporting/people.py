"""What each person said of each cell, as a table: one row a cell and person; safe to open in a spreadsheet."""

from __future__ import annotations

from collections.abc import Callable, Generator
from pathlib import Path
from typing import TYPE_CHECKING

from napari_cellstage.core.exporting.places import cannot_write, free_file
from napari_cellstage.core.exporting.source import Exported, ExportError, ExportSource
from napari_cellstage.core.safe_csv import write_csv

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("image", "image_id", "t", "cell_id", "who", "class", "at")


def export_people(
    source: ExportSource, out: Path, should_stop: Callable[[], bool], overwrite: bool = False
) -> Generator[tuple[int, int], None, Exported]:
    """Write what each person said as CSV; yields rows done and all rows.

    Raises
    ------
    ExportError
        If nobody has labelled anything, or the file can't be written.
    """
    frame = people_frame(source)
    if not len(frame):
        raise ExportError(
            "Nobody has labelled a cell here one by one, so there is nothing to export. Labels that came with images, "
            "wells or folders are no person's; export the table of cells for those."
        )
    free_file(out, overwrite)
    yield 0, len(frame)
    if should_stop():
        return Exported(0, (out,), ("Nothing was written.",), True)
    beside = out.with_name(f".part-{out.name}")
    try:
        with beside.open("w", encoding="utf-8-sig", newline="") as file:  # the mark tells Excel that it is UTF-8
            write_csv(frame, file)
        beside.replace(out)
    except OSError as error:
        raise cannot_write(out, error) from error
    finally:
        beside.unlink(missing_ok=True)
    yield len(frame), len(frame)
    cells = len(frame.drop_duplicates(["image_id", "t", "cell_id"]))
    return Exported(cells, (out,), (f"{len(frame):,} labels of {frame['who'].nunique()} persons.",))


def people_frame(source: ExportSource) -> pd.DataFrame:
    """Return one row for each cell and person: image, frame, cell, who, class by name, and when."""
    said = source.said.frame()
    names = {image.image_id: image.name for image in source.images}
    classes = {one.id: one.name for one in source.scheme}
    said["image"] = said["image_id"].map(names).fillna("").astype(object)
    said["class"] = said["class_id"].map(classes).astype(object)
    return said[list(COLUMNS)]
