"""`napari-cellstage experts`: answers of experts against the truth and a network, and blind sheets to fill in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.cli.answers import write_json
from napari_cellstage.cli.expert_tables import result_json, result_lines, write_results
from napari_cellstage.cli.progress import Reporter
from napari_cellstage.cli.sources import Data, FolderData, KnownCells, ProjectData, identity, parts, read_data
from napari_cellstage.cli.task_runs import TASKS
from napari_cellstage.core.classes import UNLABELLED, ClassScheme
from napari_cellstage.core.experts.checking import CheckedAnswers, check_answers, names_of, plain
from napari_cellstage.core.experts.comparing import Experts, compare_experts
from napari_cellstage.core.experts.lines import AnswerLines, AnswersError, read_answers
from napari_cellstage.core.experts.sheets import choose_cells, read_key, write_blind_folder, write_sheet
from napari_cellstage.core.people.answers import Answers
from napari_cellstage.core.predictions import TRAINED
from napari_cellstage.core.review.cell_refs import CellRefs
from napari_cellstage.core.review.unseen import Unseen
from napari_cellstage.core.tasks import Task, pair_tasks, parse_classes, task_folders
from napari_cellstage.learn.runs import UNSEEN

Ids = NDArray[np.int64]


@dataclass(frozen=True)
class ExpertChoices:
    """What `experts` is asked for."""

    tables: Sequence[Path]
    truth: Path
    run: Path | None = None
    key: Path | None = None
    classes: str | None = None
    group_from: str | None = None
    out: Path | None = None


@dataclass(frozen=True, eq=False)
class ExpertResult:
    """What one task came to: answers of experts, truth and network for the cells that anyone answered."""

    task: Task
    checked: CheckedAnswers
    answers: Answers
    cells: tuple[str, ...]
    truth: Ids
    network: Ids | None
    found: Experts


def judge_experts(wanted: ExpertChoices, *, as_json: bool) -> None:
    """Compare experts with the truth and a network, each task by itself.

    Raises
    ------
    CellStageError
        If tables, data or run can't be read or do not fit each other.
    """
    given, reporter = read_answers(wanted.tables), Reporter()
    data = read_data(wanted.truth, wanted.group_from)
    known = _renamed(data.known_cells(), wanted.key)
    if isinstance(data, ProjectData):
        reporter.say("The labels of the project count as the truth, also where a person gave them by hand.")
    results = []
    for written in given.tasks:
        task = _task(written, wanted.classes, data.class_names)
        reporter.say(f"Task: {task.name}" if len(given.tasks) > 1 else f"Classes: {', '.join(task.classes)}")
        results.append(_one_task(given.of_task(written), task, data.of(task), known, wanted, reporter))
        for line in result_lines(results[-1].found, results[-1].checked):
            reporter.say(line)
    if wanted.out is not None:
        reporter.say(f"Tables in {write_results(results, wanted.out)}")
    if as_json:
        write_json({"tasks": [result_json(one.task, one.found, one.checked) for one in results]})


def write_template(
    data_path: Path, out: Path, persons: Sequence[str], each: int | None, seed: int, classes: str | None, as_json: bool
) -> None:
    """Write sheets for experts to fill in: a folder with cells under neutral names, or one sheet where `out` is a CSV.

    Raises
    ------
    AnswersError
        If the data are no class folders.
    """
    data, reporter = read_data(data_path, None, classes), Reporter()
    if not isinstance(data, FolderData):
        raise AnswersError(
            f"'{data_path}' is a project: label it blind in the dock (Review, People, Blind), or export its crops as "
            "class folders and name these."
        )
    crops = data.crops if data.task is None else data.crops.of_classes(data.task.classes)
    chosen = choose_cells(crops, each, seed)
    if out.suffix.lower() == ".csv":
        made = write_sheet(chosen, out, persons[0] if persons else "")
    else:
        made = write_blind_folder(chosen, out, persons or ("expert 1",), seed)
    for note in made.notes:
        reporter.say(note)
    reporter.say(f"{made.cells:,} cells; to fill in: {', '.join(map(str, made.files))}")
    if made.key is not None:
        reporter.say(f"Send '{made.files[0].parent}'. Keep {made.key} to yourself, and give it as --key later.")
    if as_json:
        key = None if made.key is None else str(made.key)
        write_json({"sheets": list(map(str, made.files)), "cells": made.cells, "key": key})


def _renamed(known: KnownCells, key: Path | None) -> list[tuple[str, ...]]:
    """Return the names of each cell, those of the key too."""
    called = list(known.called)
    if key is None:
        return called
    at, missing = names_of(called), []
    for neutral, file in read_key(key).items():
        place = at.get(plain(file), -1)
        if place < 0:
            missing.append(file)
        else:
            called[place] = (*called[place], neutral)
    if missing:
        raise AnswersError(
            f"{len(missing)} cells of the key '{key}' are not in the data, such as '{missing[0]}'. Give as --truth the "
            "data that the sheets were made of."
        )
    return called


def _task(written: str, classes: str | None, names: Sequence[str]) -> Task:
    """Return the task of a column, or of --classes; all classes where neither says any."""
    if not written:
        return Task.of(names, names) if classes is None else parse_classes(classes, names)
    return next((one for one in pair_tasks(names) if one.name == written), None) or parse_classes(written, names)


def _one_task(
    given: AnswerLines, task: Task, data: Data, called: list[tuple[str, ...]], wanted: ExpertChoices, reporter: Reporter
) -> ExpertResult:
    scheme = ClassScheme.from_names(task.classes)
    known, id_of = data.known_cells(), {one.name: one.id for one in scheme}
    truth = np.array([id_of.get(name, UNLABELLED) for name in known.labels], dtype=np.int64)
    inside = {name: place for name, place in names_of(called).items() if place < 0 or truth[place]}
    checked = check_answers(given, inside, len(called), scheme)
    refs = CellRefs(*(np.zeros(len(truth), dtype=np.int64),) * 2, np.arange(len(truth)))
    answers = checked.answers(refs, scheme)
    rows = answers.cells.cell_id
    network = None
    if wanted.run is not None:
        network = _network(_run_of(wanted.run, task, data), data, known, id_of, reporter)[rows]
        if not network.any():
            raise AnswersError(
                f"The network of '{wanted.run}' was trained on all {len(rows)} cells that the experts answered, or has "
                "no answer for them. Compare on cells that it had not seen, or cross-validate it (train --folds 5)."
            )
    groups = known.listed.groups[rows]
    several = len(np.unique(groups)) < len(groups)
    found = compare_experts(answers, truth[rows], network, groups if several else None)
    cells = tuple(called[row][0] for row in rows.tolist())
    return ExpertResult(task, checked, answers, cells, truth[rows], network, found)


def _run_of(run: Path, task: Task, data: Data) -> Path:
    """Return the run of a task: in the folder that `train --tasks pairs` made, the task's own."""
    if not (run / TASKS).is_file():
        return run
    tasks = pair_tasks(data.class_names)
    folders = dict(zip((one.classes for one in tasks), task_folders(tasks), strict=True))
    folder = run / folders.get(task.classes, task.name)
    if not folder.is_dir():
        raise AnswersError(f"'{run}' has no run of the task '{task.name}'. Name the folder of that run with --run.")
    return folder


def _network(run: Path, data: Data, known: KnownCells, id_of: dict[str, int], reporter: Reporter) -> Ids:
    """Return the class ids that a run's models give cells they had not seen, 0 elsewhere."""
    from napari_cellstage.cli.progress import stop_on_interrupt
    from napari_cellstage.cli.scoring import load_model

    model, names = load_model(run, None), known.listed.names.tolist()
    if others := [name for name in model.classes.names if name not in id_of]:
        raise AnswersError(
            f"The network of '{run}' also knows {', '.join(others)}, which the experts could not answer: it answered "
            "another question. Train one for this task with --classes, or leave --classes out."
        )
    ids = np.full(len(names), UNLABELLED, dtype=np.int64)
    said = _unseen(run)
    for place, name in enumerate(names):
        ids[place] = id_of.get(said.get(identity(name), ""), UNLABELLED)
    lacking = (ids == UNLABELLED) & (parts(model, names) != TRAINED)
    if lacking.any():
        with stop_on_interrupt(reporter.say) as should_stop:
            table = reporter.follow(data.table(model, should_stop, labelled_only=True))
        more = np.array([id_of.get(name, UNLABELLED) for name in table["predicted"]], dtype=np.int64)
        ids[lacking] = more[lacking]
    return ids


def _unseen(run: Path) -> dict[str, Any]:
    """Return what models of a run said of cells they had not seen, out of fold or held out, by identity of the cell."""
    found = Unseen.load(run / UNSEEN)
    if found is None:
        return {}
    names = found.classes.names
    return {identity(str(name)): names[place] for name, place in zip(found.names, found.predicted, strict=True)}
