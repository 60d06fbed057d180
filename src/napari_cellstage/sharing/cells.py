"""What a bundle says is to be trained: its cells as a `TrainingSet` with the split and folds of then; its recipe."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.errors import CellStageError
from napari_cellstage.core.safe_csv import read_csv
from napari_cellstage.core.scoring.common_split import CommonSplit
from napari_cellstage.learn.data import TrainingSet
from napari_cellstage.learn.events import BatchDone
from napari_cellstage.learn.members import member_names, member_recipes
from napari_cellstage.learn.model import read_card
from napari_cellstage.learn.recipe import Recipe
from napari_cellstage.learn.run_labels import RunLabels
from napari_cellstage.sharing import contents
from napari_cellstage.sharing.contents import BundleError, leads_out, some
from napari_cellstage.sharing.figures import Figures
from napari_cellstage.sharing.gather import Source, Wanted, gathered
from napari_cellstage.sharing.opened import Bundle
from napari_cellstage.sharing.pictures import read_masks, read_pictures
from napari_cellstage.sharing.unpack import MOST_BYTES


@dataclass(frozen=True, eq=False)
class SplitOfThen(CommonSplit):
    """A split that is known already, cell by cell, whatever share, seed and number of folds are asked for."""

    held: NDArray[np.bool_]
    fold: NDArray[np.int64]

    def held_out(self, share: float, seed: int) -> NDArray[np.bool_]:
        """Return ``(N,)``; the cells that were held out then."""
        del share, seed
        return self.held

    def folds(self, folds: int, seed: int) -> NDArray[np.int64]:
        """Return ``(N,)``; the fold of each cell then."""
        del folds, seed
        return self.fold


@dataclass(frozen=True, eq=False)
class Contents:
    """What a bundle is about, without its pixels.

    Parameters
    ----------
    card
        Of the run.
    recipe
        With the place of its weights on this machine; the device is chosen anew.
    figures
        As obtained then.
    wanted
        Its cells.
    pictures
        One file a cell, relative to the bundle, or to its data.
    folds
        Fold of each cell, ``(N,)``; all 0 where it was not cross-validated.
    """

    card: dict[str, Any]
    recipe: Recipe
    figures: Figures
    wanted: Wanted
    pictures: tuple[str, ...]
    folds: NDArray[np.int64]


def contents_of(bundle: Bundle) -> Contents:
    """Read everything but the pixels.

    Raises
    ------
    BundleError
        If it does not hang together.
    """
    folder = bundle.folder
    card = read_card(folder / contents.MODEL)
    try:
        frame = read_csv(folder / contents.LABELS)
        labels, pictures = RunLabels.from_frame(frame), tuple(map(str, frame["picture"]))
        split = json.loads((folder / contents.SPLIT).read_text(encoding="utf-8"))
        figures = Figures.from_dict(json.loads((folder / contents.FIGURES).read_text(encoding="utf-8")))
        recipe = Recipe.load(str(folder / contents.RECIPE))
        folds = _folds(labels, split)
        crops = _checked_crops(bundle.manifest["crops"], len(labels))
        wanted = Wanted.of_card(card | {"crops": crops}, labels)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, CellStageError) as e:
        what = f"{e} is missing" if isinstance(e, KeyError) else str(e)
        raise BundleError(f"The bundle can't be trained again: {what}. Export the run anew.") from e
    if out := [name for name in pictures if leads_out(name)]:
        raise BundleError(f"The bundle is not used: {contents.LABELS} names {some(out)}, which points outside of it.")
    return Contents(card, _at_hand(recipe, bundle), figures, wanted, pictures, folds)


def cells_of(
    bundle: Bundle, held: Contents, source: Source | None, should_stop: Callable[[], bool]
) -> Generator[BatchDone, None, TrainingSet]:
    """Return the cells with their split.

    Parameters
    ----------
    bundle, held
        The bundle and what it is about.
    source
        The data, where the bundle has no pictures.
    should_stop
        Ends the reading; the caller asks it too.

    Raises
    ------
    BundleError
        If cells are not there, or not what was trained on.
    """
    if bundle.manifest.get("pictures") == contents.REFERENCES:
        if source is None:
            raise BundleError(
                "This bundle names its cells and has no pictures of them. Say with --data where the data are."
            )
        data = gathered(source, held.wanted, held.recipe)
    else:
        data = yield from _of_pictures(bundle, held, should_stop)
    split = SplitOfThen(data.labels, data.groups, np.arange(len(data)), held.wanted.labels.held_out, held.folds)
    return replace(data, split=split)


def _of_pictures(
    bundle: Bundle, held: Contents, should_stop: Callable[[], bool]
) -> Generator[BatchDone, None, TrainingSet]:
    if strangers := set(held.pictures) - set(bundle.manifest["files"]):
        raise BundleError(f"{contents.LABELS} of the bundle names {some(strangers)}, which its manifest does not.")
    shape = held.wanted.shape
    crops = yield from read_pictures(bundle.folder, held.pictures, shape, held.wanted.dtype, should_stop)
    masks = None
    if bundle.manifest["crops"]["masks"]:
        masks = read_masks(bundle.folder / contents.MASKS, len(held.pictures), *shape[1:])
    data = held.wanted.made(crops, masks)
    if not should_stop():
        held.wanted.check(data)
    return data


def _checked_crops(crops: dict[str, Any], cells: int) -> dict[str, Any]:
    """Return how the pixels of a cell are kept; ValueError where no cells can be kept so."""
    shape, dtype = [int(length) for length in crops["shape"]], np.dtype(str(crops["dtype"]))
    if len(shape) != 3 or min(shape) < 1 or dtype.kind not in "buif":
        raise ValueError(f"its cells are {dtype} {shape}, which pictures can't be")
    if (size := cells * math.prod(shape) * dtype.itemsize) > MOST_BYTES:
        raise ValueError(f"its {cells:,} cells of {shape} pixels would take {size / 1e9:,.0f} GB")
    return {"shape": shape, "dtype": dtype.name, "masks": bool(crops["masks"])}


def _folds(labels: RunLabels, split: dict[str, Any]) -> NDArray[np.int64]:
    """Return the fold of each cell; ValueError where the split is of other cells, or says other parts than they."""
    names, held = np.array(labels.names, dtype=object), labels.held_out
    if names[held].tolist() != split["held_out"] or names[~held].tolist() != split["trained"]:
        raise ValueError(f"{contents.SPLIT} and {contents.LABELS} do not say the same of each cell")
    return np.array([int(split["folds"].get(name, 0)) for name in labels.names], dtype=np.int64)


def _at_hand(recipe: Recipe, bundle: Bundle) -> Recipe:
    """Return a recipe for this machine: its weights are in the bundle, and a device is one that is here."""
    recipe = recipe.but(device="cpu" if recipe.device == "cpu" else "auto")
    files = [text.partition(".toml")[0] + ".toml" for text in member_names(recipe) if ".toml" in text]
    if out := [name for name in files if not Path(name).resolve().is_relative_to(bundle.folder.resolve())]:
        raise BundleError(f"The bundle is not used: its recipe names {some(out)}, which is not in it.")
    members = member_recipes(recipe) if recipe.kind == "ensemble" else ()
    for one in (recipe, *members):
        if not _starts_without_file(one) and leads_out(one.weights):
            raise BundleError(f"The bundle is not used: its recipe names '{one.weights}', which points outside of it.")
    return recipe if _starts_without_file(recipe) else recipe.but(weights=str(bundle.folder / recipe.weights))


def _starts_without_file(recipe: Recipe) -> bool:
    return recipe.weights in ("imagenet", "none")
