"""Plate maps that look like the plate: columns 1 to 12 (or 24) above, rows A to H (or P) at the side.

A file may hold several, one below the other, for treatment, dose and replicate; the title of each is the cell in its
corner or the line above it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from napari_cellstage.core.image_facts import ImageFacts, amount_of, row_number, well_at
from napari_cellstage.core.plate_notes import LAID_DOWN, MEANING, Notes, column_of
from napari_cellstage.core.plate_tables import Table


def grid_heads(table: Table) -> Iterator[int]:
    """Find the rows that number the columns of a grid: 1, 2, 3 … with A below at the side."""
    for place, row in enumerate(table[:-1]):
        numbers = [cell.removesuffix(".0").lstrip("0") for cell in row[1:] if cell]
        counted = numbers == [str(n + 1) for n in range(len(numbers))] and len(numbers) >= 2
        if counted and table[place + 1][0].upper() == "A":
            yield place


def read_grids(table: Table, heads: list[int], notes: Notes) -> None:
    """Read every grid of a table; `heads` are the places of the rows that number their columns."""
    plate = ""
    for place, head in enumerate(heads):
        above = table[heads[place - 1] + 1 if place else 0 : head]
        plate = _plate_above(above) or plate
        rows = _grid_rows(table, head)
        name, unit = _meaning_of(table[head][0] or _title_above(above), [c for row in rows for c in table[row][1:]])
        notes.laid.add(name)
        for row in rows:
            _read_grid_row(table, head, row, (plate, name, unit), notes)


def _grid_rows(table: Table, head: int) -> list[int]:
    rows = []
    for row in range(head + 1, len(table)):
        if not table[row][0].isalpha() or not row_number(table[row][0]):
            break
        rows.append(row)
    return rows


def _read_grid_row(table: Table, head: int, row: int, what: tuple[str, str, str], notes: Notes) -> None:
    plate, name, unit = what
    for column, cell in enumerate(table[row]):
        number = table[head][column].removesuffix(".0")
        if not column or not cell or not number.isdecimal():
            continue
        well = well_at(row_number(table[row][0]), int(number))
        text = notes.clean(row + 1, well, cell)
        text = notes.dose(row + 1, well, text, unit) if name == "dose" else text
        if text and well:
            notes.put((plate, well), replace(ImageFacts(plate=plate, well=well), **{name: text}), row + 1)


def _meaning_of(title: str, cells: list[str]) -> tuple[str, str]:
    """Return which fact a grid holds, and its unit; without a title numbers are doses and words treatments."""
    column = column_of(0, title)
    if column.meaning in LAID_DOWN:
        return column.meaning, column.unit
    filled = [cell for cell in cells if cell]
    return ("dose", column.unit) if filled and all(map(amount_of, filled)) else ("treatment", "")


def _title_above(rows: Table) -> str:
    """Return the last line above a grid that is no row of the grid before it."""
    lone = [row[0] for row in rows if row[0] and not any(row[1:]) and not _plate_in(row)]
    return lone[-1] if lone else ""


def _plate_above(rows: Table) -> str:
    return next((plate for row in reversed(rows) if (plate := _plate_in(row))), "")


def _plate_in(row: list[str]) -> str:
    """Return the plate that a line such as ``plate: P1`` or ``plate,P1`` names."""
    title, _colon, rest = row[0].partition(":")
    meant = MEANING.get(re.sub(r"[\W_]+", "", title).lower()) == "plate"
    return (rest.strip() or (row[1] if len(row) > 1 else "")) if meant else ""
