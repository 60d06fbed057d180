"""A study's table: published figures beside those obtained; as Markdown, CSV, JSON and lines of text."""

from __future__ import annotations

import json
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from napari_cellstage.core.errors import CellStageError
from napari_cellstage.core.safe_csv import write_csv
from napari_cellstage.core.scoring.scores import Interval

NONE = "–"


class StudyError(CellStageError):
    """A study can't be run, or its results can't be written."""


@dataclass(frozen=True)
class StudyTable:
    """What a study ends with.

    Parameters
    ----------
    title
        Which study, on which cells; says where these are not the original ones.
    columns
        Heads, the first that of the rows' names.
    rows
        One text a column.
    notes
        Sentences below the table: what was not as published, how to read it.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()

    def markdown(self) -> str:
        """Return it as a page of Markdown."""
        lines = [self.columns, ("---",) * len(self.columns), *self.rows]
        table = "\n".join(f"| {' | '.join(one.replace('|', '/') for one in line)} |" for line in lines)
        return "\n\n".join([f"# {self.title}", table, "\n".join(f"- {note}" for note in self.notes)]) + "\n"

    def frame(self) -> pd.DataFrame:
        """Return it as a table of texts."""
        return pd.DataFrame([list(row) for row in self.rows], columns=list(self.columns))

    def save(self, folder: Path, name: str) -> None:
        """Write ``NAME.md``, ``NAME.csv`` and ``NAME.json``.

        Raises
        ------
        StudyError
            If they can't be written.
        """
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{name}.md").write_text(self.markdown(), encoding="utf-8")
            (folder / f"{name}.json").write_text(
                json.dumps(asdict(self), ensure_ascii=False, indent=1), encoding="utf-8"
            )
            write_csv(self.frame(), folder / f"{name}.csv")
        except OSError as e:
            raise StudyError(
                f"The table can't be written into '{folder}': {e}. Choose another place with --out."
            ) from e


def percent(value: float | None, interval: Interval | None = None) -> str:
    """Return a share as ``"95.3 (94.4–96.1)"``, in per cent; a dash where it is not known."""
    if value is None or value != value:
        return NONE
    inside = f" ({100 * interval[0]:.1f}–{100 * interval[1]:.1f})" if interval else ""
    return f"{100 * value:.1f}{inside}"


def made_on(seconds: float, device: str, seed: int) -> str:
    """Return on what machine, when and how long a table was made, as a sentence."""
    minutes = f"{seconds / 60:.1f} minutes" if seconds >= 60 else f"{seconds:.0f} seconds"
    system = f"{platform.system()} {platform.machine()}"
    return f"Made on {datetime.now(UTC):%Y-%m-%d} on {device} ({system}), in {minutes} of training, seed {seed}."


def listed(names: Sequence[str]) -> str:
    """Return names as a part of a sentence."""
    return ", ".join(names[:-1]) + f" and {names[-1]}" if len(names) > 1 else "".join(names)
