"""Persons and the model on the same cells, against the same reference.

The reference of a cell is what is known of it: a label that was settled, or that came with its well, image or folder.
Where nothing is known it is what most of the *other* persons said, so that nobody is measured against himself. The
model's answers are those for cells that it had not seen.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.classes import UNLABELLED, ClassScheme
from napari_cellstage.core.people.answers import Answers, Numbers
from napari_cellstage.core.people.votes import majority
from napari_cellstage.core.scoring.intervals import Interval, hull, mean_interval, wilson
from napari_cellstage.core.scoring.paired import Paired, compare
from napari_cellstage.core.scoring.words import cells_words

MODEL, VOTE, AVERAGE, BEST = "Model", "Vote of all", "Average of persons", "Best person"


@dataclass(frozen=True, eq=False)
class Standing:
    """How one of them does.

    Parameters
    ----------
    name
        A person, or one of `MODEL`, `VOTE`, `AVERAGE`, `BEST`.
    kind
        ``"person"``, ``"model"``, ``"vote"``, ``"average"`` or ``"best"``; a person may be called "Model".
    n
        On how many cells.
    accuracy, interval
        Share that fits the reference, and its 95 % interval; None for the average.
    model
        Accuracy of the model on the very same cells; NaN where it has no answers.
    paired
        The model against this one, cell by cell; None where it has no answers.
    confusion
        ``(K, K)`` counts: reference down, answer across.
    """

    name: str
    kind: str
    n: int
    accuracy: float
    interval: Interval | None = None
    model: float = float("nan")
    paired: Paired | None = None
    confusion: NDArray[np.int64] = field(default_factory=lambda: np.zeros((0, 0), dtype=np.int64))


@dataclass(frozen=True, eq=False)
class PeopleAgainstModel:
    """Persons, their average, the best, their vote, and the model.

    Parameters
    ----------
    standings
        In this order; those that can't be measured are left out.
    classes
        The classes.
    cells
        How many cells are compared.
    known
        Of how many the reference is known; the rest have what most others said.
    unseen
        Whether the model takes part, with answers for cells it had not seen.
    left_out
        Cells that persons labelled, but for which the model has no such answer.
    near
        How many are of images from which the model was trained on other cells.
    tests
        What to know of vote and tests on the cells with a known class, as sentences.
    """

    standings: tuple[Standing, ...]
    classes: ClassScheme
    cells: int = 0
    known: int = 0
    unseen: bool = False
    left_out: int = 0
    near: int = 0
    tests: tuple[str, ...] = ()

    def of(self, kind: str) -> Standing | None:
        """Return the first of a kind, None when there is none."""
        return next((one for one in self.standings if one.kind == kind), None)

    @property
    def text(self) -> str:
        """What is compared with what, in a sentence or two."""
        if not self.standings:
            return (
                "There is nothing to compare yet. It takes cells that two persons labelled, or labelled cells whose "
                "class is settled or known from their well, image or folder."
            )
        others = self.cells - self.known
        parts = [f"{self.known} with a settled or known class"] * bool(self.known)
        parts += [f"{others} against what most of the other persons said"] * bool(others)
        left = (
            f" {self.left_out} more are left out, as the model was trained on them or has no answer."
            if self.left_out
            else ""
        )
        without = "" if self.unseen else " The model has no answers for cells it had not seen; train it to compare."
        near = (
            f" Of {self.near:,} the model was trained on other cells of the same image, which flatters it."
            if self.near
            else ""
        )
        return f"{cells_words(self.cells)}: {', '.join(parts)}.{left}{near}{without}"

    @property
    def people_confusion(self) -> tuple[str, NDArray[np.int64]]:
        """Title and ``(K, K)`` counts for persons: of their vote, where that can be measured, else of all of them."""
        vote = self.of("vote")
        if vote is not None:
            return VOTE, vote.confusion
        size = len(self.classes)
        mine = [one.confusion for one in self.standings if one.kind == "person"]
        return "All persons", np.sum(mine, axis=0) if mine else np.zeros((size, size), dtype=np.int64)


def people_against_model(
    answers: Answers,
    known: Numbers,
    model: Numbers | None = None,
    groups: NDArray[Any] | None = None,
    seed: int = 0,
    near: NDArray[np.bool_] | None = None,
) -> PeopleAgainstModel:
    """Compare persons and the model on the same cells.

    Parameters
    ----------
    answers
        What each person said.
    known
        ``(N,)`` class ids: the reference where it is known, 0 elsewhere.
    model
        ``(N,)`` class ids that the model gives cells it had not seen, 0 elsewhere; None without a model.
    groups
        ``(N,)``; image, well or movie of each cell, for intervals and tests.
    seed
        Same seed, same intervals.
    near
        ``(N,)`` bool; where the model was trained on other cells of the image; None: nowhere.
    """
    model = np.zeros(len(answers), dtype=np.int64) if model is None else model
    groups = answers.cells.image_id if groups is None else groups
    unseen = bool(model.any())
    used = (model != UNLABELLED) if unseen else np.ones(len(answers), dtype=bool)
    judge = _Judge(answers.take(used), known[used], model[used], groups[used], seed)
    persons = [one for one in map(judge.person, range(len(answers.names))) if one is not None]
    rest = [_average(persons), _best(persons), judge.vote(), judge.model()] if persons else []
    standings = (*persons, *(one for one in rest if one is not None))
    compared = judge.compared
    return PeopleAgainstModel(
        standings, answers.classes, int(compared.sum()), int((compared & (judge.known != UNLABELLED)).sum()), unseen,
        int((~used).sum()), 0 if near is None else int((compared & near[used]).sum()),
    )  # fmt: skip


class _Judge:
    """Measures everyone on the same cells."""

    def __init__(self, answers: Answers, known: Numbers, model: Numbers, groups: NDArray[Any], seed: int) -> None:
        self.answers, self.known = answers, known
        self._model, self._groups, self._seed = model, groups, seed
        self._place = {class_id: place for place, class_id in enumerate(answers.classes.ids)}
        self.compared = np.zeros(len(answers), dtype=bool)

    def person(self, column: int) -> Standing | None:
        """Return how a person does against what is known, else against what most others said."""
        reference = self._reference(majority(self.answers, but=column))
        return self._measured(self.answers.names[column], "person", reference, self.answers.class_ids[:, column])

    def vote(self) -> Standing | None:
        """Return how the vote of all does, where something is known: against itself it is always right."""
        return self._measured(VOTE, "vote", self.known, majority(self.answers))

    def model(self) -> Standing | None:
        """Return how the model does against what is known, else against what most persons said."""
        return self._measured(MODEL, "model", self._reference(majority(self.answers)), self._model)

    def _reference(self, said: Numbers) -> Numbers:
        return np.where(self.known != UNLABELLED, self.known, said)

    def _measured(self, name: str, kind: str, reference: Numbers, answer: Numbers) -> Standing | None:
        rows = (reference != UNLABELLED) & (answer != UNLABELLED)
        if not rows.any():
            return None
        self.compared |= rows
        truth, said, model, groups = (one[rows] for one in (reference, answer, self._model, self._groups))
        right = (truth == said).astype(np.float64)
        group = np.unique(groups, return_inverse=True)[1]
        drawn = mean_interval(right, group if group.max() else None, self._seed, least=0.0)
        interval = hull(drawn, wilson(right.sum(), len(right)))  # of all right, what is drawn knows no doubt
        found: dict[str, Any] = {"interval": interval, "confusion": self._confusion(truth, said)}
        if kind != "model" and model.all():
            found |= {"model": float((truth == model).mean()), "paired": self._paired(truth, said, model, groups)}
        return Standing(name, kind, int(rows.sum()), float(right.mean()), **found)

    def _paired(self, truth: Numbers, said: Numbers, model: Numbers, groups: NDArray[Any]) -> Paired:
        return compare(truth, said, model, groups, self._seed)

    def _confusion(self, truth: Numbers, said: Numbers) -> NDArray[np.int64]:
        size = len(self._place)
        down, across = (np.array([self._place[i] for i in ids.tolist()], dtype=np.int64) for ids in (truth, said))
        counts: NDArray[np.int64] = np.bincount(down * size + across, minlength=size * size).reshape(size, size)
        return counts


def _average(persons: Iterable[Standing]) -> Standing | None:
    """Return the mean over persons; None for one person alone."""
    all_of_them = list(persons)
    if len(all_of_them) < 2:
        return None
    mean, model = (float(np.mean([getattr(one, name) for one in all_of_them])) for name in ("accuracy", "model"))
    return Standing(AVERAGE, "average", sum(one.n for one in all_of_them), mean, model=model)


def _best(persons: Iterable[Standing]) -> Standing | None:
    all_of_them = list(persons)
    if len(all_of_them) < 2:
        return None
    best = max(all_of_them, key=lambda one: one.accuracy)
    return Standing(f"{BEST}: {best.name}", "best", best.n, best.accuracy, best.interval, best.model, best.paired)
