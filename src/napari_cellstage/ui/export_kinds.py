"""What can be exported, in words for people."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Kind:
    """One format.

    Parameters
    ----------
    to
        One of `learn.exports.FORMATS`.
    title, tip
        For people.
    ending
        Of the suggested name.
    filter
        Of the window that asks for a file; empty when a folder is written.
    """

    to: str
    title: str
    tip: str
    ending: str
    filter: str = ""

    def suggested(self, project: Path) -> Path:
        """Return a place beside the project that is free."""
        name = project.name.removesuffix(".cellstage")
        place, number = project.parent / f"{name} {self.ending}", 2
        while place.exists():
            stem, dot, suffix = self.ending.partition(".")
            place, number = project.parent / f"{name} {stem} {number}{dot}{suffix}", number + 1
        return place


KINDS = (
    Kind(
        "csv",
        "Table (CSV)",
        "One row a cell: image, place, label and where it is from, prediction, plate and dose. Opens in Excel, R, "
        "Python.",
        "cells.csv",
        "Tables (*.csv)",
    ),
    Kind(
        "people",
        "What each person said (CSV)",
        "One row a cell and person: image, cell, who, class, when. For agreement and votes in other programs.",
        "labels by person.csv",
        "Tables (*.csv)",
    ),
    Kind(
        "crops",
        "Pictures in class folders",
        "One folder a class, one picture a cell: for training elsewhere, or for another project.",
        "crops",
    ),
    Kind(
        "geojson",
        "Outlines for QuPath (GeoJSON)",
        "One file an image, with outlines, classes and probabilities. In QuPath: File > Import objects from file.",
        "outlines",
    ),
    Kind(
        "anndata",
        "AnnData for scanpy (.h5ad)",
        "Measured features, the table, places, and what the latest network sees in each cell.",
        "cells.h5ad",
        "AnnData (*.h5ad)",
    ),
)
