"""What Train does: pairs checked, a network trained, scored on what it had not seen, and kept in a run folder.

The dock and the command line both train by this. Loads no torch before it begins.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from napari_cellstage.learn.events import BatchDone, Note
from napari_cellstage.stain.events import StainEpoch
from napari_cellstage.stain.pair import StainSet
from napari_cellstage.stain.recipe import StainRecipe
from napari_cellstage.stain.scores import StainScores

if TYPE_CHECKING:
    from napari_cellstage.stain.model import StainModel


@dataclass(frozen=True, eq=False)
class StainTrained:
    """What came of a training.

    Parameters
    ----------
    model
        The model.
    folder
        Its run folder; None where it could not be kept.
    scores
        On the held-out part; None where there is none, or a stop came before it was scored.
    """

    model: StainModel
    folder: Path | None
    scores: StainScores | None


def train_stain(
    data: StainSet,
    recipe: StainRecipe,
    place: Callable[[], Path],
    should_stop: Callable[[], bool] = lambda: False,
    start: StainModel | None = None,
) -> Generator[Note | BatchDone | StainEpoch, None, StainTrained]:
    """Train by a recipe, score what was held out, and keep model, card, history and scores.

    Parameters
    ----------
    data
        Pairs, as they are opened; they are checked, and moved where the recipe says so, here.
    recipe
        How.
    place
        Makes the run folder; called when there is a model to keep.
    should_stop
        A stop ends the work normally, with the best model so far.
    start
        A model to go on from, or to add stains to.

    Yields
    ------
    Note, BatchDone, StainEpoch
        As they come.

    Raises
    ------
    CellStageError
        For anything the user can mend. A RuntimeError is never raised, as a viewer's worker would swallow it.
    """
    raise NotImplementedError
    yield
