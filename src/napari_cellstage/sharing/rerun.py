"""`rerunning`: a bundle trained again on the same cells and split, and its figures beside those of then."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from napari_cellstage.core.errors import TrainingStopped
from napari_cellstage.core.review.unseen import Unseen
from napari_cellstage.core.scoring.scores import score_unseen
from napari_cellstage.learn.chosen import KnownChoice
from napari_cellstage.learn.cross_validate import cross_validate
from napari_cellstage.learn.data import TrainingSet
from napari_cellstage.learn.events import BatchDone, EpochDone, Note
from napari_cellstage.learn.fit import fit
from napari_cellstage.learn.machine import machine, versions
from napari_cellstage.learn.model import TrainedModel
from napari_cellstage.learn.recipe import Recipe
from napari_cellstage.learn.runs import UNSEEN, save_run, save_unseen
from napari_cellstage.sharing.agreement import Compared, compared
from napari_cellstage.sharing.cells import Contents, cells_of, contents_of
from napari_cellstage.sharing.contents import MODEL, BundleError
from napari_cellstage.sharing.figures import CROSS_VALIDATED, HELD_OUT, Figures
from napari_cellstage.sharing.gather import Source
from napari_cellstage.sharing.opened import Bundle

ShouldStop = Callable[[], bool]
Event = Note | BatchDone | EpochDone


@dataclass(frozen=True, eq=False)
class Rerun:
    """What came of training a bundle again.

    Parameters
    ----------
    then, now
        Figures.
    compared
        Each figure then and now.
    same_answers
        How many of the scored cells got the same class as then, and how many there are; None where not known.
    """

    then: Figures
    now: Figures
    compared: tuple[Compared, ...]
    same_answers: tuple[int, int] | None = None

    @property
    def exact(self) -> bool:
        """Versions and machine are those of then, so that every figure must be the same."""
        return self.then.same_makings(self.now)

    @property
    def agree(self) -> bool:
        """Every figure that can be judged agrees."""
        return all(one.agrees is not False for one in self.compared)

    @property
    def text(self) -> str:
        """All of it as lines."""
        from napari_cellstage.sharing.agreement import lines

        return "\n".join(lines(self.compared, self.exact, self.agree, self.differences, self.same_answers))

    @property
    def differences(self) -> tuple[str, ...]:
        """What made the figures of then and of now, where that is not the same."""
        return (*_unlike(self.then.versions, self.now.versions), *_unlike(self.then.machine, self.now.machine))


def rerunning(
    bundle: Bundle,
    source: Source | None = None,
    out: Path | None = None,
    device: str | None = None,
    should_stop: ShouldStop = lambda: False,
) -> Generator[Event, None, Rerun]:
    """Train a bundle again.

    Parameters
    ----------
    bundle
        A checked one, see `open_bundle`.
    source
        The data, where the bundle has no pictures.
    out
        Folder for the new run; None: it is not kept.
    device
        Where to train; None: as the recipe says, or the best there is.
    should_stop
        Ends it with `TrainingStopped`: half a training says nothing.

    Raises
    ------
    CellStageError
        If it can't be trained, or was stopped.
    """
    held = contents_of(bundle)
    if not held.figures.scores:
        raise BundleError("This bundle has no figures to compare: no cell was held out of its training.")
    recipe = held.recipe if device is None else held.recipe.but(device=device)
    data = yield from cells_of(bundle, held, source, should_stop)
    _check_stopped(should_stop)
    model, history = yield from _trained(data, recipe, held, should_stop)
    _check_stopped(should_stop)
    if out is not None:
        save_run(out, model, history, data)
    crossed = yield from _cross_validated(data, recipe, held, out, should_stop)
    _check_stopped(should_stop)
    now = _figures(model, crossed, recipe, held.figures.folds)
    exact = held.figures.same_makings(now)
    return Rerun(held.figures, now, compared(held.figures, now, exact), _same_answers(bundle, crossed or model.unseen))


def _trained(
    data: TrainingSet, recipe: Recipe, held: Contents, should_stop: ShouldStop
) -> Generator[Event, None, tuple[TrainedModel, list[EpochDone]]]:
    history: list[EpochDone] = []
    held_out = held.wanted.labels.held_out
    work = fit(data, recipe, should_stop, held_out=held_out, known=_known(held.card))
    while True:
        try:
            event = next(work)
        except StopIteration as end:
            return end.value, history
        if isinstance(event, EpochDone):
            history.append(event)
        yield event


def _known(card: dict[str, Any]) -> KnownChoice | None:
    """Return the choice of a classifier that the run took over from an earlier one."""
    try:
        choice = card.get("choice") or {}
        return KnownChoice.of(choice) if choice.get("reused") else None
    except (KeyError, TypeError, ValueError, AttributeError) as e:
        raise BundleError(
            f"The bundle does not say which classifier its run took over from an earlier one ({e}): it was made by "
            "another version. Train the run anew, and export it again."
        ) from e


def _cross_validated(
    data: TrainingSet, recipe: Recipe, held: Contents, out: Path | None, should_stop: ShouldStop
) -> Generator[Event, None, Unseen | None]:
    if CROSS_VALIDATED not in held.figures.scores:
        return None
    found = yield from cross_validate(data, recipe.but(folds=held.figures.folds), should_stop)
    if found is not None and out is not None and not should_stop():
        save_unseen(out, found, score_unseen(found))
    return found


def _figures(model: TrainedModel, crossed: Unseen | None, recipe: Recipe, folds: int) -> Figures:
    scores = {HELD_OUT: model.scores, CROSS_VALIDATED: score_unseen(crossed) if crossed else None}
    started = str(model.card.get("started_from", ""))
    return Figures(
        scores={name: one for name, one in scores.items() if one is not None},
        folds=folds,
        versions=versions(),
        machine=machine(recipe),
        made=datetime.now(UTC).isoformat(timespec="seconds"),
        seed=recipe.seed,
        started_from=Path(started).name if Path(started).is_absolute() else started,
    )


def _same_answers(bundle: Bundle, now: Unseen | None) -> tuple[int, int] | None:
    """Return how many of the cells that were scored get the same class; None where the run kept others, or none."""
    then = Unseen.load(bundle.folder / MODEL / UNSEEN)
    if then is None or now is None or then.how != now.how or not np.array_equal(then.names, now.names):
        return None
    return int((then.predicted == now.predicted).sum()), len(now)


def _unlike(then: Any, now: Any) -> list[str]:
    keys = [key for key in {**then, **now} if then.get(key) != now.get(key)]
    return [f"{key} {then.get(key, 'not said')}, now {now.get(key, 'none')}" for key in keys]


def _check_stopped(should_stop: ShouldStop) -> None:
    if should_stop():
        raise TrainingStopped("Stopped before the training was done again, so nothing can be compared.")
