"""`report`, `compare` and `suspects`: what the predictions for cells that a run had not seen say."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.cli.answers import table_lines, write_json, write_table
from napari_cellstage.cli.progress import Reporter
from napari_cellstage.cli.project_review import opened
from napari_cellstage.cli.sources import identity
from napari_cellstage.core.errors import ModelError
from napari_cellstage.core.review.unseen import Unseen
from napari_cellstage.core.scoring.paired import Paired, compare
from napari_cellstage.core.store import DATABASE, SUFFIX
from napari_cellstage.learn.run_records import UNSEEN, read_record
from napari_cellstage.reporting.write import write_report

if TYPE_CHECKING:
    import pandas as pd

SHOWN = 20  # suspects on the terminal
Names = NDArray[np.str_]


def report_run(run: Path, out: Path | None, *, as_json: bool) -> None:
    """Write the report of a run."""
    file = write_report(run, out)
    Reporter().say(f"report in {file}")
    if as_json:
        write_json({"run": str(run), "report": str(file)})


@dataclass(frozen=True)
class _Common:
    """What two runs said of the cells that neither had seen, as names of classes."""

    cells: Names
    groups: Names
    truth: Names
    a: Names
    b: Names
    relabelled: int

    def paired(self) -> Paired:
        """Compare what both said."""
        _, numbers = np.unique(np.concatenate([self.truth, self.a, self.b]), return_inverse=True)
        truth, a, b = np.split(numbers.astype(np.int64), 3)
        return compare(truth, a, b, groups=self.groups)


def compare_runs(run_a: Path, run_b: Path, out: Path | None, *, as_json: bool) -> None:
    """Compare two runs, cell by cell; the labels are those of the run that was made later."""
    common, reporter = _common(run_a, run_b), Reporter()
    paired = common.paired()
    for line in _comparison_lines(run_a, run_b, common, paired):
        reporter.say(line)
    if out is not None:
        write_table(_comparison_table(common, paired), out)
        reporter.say(f"saved in {out}")
    if as_json:
        write_json({"a": str(run_a), "b": str(run_b)} | _comparison_figures(common, paired))


def _common(run_a: Path, run_b: Path) -> _Common:
    a, b = _read_unseen(run_a), _read_unseen(run_b)
    places = {identity(name): place for place, name in reversed(list(enumerate(b.names.tolist())))}
    pairs = [(i, places[key]) for i, name in enumerate(a.names.tolist()) if (key := identity(name)) in places]
    if not pairs:
        raise ModelError(
            f"'{run_a}' and '{run_b}' have no labelled cell in common that neither had seen: 0 cells. "
            "Train both with --folds 5 on the same data, then every labelled cell can be compared."
        )
    mine, theirs = np.array(pairs, dtype=np.int64).T
    a_is_later = read_record(run_a).made > read_record(run_b).made
    later, rows = (a, mine) if a_is_later else (b, theirs)
    labels_a, labels_b = _names(a, a.truth)[mine], _names(b, b.truth)[theirs]
    return _Common(
        cells=later.names[rows],
        groups=later.groups[rows],
        truth=labels_a if a_is_later else labels_b,
        a=_names(a, a.predicted)[mine],
        b=_names(b, b.predicted)[theirs],
        relabelled=int((labels_a != labels_b).sum()),
    )


def _read_unseen(run: Path) -> Unseen:
    found = Unseen.load(run / UNSEEN)
    if found is None:
        problem = read_record(run).problem if run.is_dir() else "There is no such folder."
        raise ModelError(
            f"'{run}' has no predictions for cells that its model had not seen ({UNSEEN}). {problem} "
            "Name the folder of a training, or train again with --folds 5.".replace("  ", " ")
        )
    return found


def _names(unseen: Unseen, places: NDArray[np.int64]) -> Names:
    names: Names = np.array(unseen.classes.names, dtype=np.str_)[places]
    return names


def _comparison_lines(run_a: Path, run_b: Path, common: _Common, paired: Paired) -> list[str]:
    lines = [
        f"A {run_a}: accuracy {paired.accuracy_a:.3f}",
        f"B {run_b}: accuracy {paired.accuracy_b:.3f}",
        f"B less A: {paired.text}",
        f"both right {int(paired.both_right.sum())}, both wrong {int(paired.both_wrong.sum())}",
    ]
    if common.relabelled:
        lines.append(f"{common.relabelled} cells have another label in the later run; that one counts for both.")
    return lines


def _comparison_figures(common: _Common, paired: Paired) -> dict[str, object]:
    low, high = paired.interval
    return {
        "n": paired.n,
        "accuracy_a": paired.accuracy_a,
        "accuracy_b": paired.accuracy_b,
        "difference": paired.difference,
        "low": low,
        "high": high,
        "won": int(paired.won.sum()),
        "lost": int(paired.lost.sum()),
        "both_right": int(paired.both_right.sum()),
        "both_wrong": int(paired.both_wrong.sum()),
        "p": paired.p,
        "p_groups": paired.p_groups,
        "groups": paired.groups,
        "relabelled": common.relabelled,
    }


def _comparison_table(common: _Common, paired: Paired) -> pd.DataFrame:
    import pandas as pd

    outcomes = {
        "won": paired.won,
        "lost": paired.lost,
        "both right": paired.both_right,
        "both wrong": paired.both_wrong,
    }
    outcome = np.select(list(outcomes.values()), list(outcomes), default="")
    columns = {"label": common.truth, "a": common.a, "b": common.b, "outcome": outcome}
    return pd.DataFrame(_places(common.cells) | columns).astype(object)


def list_suspects(source: Path, out: Path | None, *, as_json: bool) -> None:
    """List labels that are probably wrong."""
    from napari_cellstage.core.review.suspects import find_errors, suspicion

    unseen, reporter = _unseen_of(source), Reporter()
    rows = find_errors(unseen)
    table = _suspect_table(unseen.take(rows), suspicion(unseen)[rows])
    for line in table_lines(table.head(SHOWN)):
        reporter.say(line)
    reporter.say(f"{len(table)} of {len(unseen)} labels are probably wrong")
    if out is not None:
        write_table(table, out)
        reporter.say(f"saved in {out}")
    if as_json:
        write_json({"cells": len(unseen), "suspects": len(table), "table": str(out) if out else None})


def _unseen_of(source: Path) -> Unseen:
    """Return the predictions of a run, or of the latest run of a project with the labels of today."""
    if source.suffix != SUFFIX and not (source / DATABASE).is_file():
        return _read_unseen(source)
    with opened(source) as session:
        found = session.unseen()
    if found is None:
        raise ModelError(
            f"No run of '{source}' has predictions for cells that its model had not seen, so no label can be doubted. "
            "Train in it first."
        )
    return found


def _suspect_table(unseen: Unseen, values: NDArray[np.float32]) -> pd.DataFrame:
    import pandas as pd

    columns = {
        "label": _names(unseen, unseen.truth),
        "suggested": _names(unseen, unseen.predicted),
        "suspicion": values.astype(np.float64).round(4),
        "confidence": unseen.probabilities.max(axis=1, initial=0.0).astype(np.float64).round(4),
    }
    frame = pd.DataFrame(_places(unseen.names) | columns)
    return frame.astype(dict.fromkeys(("image", "label", "suggested"), object))


def _places(names: Names) -> dict[str, list[str]]:
    """Return columns that say which cells these are: image or file, and in images time point and number."""
    parts = [(name.rpartition("#")[0] or name, identity(name).split("/")) for name in names.tolist()]
    numbers = [ids[1:] if len(ids) == 3 else ["", ""] for _, ids in parts]
    return {
        "image": [image for image, _ in parts],
        "t": [number[0] for number in numbers],
        "cell_id": [number[1] for number in numbers],
    }
