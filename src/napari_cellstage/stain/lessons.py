"""`Lessons`: what all networks of one training of stains share, and how one of them is trained."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from torch import Tensor

from napari_cellstage.core.errors import TrainingError, TrainingStopped
from napari_cellstage.learn.device import choose_device
from napari_cellstage.learn.events import BatchDone, Note
from napari_cellstage.learn.keep import Keeper
from napari_cellstage.learn.learner import Stopped
from napari_cellstage.learn.schedule import one_cycle
from napari_cellstage.learn.torch_start import torch
from napari_cellstage.stain.events import StainEpoch
from napari_cellstage.stain.feeding import fed, relit, turned
from napari_cellstage.stain.learner import StainLearner, check_finite
from napari_cellstage.stain.networks import StainNetwork
from napari_cellstage.stain.patches import Cutter, Place, batches
from napari_cellstage.stain.start import Start
from napari_cellstage.stain.training_pixels import Held, Shelf
from napari_cellstage.stain.validating import Looked, Watch

Event = Note | BatchDone | StainEpoch
Stop = Callable[[], bool]


@dataclass(frozen=True, eq=False)
class Trained:
    """One network after its training: its best weights, and of which epoch they are; 0: of none that is whole."""

    network: StainNetwork
    epoch: int


@dataclass(eq=False)
class Lessons:
    """What all members of a training share.

    Parameters
    ----------
    start
        Network, names and scaling.
    shelf, cutter, patches
        What is learned from: its pixels, how patches are cut, how many an epoch has.
    watch, chooses
        What is looked at after each epoch, and whether it picks the epoch.
    should_stop
        Asked every batch.
    """

    start: Start
    shelf: Shelf
    cutter: Cutter
    patches: int
    watch: Watch
    chooses: bool
    should_stop: Stop
    _held: tuple[Held, ...] = field(default=(), init=False)
    _done: int = field(default=0, init=False)

    def member(self, number: int) -> Generator[Event, None, Trained]:
        """Train one network.

        Raises
        ------
        TrainingStopped
            After a stop before its first step.
        """
        pupil = yield from self._pupil(number)
        keeper, epochs = Keeper(0), self.start.recipe.epochs
        for epoch in range(1, epochs + 1):
            began, before = time.perf_counter(), self._done
            loss = yield from self._epoch(pupil, epoch)
            speed = (self._done - before) / (time.perf_counter() - began)
            if self.should_stop():
                break
            looked = self.watch.look(pupil.learner.look)
            keeper.look(pupil.learner.best_guess, epoch, looked.loss if self.chooses else math.nan)
            yield self._told(number * epochs + epoch, loss, looked, speed)
        if not pupil.learner.steps:
            raise TrainingStopped("The training was stopped before its first step. Start it again when you like.")
        self._done = (number + 1) * epochs * self.patches
        return Trained(keeper.restore(pupil.learner.best_guess), keeper.epoch)

    def _pupil(self, number: int) -> Generator[Event, None, _Pupil]:
        """Return a network before its first step."""
        recipe = self.start.recipe
        rng = np.random.default_rng([recipe.seed, number])
        self._held = yield from self.shelf.fill(rng, self.should_stop, self._held)
        if not self._held:
            raise TrainingStopped("The training was stopped before it had begun. Start it again when you like.")
        torch.manual_seed(recipe.seed + number)
        network = self.start.network(number, self._held).to(choose_device(recipe.device))
        learner = StainLearner(network, recipe, self.start.learned, self.start.model is not None, self.should_stop)
        changes = torch.Generator(learner.device).manual_seed(recipe.seed + number)
        return _Pupil(learner, rng, changes, recipe.batch_size)

    def _epoch(self, pupil: _Pupil, epoch: int) -> Generator[Event, None, float]:
        """Show a network one epoch's patches; return the mean loss, NaN when nothing was learned."""
        self._held = yield from self.shelf.fill(pupil.rng, self.should_stop, self._held)
        pending, losses = self.cutter.draw(self._held, self.patches, pupil.rng), list[float]()
        try:
            while pending and not self.should_stop():
                pending = yield from self._batches(pupil, epoch, pending, losses)
        except Stopped:
            pass  # the batch in which it was heard is not learned from
        return float(np.mean(losses)) if losses else math.nan

    def _batches(
        self, pupil: _Pupil, epoch: int, pending: list[Place], losses: list[float]
    ) -> Generator[Event, None, list[Place]]:
        """Learn from places until they are done, or a batch is too large; return those that are left."""
        learner, recipe = pupil.learner, pupil.learner.recipe
        dealt = list(batches(pending, pupil.batch_size))
        for places, (inputs, targets) in zip(dealt, self._fed(learner, dealt), strict=True):
            progress = (epoch - len(pending) / self.patches) / recipe.epochs
            try:
                moved = (inputs.to(learner.device), targets.to(learner.device))
                seen, truth = turned(*moved, recipe, pupil.changes)
                seen = relit(seen, recipe, pupil.changes)
                losses.append(float(learner.step(seen, truth, one_cycle(progress))))
            except torch.OutOfMemoryError as e:
                pupil.batch_size = _halved(pupil.batch_size, e)
                yield Note(f"The graphics memory is full, so batches are halved to {pupil.batch_size} pieces.")
                return pending
            check_finite(losses[-1])
            pending = pending[len(places) :]
            self._done += len(places)
            yield BatchDone(f"epoch {epoch}/{recipe.epochs}", self._done, self._total, losses[-1])
            if self.should_stop():
                break
        return pending

    def _fed(self, learner: StainLearner, dealt: Sequence[Sequence[Place]]) -> Iterator[tuple[Tensor, Tensor]]:
        return fed(self.cutter, self._held, dealt, ahead=learner.device.type == "cuda")

    def _told(self, epoch: int, loss: float, looked: Looked, speed: float) -> StainEpoch:
        epochs = self.start.recipe.members * self.start.recipe.epochs
        return StainEpoch(epoch, epochs, loss, looked.pearson, speed, looked.picture, self.chooses)

    @property
    def _total(self) -> int:
        return self.start.recipe.members * self.start.recipe.epochs * self.patches


@dataclass(eq=False)
class _Pupil:
    """One network in training, with its own random numbers."""

    learner: StainLearner
    rng: np.random.Generator
    changes: torch.Generator
    batch_size: int


def _halved(batch: int, error: Exception) -> int:
    if batch < 2:
        raise TrainingError(
            f"Not even one piece at a time fits into the graphics memory: {error}. Close other programs that use it, "
            "choose a smaller patch or fewer filters, or the CPU."
        ) from error
    torch.cuda.empty_cache()
    return batch // 2
