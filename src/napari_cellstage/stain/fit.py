"""`fit_stain`: from pairs of transmitted light and stain to a `StainModel`, in one loop that reads top to bottom.

What is held out measures the score and chooses nothing. What chooses the epoch is a validation part, where there are
images enough for one; else the last epoch is kept, and the live picture is of what is held out.
"""

from __future__ import annotations

from collections.abc import Generator

from napari_cellstage.learn.device import choose_device, cpu_threads, describe, repeatable
from napari_cellstage.learn.events import BatchDone, Note
from napari_cellstage.learn.learner import torch_errors_said_plainly
from napari_cellstage.stain.ending import model_of
from napari_cellstage.stain.lessons import Event, Lessons, Stop, Trained
from napari_cellstage.stain.model import StainModel
from napari_cellstage.stain.pair import StainSet
from napari_cellstage.stain.patches import Cutter, round_of, size_of
from napari_cellstage.stain.recipe import StainRecipe
from napari_cellstage.stain.splits import StainSplit, split_pairs
from napari_cellstage.stain.start import start_of
from napari_cellstage.stain.training_pixels import Shelf
from napari_cellstage.stain.transfer_split import split_after
from napari_cellstage.stain.validating import Watch

LEAST_FOR_VALIDATION = 20  # groups of images; a part of fewer would choose the epoch by chance


def never() -> bool:
    """Return False: nobody wants to stop."""
    return False


def fit_stain(
    data: StainSet, recipe: StainRecipe, should_stop: Stop = never, start: StainModel | None = None
) -> Generator[Event, None, StainModel]:
    """Train networks that predict stains; iterate to do the work, and take the model from the return value.

    Parameters
    ----------
    data
        Pairs of input and stains; part of them is held out to measure the score.
    recipe
        Every choice.
    should_stop
        Asked every batch; once True, training ends normally with the best model so far.
    start
        A model to go on from. Stains that it does not know yet get heads of their own, while the heads of stains that
        the data lack stay as they are; with the recipe's ``freeze`` its body does too, so that these stains are
        predicted exactly as before. What the network is like comes from the model, not from the recipe.

    Raises
    ------
    TrainingError
        If training can't start or go on, with the cause's own text; `TrainingStopped` after a stop before any step.
    """
    with cpu_threads(recipe.threads), repeatable(recipe.seed), torch_errors_said_plainly():
        return (yield from _train(data, recipe, should_stop, start))


def split_for(data: StainSet, recipe: StainRecipe) -> StainSplit:
    """Return which parts of pairs a training by this recipe learns from, chooses the epoch by, and holds out."""
    enough = len(set(data.groups)) >= LEAST_FOR_VALIDATION
    return split_pairs(data, recipe.holdout, recipe.validation if enough else 0.0, recipe.seed)


def _train(
    data: StainSet, recipe: StainRecipe, should_stop: Stop, model: StainModel | None
) -> Generator[Event, None, StainModel]:
    split = split_for(data, recipe) if model is None else split_after(split_for(data, recipe), data, model)
    start = start_of(data, split.train, recipe, model)
    size = size_of(split.train, start.recipe, start.plan)
    yield Note(f"{split.how} {describe(choose_device(recipe.device)).text}.")
    if start.kept and not recipe.freeze:
        yield Note(
            f"The network goes on learning, so {', '.join(start.kept)} may be predicted a little differently than "
            "before. Set freeze to keep that exactly."
        )
    shelf = Shelf(data, split.train, start.of_data, max(size.rows, size.columns))
    cutter = Cutter(start.plan, size, start.recipe)
    looked_at = split.validation or split.held_out
    watch = Watch.of(data, looked_at, cutter, start.of_data, data.stain_names, recipe.batch_size)
    patches = round_of(split.train, max(pair.depth_out for pair in data.pairs), size, recipe)
    lessons = Lessons(start, shelf, cutter, patches, watch, bool(split.validation), should_stop)
    members: list[Trained] = []
    for number in range(start.recipe.members):
        if not members or not should_stop():
            members.append((yield from lessons.member(number)))
    yield BatchDone("describing what was learned from", 0, 0)
    return model_of(data, split, start, watch, members, should_stop())
