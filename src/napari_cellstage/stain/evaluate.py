"""A model of stains scored on images, or on parts of them, that it had not learned from."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.errors import TrainingError
from napari_cellstage.learn.events import BatchDone, Note
from napari_cellstage.stain.baseline import BestPlane, best_planes
from napari_cellstage.stain.learned_from import calibrated_by
from napari_cellstage.stain.scored_parts import Parts, parts_for
from napari_cellstage.stain.scorer import Scorer, Shown
from napari_cellstage.stain.scores import StainScores
from napari_cellstage.stain.tallies import correlation, moments

if TYPE_CHECKING:
    from napari_cellstage.stain.model import StainModel
    from napari_cellstage.stain.pair import StainSet
    from napari_cellstage.stain.splits import Region

Floats = NDArray[np.float32]
SMALL = 128  # pixels a side: images of one such size, as of cells, have a mean image


def evaluate_stain(
    model: StainModel,
    data: StainSet,
    regions: Sequence[Region] | None = None,
    should_stop: Callable[[], bool] = lambda: False,
    *,
    train: Sequence[Region] | None = None,
    labels: Sequence[NDArray[Any] | None] | None = None,
) -> Generator[Note | BatchDone, None, StainScores]:
    """Score a model on pairs of input and true stain.

    Parameters
    ----------
    model
        As it is.
    data
        Pairs; with its stains by name, or in the model's order.
    regions
        What is scored, such as ``split.held_out``; None: every pair, whole.
    should_stop
        Asked between batches; what was not reached is not scored.
    train
        Where the model has learned, on which the baseline is chosen; None: no baseline.
    labels
        ``(Z, Y, X)`` or ``(Y, X)`` integers a pair, or None: cells, of which each gets its own r.

    Raises
    ------
    ModelError
        If the pairs lack an input or all stains of the model.
    TrainingError
        If there is nothing to score.
    """
    from napari_cellstage.learn.device import cpu_threads
    from napari_cellstage.stain.one_image import Work

    parts = parts_for(model, data, regions)
    yield from map(Note, parts.notes)
    board = _Board(model, parts, train, labels)
    with cpu_threads(model.recipe.threads):
        done = 0
        for number, answer in parts.answers(Work.of(model), should_stop):
            board.take(number, answer)
            done += 1
            yield BatchDone("scoring", done, len(parts.regions))
    scores = board.scores(done)
    yield from map(Note, scores.notes[len(parts.notes) :])
    return scores


class _Board:
    """What is measured of each part, and what comes of it."""

    def __init__(
        self,
        model: StainModel,
        parts: Parts,
        train: Sequence[Region] | None,
        labels: Sequence[NDArray[Any] | None] | None,
    ) -> None:
        self._model, self._parts, self._labels = model, parts, labels
        self._ends = tuple(model.scaling.stains[place] for place in parts.stains)
        means = _mean_images(parts, train or parts.regions)
        names = [model.stain_names[place] for place in parts.stains]
        self._scorers = [
            Scorer(name, ends, None if means is None else _scaled(means[place], ends))
            for place, (name, ends) in enumerate(zip(names, self._ends, strict=True))
        ]
        self._best: list[BestPlane] = best_planes(parts.data, train, range(len(names))) if train else []

    def take(self, number: int, answer: Floats) -> None:
        """Score one part."""
        region, stains = self._parts.regions[number], len(self._model.stain_names)
        pair = self._parts.data.pairs[region.pair]
        shown, truth = Shown(self._parts.name(number), pair.group, pair.t), self._parts.truth(number)
        y, x = region.slices
        cells = None if self._labels is None else self._labels[region.pair]
        here = None if cells is None else np.broadcast_to(cells[..., y, x], truth.shape[1:])
        seen = pair.read_input(y=y, x=x) if self._best else None
        for place, scorer in enumerate(self._scorers):
            own = self._parts.stains[place]
            scaled = _scaled(truth[place], self._ends[place])
            scorer.add(shown, scaled, answer[own], answer[stains + own], here)
            if seen is not None:
                plane = np.broadcast_to(self._best[place].of(seen), scaled.shape)
                scorer.baseline.append(float(correlation(moments(scaled, plane))))

    def scores(self, done: int) -> StainScores:
        """Return all figures."""
        if not done:
            raise TrainingError("Scoring was stopped before anything was scored.")
        texts = [one.text(self._model.input_names) for one in self._best] or [""] * len(self._scorers)
        stains = tuple(one.score(text, self._model.recipe.seed) for one, text in zip(self._scorers, texts, strict=True))
        total = len(self._parts.regions)
        notes = [*self._parts.notes, *_notes(self._scorers)]
        if done < total:
            notes.append(f"Stopped: {done} of {total} images were scored.")
        here = calibrated_by(self._model.card, self._parts.data, self._parts.regions[:done])
        return StainScores(stains, done, tuple(notes), done < total, here)


def _notes(scorers: Sequence[Scorer]) -> list[str]:
    """Say of each stain for how many images there is no r, and why."""
    notes = []
    for scorer in scorers:
        for text in dict.fromkeys(one.note for one in scorer.images if one.note):
            count = sum(one.note == text for one in scorer.images)
            notes.append(
                f"{text} So it is in {count} of {len(scorer.images)} images." if len(scorer.images) > 1 else text
            )
    return notes


def _mean_images(parts: Parts, regions: Sequence[Region]) -> Floats | None:
    """Return ``(S, Zout, h, w)`` mean true stains, where there are several regions, all of one small size."""
    sizes = {(one.bottom - one.top, one.right - one.left) for one in (*regions, *parts.regions)}
    if len(sizes) > 1 or max(next(iter(sizes))) > SMALL or len(parts.regions) < 2:
        return None
    total: Any = 0.0
    count: Any = 0.0
    for region in regions:
        y, x = region.slices
        truth = parts.data.pairs[region.pair].read_target(y=y, x=x).astype(np.float64)
        total, count = total + np.nan_to_num(truth), count + np.isfinite(truth)
    with np.errstate(invalid="ignore"):
        return np.asarray(total / count, np.float32)


def _scaled(values: Floats, ends: tuple[float, float]) -> Floats:
    return ((values - ends[0]) / (ends[1] - ends[0])).astype(np.float32)
