"""CSV that a spreadsheet can open without running anything: the one place where tables with others' names are written.

Names of classes, people, images and files may start with ``=``; a spreadsheet would run such text as a formula. It gets
a ``'`` before it, which `read_csv` and `plain_text` take off again, so that what is read is what was written.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    import pandas as pd

# The wide ones are those that a spreadsheet with an East Asian keyboard takes for the same.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_GUARD = "'"


def safe_text(text: str) -> str:
    """Return text that a spreadsheet shows and never runs."""
    return _GUARD + text if _needs_guard(text) else text


def plain_text(text: str) -> str:
    """Return the text that `safe_text` was given."""
    return text[1:] if text.startswith(_GUARD) and _needs_guard(text[1:]) else text


def without_formulas(frame: pd.DataFrame) -> pd.DataFrame:
    """Put a ``'`` before text that a spreadsheet would run as a formula, such as a class named ``=1+1``."""
    return _each_text(frame, safe_text)


def write_csv(frame: pd.DataFrame, file: Path | TextIO, **options: Any) -> None:
    """Write a table without its index; `options` are those of pandas.

    Raises
    ------
    OSError
        If the file can't be written; the caller knows what to say.
    """
    without_formulas(frame).to_csv(file, index=False, **options)


def read_csv(file: Path) -> pd.DataFrame:
    """Read a table that `write_csv` wrote, all of it as text: a class may be named ``1.0``.

    Raises
    ------
    OSError, ValueError
        If the file can't be read, or is no table; the caller knows what to say.
    """
    import pandas as pd

    return _each_text(pd.read_csv(file, dtype=str, keep_default_na=False, encoding="utf-8-sig"), plain_text)


def _needs_guard(text: str) -> bool:
    # With guards of its own taken off, so that text which starts with '= comes back as it was.
    return text.lstrip(_GUARD).startswith(FORMULA_STARTS)


def _each_text(frame: pd.DataFrame, change: Any) -> pd.DataFrame:
    def changed(value: Any) -> Any:
        return change(value) if isinstance(value, str) else value

    safe = frame.copy(deep=False)
    for place in range(safe.shape[1]):  # by place, as two columns may have one name
        column = safe.iloc[:, place]
        if column.dtype.kind == "O":
            safe.isetitem(place, [changed(value) for value in column])
    safe.columns = [changed(name) for name in safe.columns]
    return safe
