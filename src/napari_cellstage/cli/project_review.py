"""`agreement` and `queue`: what the people of a project say, and which of its cells to label next."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_cellstage.cli.answers import aligned, table_lines, write_json, write_table
from napari_cellstage.cli.progress import Reporter
from napari_cellstage.core.review.cell_refs import CellRefs
from napari_cellstage.core.scoring.words import cells_words, number
from napari_cellstage.session import Session

if TYPE_CHECKING:
    import pandas as pd

    from napari_cellstage.core.people.agreement import Agreement, PairAgreement


@contextmanager
def opened(project: Path) -> Iterator[Session]:
    """Open a project, and close it at the end."""
    session = Session()
    session.open_project(project)
    try:
        yield session
    finally:
        session.close()


def say_agreement(project: Path, *, as_json: bool) -> None:
    """Say how far persons agree."""
    reporter = Reporter()
    with opened(project) as session:
        found, disputed = session.agreement(), len(session.disputed())
    reporter.say(found.text)
    for line in _pair_lines(found):
        reporter.say(line)
    reporter.say(f"{cells_words(disputed)} disputed and not settled")
    if as_json:
        write_json(_agreement_figures(found) | {"disputed": disputed})


def _pair_lines(found: Agreement) -> list[str]:
    if not found.pairs:
        return []
    head = ["person", "and person", "cells", "agree on", "kappa", "weighted"]
    return aligned([head, *map(_pair_row, found.pairs)])


def _pair_row(one: PairAgreement) -> list[str]:
    weighted = "" if one.weighted is None else number(one.weighted, one.weighted_interval)
    return [one.first, one.second, str(one.n), number(one.raw), number(one.kappa, one.interval), weighted]


def _agreement_figures(found: Agreement) -> dict[str, Any]:
    per_class = [{"name": name, "kappa": kappa, "n": n} for name, kappa, n in found.per_class]
    return asdict(found) | {"per_class": per_class}


def list_next_cells(project: Path, mode: str, count: int, out: Path | None, *, as_json: bool) -> None:
    """List cells that are worth a label."""
    reporter = Reporter()
    with opened(project) as session:
        cells = session.next_cells(mode, count)
        table = _next_table(session, cells)
    for line in table_lines(table):
        reporter.say(line)
    reporter.say(f"{cells_words(len(table))} to label next")
    if out is not None:
        write_table(table, out)
        reporter.say(f"saved in {out}")
    if as_json:
        write_json({"mode": mode, "cells": len(table), "table": str(out) if out else None})


def _next_table(session: Session, cells: CellRefs) -> pd.DataFrame:
    """Return cells with what the model says of them; empty where they were not predicted."""
    import pandas as pd

    names = {entry.image_id: entry.name for entry in session.images}
    said, sure = np.full(len(cells), "", dtype=object), np.full(len(cells), np.nan)
    for image_id, places in cells.by_image().items():
        found = session.predictions(image_id)
        if found is None:
            continue
        rows = session.rows_of(cells)[places]
        known = {one.id: one.name for one in session.scheme}
        said[places] = [known.get(i, "") for i in found.predicted[rows].tolist()]
        sure[places] = found.confidence[rows].round(4)
    return pd.DataFrame(
        {
            "image": [names[i] for i in cells.image_id.tolist()],
            "t": cells.t,
            "cell_id": cells.cell_id,
            "predicted": said,
            "confidence": sure,
        }
    )
