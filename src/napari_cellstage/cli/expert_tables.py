"""How experts and a network are written: as text, as JSON, as CSV."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.cli.answers import aligned, write_table
from napari_cellstage.core.classes import UNLABELLED
from napari_cellstage.core.experts.checking import CheckedAnswers
from napari_cellstage.core.experts.comparing import Experts, chance, shares
from napari_cellstage.core.people.against_model import Standing
from napari_cellstage.core.people.votes import majority
from napari_cellstage.core.scoring.words import number
from napari_cellstage.core.tasks import Task

if TYPE_CHECKING:
    import pandas as pd

    from napari_cellstage.cli.experts import ExpertResult

Counts = NDArray[np.int64]
_NAMES = {"average": "Average of experts", "vote": "Vote of experts", "model": "Network"}
TABLE, MATRICES, ANSWERS = "experts.csv", "confusion.csv", "answers.csv"


def name_of(one: Standing) -> str:
    """Return how one of them is called here."""
    return one.name.replace("Best person", "Best expert") if one.kind == "best" else _NAMES.get(one.kind, one.name)


def result_lines(found: Experts, checked: CheckedAnswers) -> list[str]:
    """Return the comparison as lines of text: what was taken, everyone, matrices, tests."""
    head = ("", "accuracy", "cells", "network there", "McNemar")
    rows = [head, *(_row(one) for one in found.compared.standings)]
    return [*checked.sentences, "", *aligned(rows), "", *_matrices(found), *found.sentences, ""]


def _row(one: Standing) -> tuple[str, ...]:
    accuracy = number(one.accuracy, one.interval) if one.interval else f"{one.accuracy:.2f}"
    cells = "" if one.kind == "average" else f"{one.n:,}"
    there = f"{one.model:.2f}" if one.model == one.model else ""
    return name_of(one), accuracy, cells, there, "" if one.paired is None else chance(one.paired.p)


def _matrices(found: Experts) -> list[str]:
    """Return the confusion matrices of vote and network side by side: rows are true classes."""
    names = found.compared.classes.names
    shown = [(name_of(one), one.confusion) for one in (found.compared.of("vote"), found.compared.of("model")) if one]
    if not shown:
        return []
    first = max(len("true class"), *map(len, names))
    wide = max(4, *(len(str(int(counts.max()))) + 1 for _, counts in shown))
    head = f"{'true class':{first}}" + "".join(f"   {title:{wide * len(names)}}" for title, _ in shown)
    rows = [
        f"{name:{first}}"
        + "".join("   " + "".join(f"{n:{wide}d}" for n in counts[place].tolist()) for _, counts in shown)
        for place, name in enumerate(names)
    ]
    return ["Confusion matrices, answers across in the order of the rows:", head.rstrip(), *rows, ""]


def result_json(task: Task, found: Experts, checked: CheckedAnswers) -> dict[str, Any]:
    """Return a task as plain values."""
    vote, model = found.compared.of("vote"), found.compared.of("model")
    return {
        "task": task.name,
        "classes": list(task.classes),
        "standings": [_standing(one) for one in found.compared.standings],
        "confusion_vote": None if vote is None else vote.confusion.tolist(),
        "confusion_network": None if model is None else model.confusion.tolist(),
        "ties": found.ties,
        "vote_with_ties": found.with_ties,
        "t_test": _t_test(found),
        "mcnemar_vote": _mcnemar(found),
        "taken": checked.taken,
        "notes": [*checked.sentences, *found.sentences],
    }  # fmt: skip


def _t_test(found: Experts) -> dict[str, Any] | None:
    t = found.t_test
    if t is None:
        return None
    return {"n": t.n, "experts": t.experts, "network": t.network, "t": t.statistic, "p": t.p}


def _mcnemar(found: Experts) -> dict[str, Any] | None:
    test = found.vote_test
    if test is None:
        return None
    alone = {"network_alone": int(test.won.sum()), "vote_alone": int(test.lost.sum())}
    return {"n": test.n, **alone, "p": test.p}


def _standing(one: Standing) -> dict[str, Any]:
    accuracy, low, high, n = shares(one)
    return {
        "name": name_of(one), "kind": one.kind, "accuracy": accuracy, "low": low, "high": high, "n": n,
        "network_there": one.model, "mcnemar_p": None if one.paired is None else one.paired.p,
    }  # fmt: skip


def write_results(results: Sequence[ExpertResult], out: Path) -> Path:
    """Write everyone, the matrices, and each cell's answers as CSV into a folder."""
    import pandas as pd

    standings = [{"task": r.task.name, **_standing(one)} for r in results for one in r.found.compared.standings]
    write_table(pd.DataFrame(standings), out / TABLE)
    counts = [
        row for r in results for one in r.found.compared.standings if one.confusion.size for row in _counts(r, one)
    ]
    write_table(pd.DataFrame(counts, columns=["task", "of", "class", "answer", "cells"]), out / MATRICES)
    write_table(pd.concat([_cells(one) for one in results], ignore_index=True), out / ANSWERS)
    return out


def _counts(result: ExpertResult, one: Standing) -> list[tuple[str, str, str, str, int]]:
    names = result.found.compared.classes.names
    return [
        (result.task.name, name_of(one), names[down], names[across], int(one.confusion[down, across]))
        for down in range(len(names))
        for across in range(len(names))
        if one.confusion[down, across]
    ]


def _cells(result: ExpertResult) -> pd.DataFrame:
    import pandas as pd

    answers = result.answers
    names = {one.id: one.name for one in answers.classes} | {UNLABELLED: ""}

    def written(ids: Counts) -> list[str]:
        return [names[i] for i in ids.tolist()]

    columns: dict[str, Any] = {"task": result.task.name, "cell": result.cells, "class": written(result.truth)}
    columns |= {f"answer of {who}": written(answers.class_ids[:, place]) for place, who in enumerate(answers.names)}
    columns["vote"] = written(majority(answers))
    if result.network is not None:
        columns["network"] = written(result.network)
    return pd.DataFrame(columns)
