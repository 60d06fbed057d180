"""The formats of an export by name, and their choices; each one's code is loaded when it is used."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_cellstage.core.exporting.source import Exported, ExportError, ExportSource

FORMATS = ("crops", "csv", "people", "geojson", "anndata")


@dataclass(frozen=True)
class ExportChoices:
    """What is written where.

    Parameters
    ----------
    to
        One of `FORMATS`.
    out
        File or folder.
    labelled_only
        Without the cells that have no label; crops are of labelled cells anyway.
    with_predicted
        Crops only: cells without a label go to the folder of their predicted class.
    size
        Side of crops in pixels.
    png
        Crops as PNG instead of TIFF, where it holds the pixels.
    overwrite
        What is there may be replaced.
    """

    to: str
    out: Path
    labelled_only: bool = False
    with_predicted: bool = False
    size: int = 64
    png: bool = False
    overwrite: bool = False

    def __post_init__(self) -> None:
        if self.to not in FORMATS:
            raise ExportError(f"There is no format '{self.to}'. Choose one of {', '.join(FORMATS)}.")
        if not 4 <= self.size <= 4096:
            raise ExportError(f"Crops of {self.size} pixels can't be made. Choose a size from 4 to 4096.")


def exporting(
    source: ExportSource, choices: ExportChoices, should_stop: Callable[[], bool] = lambda: False
) -> Generator[tuple[int, int], None, Exported]:
    """Export; yields cells done and all cells, returns what was written."""
    out, labelled_only, overwrite = choices.out, choices.labelled_only, choices.overwrite
    work: Generator[Any, None, Exported]
    if choices.to == "crops":
        from napari_cellstage.core.exporting.crops import export_crops

        details = {"with_predicted": choices.with_predicted, "png": choices.png, "overwrite": overwrite}
        work = export_crops(source, out, choices.size, should_stop, **details)
    elif choices.to == "csv":
        from napari_cellstage.core.exporting.table import export_csv

        work = export_csv(source, out, labelled_only, should_stop, overwrite)
    elif choices.to == "people":
        from napari_cellstage.core.exporting.people import export_people

        work = export_people(source, out, should_stop, overwrite)
    elif choices.to == "geojson":
        from napari_cellstage.core.exporting.geojson import export_geojson

        work = export_geojson(source, out, labelled_only, should_stop, overwrite)
    else:
        from napari_cellstage.learn.measured import export_anndata

        work = export_anndata(source, out, labelled_only, should_stop, overwrite=overwrite)
    return (yield from work)
