"""Tables as people save them: any encoding and separator, as rows of text. What they mean is in `core.plate_map`."""

from __future__ import annotations

import codecs
import contextlib
import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from napari_cellstage.core.errors import CellStageError, PlateError
from napari_cellstage.core.safe_csv import plain_text
from napari_cellstage.core.whole_files import reason_of

Table = list[list[str]]
"""Rows of stripped cells, all of one length; a row's place in it is its number in the file less one."""

_MOST_BYTES = 20_000_000  # the largest plate has 1,536 wells: this is no plate map

_EXCEL = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_SEPARATORS = ("\t", ";", ",")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True)
class TableKind:
    """How a kind of table is called in errors.

    Parameters
    ----------
    name
        Such as "plate map".
    needed
        What to choose instead of an empty one.
    error
        Kind of the errors.
    """

    name: str
    needed: str
    error: type[CellStageError]


PLATE_MAP = TableKind("plate map", "a table that has a column 'well', or a grid of wells", PlateError)


def read_table(path: Path | str, kind: TableKind = PLATE_MAP) -> Table:
    """Read a CSV or TSV file.

    Raises
    ------
    PlateError, or the error of its kind
        If it can't be read, is empty, or is no text.
    """
    path = Path(path)
    text = _text(path, _bytes(path, kind), kind)
    if not any(map(str.isalnum, text)):
        raise kind.error(f"The {kind.name} '{path}' is empty. Choose {kind.needed}.")
    return _rows(text)


def _bytes(path: Path, kind: TableKind) -> bytes:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise kind.error(
                f"'{path}' has {path.stat().st_size:,} bytes, far more than a {kind.name}. Choose {kind.needed}."
            )
        return path.read_bytes()
    except OSError as error:
        raise kind.error(f"The {kind.name} '{path}' can't be read: {reason_of(error)}. Choose another file.") from error


def _text(path: Path, raw: bytes, kind: TableKind) -> str:
    if raw.startswith(_EXCEL):
        raise kind.error(
            f"'{path}' is a spreadsheet file, whatever its ending. In Excel or LibreOffice save the sheet as CSV "
            "(File, Save as, CSV UTF-8) and choose that file."
        )
    for encoding in _encodings(raw):
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text
    raise kind.error(f"'{path}' is no text, so it is no {kind.name}. Choose a CSV or TSV file.")


def _encodings(raw: bytes) -> tuple[str, ...]:
    """Return what to try: what a mark at the start says, else the usual ones; Latin-1 takes anything."""
    marked = tuple(encoding for mark, encoding in _MARKS if raw.startswith(mark))
    if marked:
        return marked
    # UTF-16 without its mark: every other byte of plain letters is zero.
    wide = ("utf-16-le",) if raw[1:200:2].count(0) > 10 else ("utf-16-be",) if raw[0:200:2].count(0) > 10 else ()
    return (*wide, "utf-8", "cp1252", "latin-1")


def _rows(text: str) -> Table:
    tables = (_split(text, separator) for separator in _SEPARATORS)
    return max(tables, key=_evenness)


def _split(text: str, separator: str) -> Table:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    rows = [[plain_text(" ".join(cell.split())) for cell in row] for row in _lenient(reader)]
    width = max(map(len, rows), default=0)
    return [row + [""] * (width - len(row)) for row in rows]


def _lenient(reader: Iterator[list[str]]) -> Table:
    """Return the rows up to one that csv refuses, such as one with a cell of 131,072 characters."""
    rows: Table = []
    with contextlib.suppress(csv.Error):
        rows.extend(reader)
    return rows


def _evenness(rows: Table) -> tuple[int, int]:
    """Return how many rows have two filled cells or more, and how many cells are filled: most by the real separator."""
    filled = [sum(map(bool, row)) for row in rows]
    return sum(count > 1 for count in filled), sum(filled)
