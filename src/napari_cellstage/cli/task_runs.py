"""`napari-cellstage train --tasks pairs`: a model for all classes and one for each two, on one split; their table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_cellstage.cli.answers import table_lines, write_json, write_table
from napari_cellstage.cli.progress import Reporter
from napari_cellstage.cli.training import TrainChoices, TrainedRun, check_free, train_one
from napari_cellstage.core.scoring.words import number
from napari_cellstage.core.tasks import Task, pair_tasks, task_folders

if TYPE_CHECKING:
    import pandas as pd

TASKS = "tasks.csv"
_COLUMNS = ("task", "accuracy", "low", "high", "n", "n_train", "measured", "run")


def train_tasks(wanted: TrainChoices, *, as_json: bool) -> None:
    """Train every task of the data's classes, each into a folder of its own in `wanted.out`.

    All tasks hold out the same cells: they are drawn on all labelled cells, so that a cell that is held out in one task
    trains none of the others.

    Parameters
    ----------
    wanted
        What was asked for.
    as_json
        Whether to end with a line of JSON.
    """
    check_free(wanted.out, wanted.overwrite)
    recipe, notes = wanted.recipe, Reporter()
    data = wanted.data(notes)
    whole = data.training_set(recipe)
    tasks = pair_tasks(whole.classes.names)
    folders = [wanted.out / name for name in task_folders(tasks)]
    for folder in folders:
        check_free(folder, wanted.overwrite)
    done: list[tuple[Task, TrainedRun]] = []
    for number_, (task, folder) in enumerate(zip(tasks, folders, strict=True), 1):
        reporter = Reporter()
        reporter.say(f"\nTask {number_} of {len(tasks)}: {task.name}")
        found = train_one(whole.of_classes(task.classes), recipe, data, wanted, folder, reporter)
        done.append((task, found))
        write_table(_table(done), wanted.out / TASKS)  # after each, as the next may take hours
        if found.stopped:
            notes.say(f"Stopped: {len(tasks) - len(done)} of {len(tasks)} tasks were not trained.")
            break
    for line in ("", *table_lines(_shown(done)), "", f"Table in {wanted.out / TASKS}"):
        notes.say(line)
    if as_json:
        answers = [{"task": task.name, **found.answer} for task, found in done]
        write_json({"tasks": answers, "table": str(wanted.out / TASKS)})


def _table(done: list[tuple[Task, TrainedRun]]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame([_row(task, found) for task, found in done], columns=_COLUMNS)


def _row(task: Task, found: TrainedRun) -> tuple[Any, ...]:
    scores = found.validated or found.scores
    how = "cross-validated" if found.validated else "held out" if found.scores else "not measured"
    values = (None,) * 3 + (0,) if scores is None else (scores.accuracy, scores.low, scores.high, scores.n)
    return task.name, *values, found.answer["n_train"], how, found.answer["run"]


def _shown(done: list[tuple[Task, TrainedRun]]) -> pd.DataFrame:
    """Return the table as a reader wants it: the accuracy with its interval in one column."""
    import pandas as pd

    rows = []
    for task, found in done:
        scores = found.validated or found.scores
        accuracy = "none held out" if scores is None else number(scores.accuracy, (scores.low, scores.high))
        rows.append((task.name, accuracy, 0 if scores is None else scores.n, _row(task, found)[-2]))
    return pd.DataFrame(rows, columns=["task", "accuracy", "n", "measured"])
