"""What the Train button starts: recipes chosen, a snapshot taken, the work that the worker drives. No widgets."""

from __future__ import annotations

from collections.abc import Callable, Generator
from functools import lru_cache
from pathlib import Path
from typing import Any

from napari_cellstage.core.errors import TrainingError
from napari_cellstage.core.images import ImageStack
from napari_cellstage.core.snapshot import WorkSnapshot
from napari_cellstage.learn.inputs import check_side
from napari_cellstage.learn.recipe import Recipe
from napari_cellstage.session import Session
from napari_cellstage.ui.estimate import Work
from napari_cellstage.ui.workers import ShouldStop

# What the menu offers, and the recipes behind it; the first is the default.
PLANS: dict[str, tuple[str, ...]] = {
    "quick, then network": ("quick", "finetune"),
    "quick only": ("quick",),
    "network only": ("finetune",),
}

MUCH_LARGER = 1.5  # times: below, little of a picture is mirrored, or little of a cell unseen


def plan_recipes(plan: str, settings: Recipe) -> tuple[Recipe, ...]:
    """Return the recipes of a plan with the user's settings.

    Parameters
    ----------
    plan
        One of `PLANS`.
    settings
        What the form shows; its name and kind are replaced by the plan's. Its folds hold for every recipe; 0 leaves
        them to the recipe: cross-validating the quick one takes seconds, the network as often again as its training.
    """
    named = map(_built_in, PLANS[plan])
    return tuple(settings.but(name=one.name, kind=one.kind, folds=settings.folds or one.folds) for one in named)


@lru_cache
def _built_in(name: str) -> Recipe:
    """Return a built-in recipe; its file is read once, as this is asked after every label."""
    return Recipe.load(name)


def amount(session: Session) -> Work:
    """Return how many cells are labelled, and how many there are, over all images."""
    return Work(labelled=sum(session.training_counts().values()), cells=session.cell_total())


def missing_for_training(session: Session) -> str:
    """Return what has to be done before Train can be pressed, or an empty text."""
    counts = session.training_counts()
    if session.read_only:
        return "This project is open read-only, so nothing can be trained here."
    if session.blind:
        return "Blind labelling is on, and a model would show what others say. Switch it off under Review, People."
    if len(counts) < 2:
        have = "one class is" if counts else "no cells are"
        but = ", but for cells set aside for the final check" if session.audit_counts() else ""
        but += ", but for classes that are left out" if session.left_out else ""
        return f"So far {have} labelled{but}. Label a few cells of at least two classes; ten of each is a good start."
    if alone := [class_id for class_id, n in counts.items() if n == 1]:
        name = session.scheme.by_id(alone[0]).name
        return f"Class '{name}' has 1 labelled cell; training needs at least 2. Label another, or clear it (key 0)."
    return ""


def fit_note(session: Session, recipes: tuple[Recipe, ...]) -> str:
    """Return what is to be known of recipes on these images, or an empty text.

    Raises
    ------
    TrainingError
        If a network can't be made for pictures of the recipe's size.
    """
    for one in recipes:
        if one.kind == "finetune":
            check_side(one, one.crop_size)
    sides = [one.crop_size for one in recipes if one.crop == "pixels"]
    if session.current is None or not sides:
        return ""
    return _too_large(session.current, max(sides)) or _too_small(session, min(sides))


def _too_large(stack: ImageStack, side: int) -> str:
    there = stack.tile or min(stack.shape[-2:])
    if side <= MUCH_LARGER * there:
        return ""
    what = "the tiles of this contact sheet have" if stack.tile else "this image has"
    return (
        f"\n⚠ Pictures of {side} pixels are taken, but {what} only {there}: the rest is filled with mirrored pixels. "
        "Take smaller ones under 'What the model sees'."
    )


def _too_small(session: Session, side: int) -> str:
    cells = session.cells()
    across = cells.typical_diameter
    if not len(cells) or across <= MUCH_LARGER * side or (session.current is not None and session.current.tile):
        return ""
    return (
        f"\n⚠ Cells here are about {across:.0f} pixels across, and the model sees {side} of them. Take larger "
        "pictures, or 'size by' cell, under 'What the model sees'."
    )


def training(
    snapshot: WorkSnapshot, recipes: tuple[Recipe, ...], runs: Path
) -> Callable[[ShouldStop], Generator[Any, None, Any]]:
    """Return the work of a training. Torch is loaded when it begins, in the worker."""

    def work(should_stop: ShouldStop) -> Generator[Any, None, Any]:
        from threadpoolctl import threadpool_limits

        from napari_cellstage.learn.device import cpu_count
        from napari_cellstage.learn.job import train_and_predict

        # With every core at work on matrices, the window and the work wait for each other.
        with threadpool_limits(max(1, cpu_count() - 1)):
            return (yield from train_and_predict(snapshot, recipes, runs, should_stop))

    return work


def predicting(snapshot: WorkSnapshot, run: Path) -> Callable[[ShouldStop], Generator[Any, None, Any]]:
    """Return the work of predicting every cell with the model of a run."""

    def work(should_stop: ShouldStop) -> Generator[Any, None, Any]:
        from napari_cellstage.learn.job import predict_run

        return (yield from predict_run(snapshot, run, should_stop))

    return work


def runs_folder(session: Session) -> Path:
    """Return where the project's runs are kept.

    Raises
    ------
    TrainingError
        If no project is open.
    """
    if session.project is None:
        raise TrainingError("No project is open, so there is nothing to train on. Open an image first.")
    return session.project.runs


def dropped_text(session: Session, runs: Path, again: str) -> str:
    """Say why predictions were not taken over, and how to get them.

    Parameters
    ----------
    session
        Where they were not taken.
    runs
        Runs of the project that the work began in.
    again
        What to press in this project.
    """
    if session.project is not None and session.project.runs == runs:
        return f"The cells were changed meanwhile, so these predictions were dropped. {again}"
    return (
        f"The project was closed meanwhile. The model is kept in it: open '{runs.parent}' again, and press "
        "'Predict with it' in the step Review, under Runs."
    )
