"""Kind "ensemble": members trained on the same cells, whose calibrated probabilities are averaged.

The mean of several unlike models errs less than most of them (Dietterich 2000, Ensemble Methods in Machine Learning),
and is less sure than each, so that it is calibrated once more, on held-out cells.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.errors import TrainingStopped
from napari_cellstage.core.review.unseen import Unseen
from napari_cellstage.core.scoring.calibration import cautious_temperature, cross_fitted
from napari_cellstage.learn.averaging import mean_of
from napari_cellstage.learn.data import TrainingSet
from napari_cellstage.learn.events import BatchDone, EpochDone, Note, share_done
from napari_cellstage.learn.expected import Speed, Work, expected_seconds
from napari_cellstage.learn.fit import fit
from napari_cellstage.learn.held_out import scored, unseen_of
from napari_cellstage.learn.measure import FeaturesInMemory, KnownFeatures
from napari_cellstage.learn.members import member_names, member_recipes, without_effect
from napari_cellstage.learn.model import TrainedModel
from napari_cellstage.learn.recipe import Recipe

ShouldStop = Callable[[], bool]
Event = Note | BatchDone | EpochDone
Training = Generator[Event, None, TrainedModel]
_STEPS = 10_000  # of progress, for all members


def fit_ensemble(
    data: TrainingSet,
    recipe: Recipe,
    should_stop: ShouldStop,
    cache: KnownFeatures | None = None,
    held_out: NDArray[np.bool_] | None = None,
) -> Training:
    """Train the members one after the other, and average them; see `napari_cellstage.learn.fit.fit`.

    After a stop the members that are whole are the ensemble; the first one counts as it is.

    Raises
    ------
    TrainingError
        If the members can't be what the recipe says.
    TrainingStopped
        If it is stopped before there is any model.
    """
    recipes = member_recipes(recipe)
    if idle := without_effect(recipe):
        yield Note(f"Without effect on an ensemble, as its members have their own: {', '.join(idle)}.")
    held_out = data.held_out(recipe) if held_out is None else held_out
    members = yield from _Members(data, recipes, held_out, should_stop, cache or FeaturesInMemory()).trained()
    unseen, temperature = _calibrated(data, held_out, members, recipe.seed)
    return TrainedModel.of(
        data,
        recipe.but(members=", ".join(member_names(recipe)[: len(members)])),
        members[0].normalisation,
        held_out,
        scored(unseen),
        unseen=unseen,
        members=members,
        started_from="; ".join(dict.fromkeys(str(one.card["started_from"]) for one in members)),
        temperature=temperature,
        uses_masks=data.masks is not None,
        stopped=len(members) < len(recipes),
    )


@dataclass
class _Members:
    """The trainings of all members, with one bar of progress."""

    data: TrainingSet
    recipes: tuple[Recipe, ...]
    held_out: NDArray[np.bool_]
    should_stop: ShouldStop
    cache: KnownFeatures
    made: list[TrainedModel] = field(default_factory=list)

    def trained(self) -> Generator[Event, None, tuple[TrainedModel, ...]]:
        """Train them in turn, until stopped."""
        shares, count = self._shares(), len(self.recipes)
        for number, recipe in enumerate(self.recipes):
            if self.made and self.should_stop():
                break
            yield Note(f"Member {number + 1} of {count}: {recipe.name}.")
            part = float(shares[:number].sum()), float(shares[number])
            try:
                model = yield from self._followed(recipe, number, part)
            except TrainingStopped:
                if not self.made:
                    raise
                break
            if not self._is_whole(model):
                break
            self.made.append(model)
        if len(self.made) < count:
            names = ", ".join(one.recipe.name for one in self.made)
            yield Note(f"Stopped: {len(self.made)} of {count} members were trained, and are the ensemble: {names}.")
        return tuple(self.made)

    def _is_whole(self, model: TrainedModel) -> bool:
        """Return whether a member counts. The first one does though it was stopped, as there is no other."""
        if self.made:
            return not model.card.get("stopped", self.should_stop())
        if model.card.get("epochs_done") == 0:
            raise TrainingStopped(
                "Training was stopped before its first member had learned anything. Nothing has changed; train again."
            )
        return True

    def _shares(self) -> NDArray[np.float64]:
        """Return which share of the time each member should take, ``(M,)``."""
        work = Work(labelled=len(self.data), cells=len(self.data))
        seconds = np.array([expected_seconds((one.but(folds=0),), work, Speed()) for one in self.recipes])
        shares: NDArray[np.float64] = seconds / seconds.sum()
        return shares

    def _followed(self, recipe: Recipe, number: int, part: tuple[float, float]) -> Training:
        """Train one member, and pass on what it reports as part of the whole; its progress never goes back."""
        work = fit(self.data, recipe, self.should_stop, cache=self.cache, held_out=self.held_out)
        reached, (start, share) = 0.0, part
        try:
            while True:
                event = next(work)
                if isinstance(event, BatchDone):
                    reached = max(reached, share_done(event))
                    what = f"member {number + 1} of {len(self.recipes)}, {event.what}"
                    event = BatchDone(what, round(_STEPS * (start + share * reached)), _STEPS, event.loss)
                elif isinstance(event, EpochDone):
                    event = replace(event, member=f"{number + 1} {recipe.name}")
                yield event
        except StopIteration as end:
            model: TrainedModel = end.value
            return model
        finally:
            work.close()


def _calibrated(
    data: TrainingSet, held_out: NDArray[np.bool_], members: tuple[TrainedModel, ...], seed: int
) -> tuple[Unseen | None, float]:
    """Return what the mean says of held-out cells, each at a temperature from other groups, and that for new cells.

    No member has learned from these cells, and none chose anything by them.
    """
    seen = [one.unseen for one in members if one.unseen is not None]
    if len(seen) < len(members) or not held_out.any():
        return None, 1.0
    raw = mean_of([one.probabilities for one in seen])
    truth = data.labels[held_out]
    fair = cross_fitted(raw, truth, data.groups[held_out], seed)
    placed = next((one for one in seen if one.embedding is not None), seen[0])
    unseen = unseen_of(data, held_out, raw, fair, embedding=placed.embedding, unlike=placed.unlike)
    return unseen, cautious_temperature(raw, truth)
