"""A plate map: a table that says what was done in each well. Read whole, with a sentence for each thing amiss.

Two forms are understood, both as CSV or TSV: a list with a column ``well``, and the grids of `core.plate_grids`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from napari_cellstage.core.errors import PlateError
from napari_cellstage.core.image_facts import ImageFacts, row_number, well_at, well_name
from napari_cellstage.core.plate_grids import grid_heads, read_grids
from napari_cellstage.core.plate_notes import Column, Notes, Place, column_of
from napari_cellstage.core.plate_tables import Table, read_table

_HEADER_WITHIN = 20  # rows: some programs write a few lines about the run above the table


@dataclass(frozen=True)
class PlateMap:
    """What a plate map says.

    Parameters
    ----------
    path
        The file.
    wells
        Facts by plate and well.
    problems
        What was amiss, each a sentence with its row; all else was read.
    """

    path: Path
    wells: dict[Place, ImageFacts]
    problems: tuple[str, ...] = ()

    @property
    def plates(self) -> tuple[str, ...]:
        """The plates it names, in order."""
        return tuple(dict.fromkeys(plate for plate, _well in self.wells if plate))


def read_plate_map(path: Path | str) -> PlateMap:
    """Read a plate map.

    Raises
    ------
    PlateError
        If the file can't be read, or holds neither a column of wells nor a grid.
    """
    path = Path(path)
    table = read_table(path)
    notes = Notes(path.name)
    heads = list(grid_heads(table))
    if heads:
        read_grids(table, heads, notes)
    else:
        _read_list(table, _list_head(path, table), notes)
    if not notes.wells:
        raise PlateError(" ".join((f"No row of the plate map '{path}' has a well that can be used.", *notes.said[:3])))
    return PlateMap(path, {place: facts for place, (facts, _row) in notes.wells.items()}, notes.problems())


def _list_head(path: Path, table: Table) -> int:
    """Return the place of the row that names the columns."""
    for place, row in enumerate(table[:_HEADER_WITHIN]):
        meanings = {column.meaning for column in _columns(row)}
        if "well" in meanings or {"row", "column"} <= meanings:
            return place
    first = next(row for row in table if any(row))
    raise PlateError(
        f"The plate map '{path}' has no column 'well' and is no grid of wells. Its first row is: "
        f"{', '.join(filter(None, first))[:200]}. Name the column that says B03 and the like 'well'."
    )


def _columns(row: list[str]) -> list[Column]:
    return [column_of(place, title) for place, title in enumerate(row) if title]


def _read_list(table: Table, head: int, notes: Notes) -> None:
    columns = _columns(table[head])
    if unused := [column.title for column in columns if not column.meaning]:
        notes.say(head + 1, f"columns that are not used: {', '.join(unused)[:200]}.")
    known = {column.meaning: column for column in reversed(columns) if column.meaning}
    notes.laid.update(known)
    for number, row in enumerate(table[head + 1 :], start=head + 2):
        if any(row):
            _read_row(known, row, number, notes)


def _read_row(known: dict[str, Column], row: list[str], number: int, notes: Notes) -> None:
    said = {name: notes.clean(number, one.title, row[one.place]) for name, one in known.items()}
    well = _well_of(said)
    if not well:
        _refuse(said, number, notes)
        return
    dose = said.get("dose", "")
    if dose:
        column = known["dose"]
        dose = notes.dose(number, column.title, dose, said.get("unit") or column.unit)
    plain = {name: said.get(name, "") for name in ("plate", "treatment", "replicate", "donor")}
    facts = ImageFacts(well=well, dose=dose, **plain)
    notes.put((facts.plate, well), facts, number)


def _well_of(said: dict[str, str]) -> str:
    if "well" in said and (said["well"] or "row" not in said):
        return well_name(said["well"])
    column = said.get("column", "")
    return well_at(row_number(said.get("row", "")), int(column)) if column.isdecimal() else ""


def _refuse(said: dict[str, str], number: int, notes: Notes) -> None:
    written = said.get("well") or " ".join(filter(None, (said.get("row"), said.get("column"))))
    what = f"there is no well '{written}'" if written else "the well is missing"
    notes.say(number, f"{what}, so the row is left out. Write a letter and a number, such as B03.")
