"""`napari-cellstage train`: one training with one recipe, and its run folder."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any

from napari_cellstage.cli.answers import OutputError, cannot_write, figures, score_lines, write_json, write_table
from napari_cellstage.cli.progress import Reporter, stop_on_interrupt
from napari_cellstage.cli.sources import Data, ProjectData, read_data
from napari_cellstage.core.errors import TrainingError
from napari_cellstage.core.scoring.scores import Scores
from napari_cellstage.core.scoring.words import cells_words
from napari_cellstage.learn.examples import EXAMPLES, save_examples
from napari_cellstage.learn.fit import fit
from napari_cellstage.learn.model import CARD, TrainedModel
from napari_cellstage.learn.recipe import Recipe, recipe_names
from napari_cellstage.learn.runs import PREDICTIONS, UNSEEN, save_run
from napari_cellstage.learn.validating import cross_validated
from napari_cellstage.reporting.write import REPORT, write_report

if TYPE_CHECKING:
    from napari_cellstage.learn.data import TrainingSet


@dataclass(frozen=True)
class TrainChoices:
    """What `train` is asked for.

    Parameters
    ----------
    path, out
        Data and run folder.
    recipe_name
        A named recipe or a TOML file.
    choices
        Values that replace the recipe's.
    group_from
        Regular expression for the group of a crop.
    classes
        The classes to be told apart, with commas between; None: all.
    overwrite
        Whether a model that is in `out` already may be replaced.
    report
        Whether to write the report, too.
    """

    path: Path
    out: Path
    recipe_name: str
    choices: dict[str, Any]
    group_from: str | None = None
    classes: str | None = None
    overwrite: bool = False
    report: bool = False

    @property
    def recipe(self) -> Recipe:
        """The recipe; those that come with the program are cross-validated only where that is asked for."""
        once = {"folds": 0} if self.recipe_name in recipe_names() else {}
        return Recipe.load(self.recipe_name).but(**once | self.choices)

    def data(self, reporter: Reporter) -> Data:
        """Read the data, and say what was left out of it."""
        data = read_data(self.path, self.group_from, self.classes)
        for note in data.notes:
            reporter.say(note)
        return data


@dataclass(frozen=True)
class TrainedRun:
    """What one training came to: its score, that of cross-validation, what JSON says of it."""

    scores: Scores | None
    validated: Scores | None
    answer: dict[str, Any]
    stopped: bool


def train_run(wanted: TrainChoices, *, as_json: bool) -> None:
    """Train, score, predict every cell of the data, and write the run folder.

    Parameters
    ----------
    wanted
        What was asked for.
    as_json
        Whether to end with a line of JSON.
    """
    check_free(wanted.out, wanted.overwrite)
    recipe, reporter = wanted.recipe, Reporter()
    data = wanted.data(reporter)
    found = train_one(data.training_set(recipe), recipe, data, wanted, wanted.out, reporter)
    if as_json:
        write_json(found.answer)


def train_one(
    training: TrainingSet, recipe: Recipe, data: Data, wanted: TrainChoices, out: Path, reporter: Reporter
) -> TrainedRun:
    """Train on labelled cells and leave a run folder; `data` has all the cells to predict."""
    reporter.say(_what_is_trained(training, recipe))
    for one, count in training.left_out:
        reporter.say(f"Left out: {cells_words(count)} of class '{one.name}'.")
    start = time.perf_counter()
    with stop_on_interrupt(reporter.say) as should_stop:
        model = reporter.follow(fit(training, recipe, should_stop))
    seconds, stopped = time.perf_counter() - start, should_stop()
    audit = data.work.set_aside if isinstance(data, ProjectData) else 0
    model.card.update(data=str(wanted.path), group_from=wanted.group_from, audit=audit)  # for report and command
    _write_run(model, training, data, out, reporter)
    validated = _cross_validated(training, recipe, out, reporter)
    for line in _closing_lines(model, validated, out):
        reporter.say(line)
    if wanted.report:
        reporter.say(f"report in {write_report(out)}")
    answer = _answer(model, out, seconds, reporter.images_per_second)
    answer["cross_validated"] = figures(validated) | {"n": validated.n} if validated else None
    return TrainedRun(model.scores, validated, answer, stopped)


def check_free(out: Path, overwrite: bool) -> None:
    """Raise `OutputError` where a run can't go, or there is one already: before a training that may take hours."""
    if (out / CARD).exists() and not overwrite:
        raise OutputError(f"There is a model in '{out}' already. Choose another folder, or add --overwrite.")
    if out.exists() and not out.is_dir():
        raise OutputError(f"'{out}' is a file, but a run needs a folder. Choose another name with --out.")
    _check_writable(out)


def _check_writable(folder: Path) -> None:
    """Write a file that is gone at once; folders that were not there before are taken away again."""
    made = [one for one in (folder, *folder.parents) if not one.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise cannot_write(folder, error) from error
    finally:
        for one in made:
            with suppress(OSError):
                one.rmdir()


def _what_is_trained(training: TrainingSet, recipe: Recipe) -> str:
    groups = len(set(training.groups.tolist()))
    return f"{recipe.name}: {len(training)} labelled cells, {len(training.classes)} classes, {groups} groups"


def _write_run(model: TrainedModel, training: TrainingSet, data: Data, out: Path, reporter: Reporter) -> None:
    _forget(out)
    save_run(out, model, reporter.epochs, training)
    if model.unseen is not None:
        save_examples(out, training, model.unseen)
    with stop_on_interrupt(reporter.say) as should_stop:
        table = reporter.follow(data.table(model, should_stop))
    write_table(table, out / PREDICTIONS)


def _forget(out: Path) -> None:
    """Remove what an earlier run has left in this folder and this one may not write."""
    for name in (UNSEEN, EXAMPLES, REPORT):
        (out / name).unlink(missing_ok=True)


def _cross_validated(training: TrainingSet, recipe: Recipe, out: Path, reporter: Reporter) -> Scores | None:
    """Cross-validate where the recipe asks for it; Ctrl+C ends that alone, as the model is saved by now."""
    if recipe.folds < 2:
        return None
    try:
        with stop_on_interrupt(reporter.say) as should_stop:
            found = reporter.follow(cross_validated(training, recipe, out, should_stop))
    except TrainingError as error:
        reporter.say(f"Not cross-validated: {error}")
        return None
    return None if found is None else found.scores


def _closing_lines(model: TrainedModel, validated: Scores | None, out: Path) -> list[str]:
    scores = (
        score_lines(model.scores, "held-out accuracy")
        if model.scores
        else ["No cells were held out, so there is no score."]
    )
    more = ["", *score_lines(validated, "cross-validated accuracy")] if validated else []
    return [*scores, *more, "", f"saved in {out}"]


def _answer(model: TrainedModel, out: Path, seconds: float, images_per_second: float | None) -> dict[str, Any]:
    trained, held_out = len(model.card["split"]["trained"]), len(model.card["split"]["held_out"])
    return {
        **figures(model.scores),
        "n_train": trained,
        "n_test": model.scores.n if model.scores else 0,
        "classes": list(model.classes.names),
        "seconds": round(seconds, 3),
        "images_per_second": round(images_per_second or (trained + held_out) / seconds, 1),
        "recipe": model.recipe.name,
        "run": str(out),
    }
