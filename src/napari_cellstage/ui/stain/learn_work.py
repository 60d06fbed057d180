"""The work of learning a stain, for a worker; and of measuring shifts. No widgets; torch comes with the training."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_cellstage.core.errors import TrainingStopped
from napari_cellstage.learn.events import BatchDone, Note
from napari_cellstage.ui.stain.sources import FolderFacts, Source, look_into
from napari_cellstage.ui.workers import ShouldStop

if TYPE_CHECKING:
    from napari_cellstage.stain.pair import StainSet
    from napari_cellstage.stain.recipe import StainRecipe
    from napari_cellstage.stain.registration import Shift
    from napari_cellstage.stain.scores import StainScores

Work = Callable[[ShouldStop], Generator[Any, None, Any]]


@dataclass(frozen=True)
class Learned:
    """What came of a training, without its network.

    Parameters
    ----------
    run
        Name of the run folder.
    recipe
        Name of the recipe.
    stains
        What it predicts.
    scores
        On what was held out; None where there is none.
    """

    run: str
    recipe: str
    stains: tuple[str, ...]
    scores: StainScores | None


@dataclass(frozen=True)
class Measured:
    """The shift of one pair."""

    name: str
    shift: Shift


def learning(source: Source, recipe: StainRecipe, runs: Path, start: Path | None = None) -> Work:
    """Return the work of a training; `start` is the run folder of a model that learns more stains.

    Its result is a `Learned`; None when it was stopped before there was a model.
    """

    def work(should_stop: ShouldStop) -> Generator[Any, None, Learned | None]:
        try:
            return (yield from _learned(source, recipe, runs, start, should_stop))
        except TrainingStopped as stopped:
            yield Note(str(stopped))
            return None

    return work


def _learned(
    source: Source, recipe: StainRecipe, runs: Path, start: Path | None, should_stop: ShouldStop
) -> Generator[Any, None, Learned]:
    from threadpoolctl import threadpool_limits

    import napari_cellstage.learn.torch_start  # noqa: F401 - torch, in the way that survives an open viewer
    from napari_cellstage.learn.device import cpu_count
    from napari_cellstage.learn.runs import new_run_folder
    from napari_cellstage.stain.job import train_stain
    from napari_cellstage.stain.model import StainModel

    data = yield from _opened(source, should_stop)
    begun = None if start is None else StainModel.load(start)
    # With every core at work on matrices, the window and the work wait for each other.
    with threadpool_limits(max(1, cpu_count() - 1)):
        done = yield from train_stain(data, recipe, partial(new_run_folder, runs, recipe.name), should_stop, begun)
    return Learned(done.folder.name, recipe.name, tuple(done.model.stain_names), done.scores)


def _opened(source: Source, should_stop: ShouldStop) -> Generator[Any, None, StainSet]:
    yield BatchDone("opening the images", 0, 0)
    data = source.pairs(should_stop)
    for note in data.notes:
        yield Note(note)
    return data


def measuring(source: Source, most: int = 20) -> Work:
    """Return the work of measuring shifts, of so many pairs at most, spread over all; it yields `Measured`."""

    def work(should_stop: ShouldStop) -> Generator[Any, None, None]:
        from napari_cellstage.stain.registration import shift_of

        try:
            data = yield from _opened(source, should_stop)
        except TrainingStopped:
            return
        pairs = data.pairs[:: max(1, -(-len(data) // most))]
        for place, pair in enumerate(pairs):
            if should_stop():
                return
            yield BatchDone("measuring shifts", place, len(pairs))
            yield Measured(pair.name, shift_of(pair))

    return work


def looking(folder: Path) -> Work:
    """Return the work of looking into a folder, whose result is `FolderFacts`."""

    def work(_should_stop: ShouldStop) -> Generator[Any, None, FolderFacts]:
        yield BatchDone("looking into the folder", 0, 0)
        return look_into(folder)

    return work
