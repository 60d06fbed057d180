"""`write_bundle`: a run with all that others need to look at it and to train it again."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from napari_cellstage.core.review.unseen import Unseen
from napari_cellstage.core.safe_csv import write_csv
from napari_cellstage.learn.data import TrainingSet
from napari_cellstage.learn.events import BatchDone
from napari_cellstage.learn.examples import EXAMPLES
from napari_cellstage.learn.model import BOOSTER, CARD, MEMBERS, read_card
from napari_cellstage.learn.model import WEIGHTS as MODEL_WEIGHTS
from napari_cellstage.learn.recipe import Recipe
from napari_cellstage.learn.run_labels import LABELS as RUN_LABELS
from napari_cellstage.learn.run_labels import RunLabels
from napari_cellstage.learn.runs import HISTORY, PREDICTIONS, UNSEEN
from napari_cellstage.reporting.run_facts import read_run
from napari_cellstage.reporting.write import write_page
from napari_cellstage.sharing import contents
from napari_cellstage.sharing.contents import BundleError
from napari_cellstage.sharing.figures import Figures
from napari_cellstage.sharing.gather import Source, Wanted, gathered
from napari_cellstage.sharing.members import with_members
from napari_cellstage.sharing.pages import Told, notebook, readme, script
from napari_cellstage.sharing.pictures import original_names, picture_names, write_pictures
from napari_cellstage.sharing.place import beside, cannot_write, check_free, put
from napari_cellstage.sharing.private import without_paths
from napari_cellstage.sharing.then import labels_then

_OF_RUN = (CARD, MODEL_WEIGHTS, BOOSTER, HISTORY, PREDICTIONS, UNSEEN, EXAMPLES, RUN_LABELS)
_OF_MODEL = (".safetensors", ".ubj")


@dataclass(frozen=True)
class Shared:
    """A bundle that was written: where, how many cells, and what to know of it, as sentences."""

    place: Path
    cells: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class _Parts:
    """All that a bundle is made of."""

    run: Path
    card: dict[str, Any]
    recipe: Recipe
    labels: RunLabels
    data: TrainingSet
    folds: dict[str, int]
    figures: Figures
    notes: tuple[str, ...]


def write_bundle(
    run: Path,
    source: Source,
    out: Path,
    *,
    data_folder: Path | None = None,
    references: bool = False,
    overwrite: bool = False,
    should_stop: Callable[[], bool] = lambda: False,
) -> Generator[BatchDone, None, Shared | None]:
    """Write a bundle; iterate to do the work.

    Parameters
    ----------
    run
        Folder of the run.
    source
        The data that it was trained on: class folders with names as `cli.sources` gives them, or a project.
    out
        Folder to make, or file that ends in ``.zip``.
    data_folder
        Where the data are; taken out of everything that is written.
    references
        Names and hashes of the cells instead of their pictures.
    overwrite
        Another bundle there may be replaced.
    should_stop
        A stop leaves nothing.

    Returns
    -------
    Shared or None
        None when it was stopped.

    Raises
    ------
    CellStageError
        If the run or its data can't be used, or the place not be written.
    """
    check_free(out, overwrite)
    yield BatchDone("reading the run", 0, 1)
    parts = _parts(run, source)
    made = beside(out)
    try:
        names = original_names(parts.labels) if references else picture_names(parts.labels)
        if not references:
            yield from write_pictures(made, names, parts.data, should_stop)
        notes = _write_rest(made, parts, names, data_folder, references)
        if should_stop():
            return None
        yield from put(made, out)
    except OSError as e:
        raise cannot_write(out, e) from e
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return Shared(out, len(parts.labels), (*parts.notes, *notes))


def _parts(run: Path, source: Source) -> _Parts:
    card = read_card(run)
    try:
        recipe = Recipe().but(**card["recipe"])
    except (KeyError, TypeError) as e:
        raise BundleError(f"The card in '{run}' does not say how to train: {e}. Train anew.") from e
    labels, notes = labels_then(run, card, source, recipe)
    data = gathered(source, Wanted.of_card(card, labels), recipe)
    folds, more = _folds(run, card, labels)
    if card.get("stopped"):
        more += ("This training was stopped before its end; trained again it goes on to the end, and figures differ.",)
    return _Parts(run, card, recipe, labels, data, folds, Figures.of_card(card, len(set(folds.values()))), notes + more)


def _folds(run: Path, card: dict[str, Any], labels: RunLabels) -> tuple[dict[str, int], tuple[str, ...]]:
    """Return in which fold each cell was, where all were cross-validated with the labels of the training."""
    unseen = Unseen.load(run / UNSEEN) if card.get("cross_validated") else None
    if unseen is None or unseen.how != "out of fold":
        return {}, ()
    classes = np.array(unseen.classes.names)[unseen.truth].tolist()
    said = dict(zip(unseen.names.tolist(), classes, strict=True))
    if said != dict(zip(labels.names, labels.classes, strict=True)):
        return {}, (
            "The cross-validation of this run is of other labels than its training, or not of all cells: the bundle "
            "has the figures on held-out cells only.",
        )
    return dict(zip(unseen.names.tolist(), unseen.fold.tolist(), strict=True)), ()


def _write_rest(
    made: Path, parts: _Parts, names: list[str], data_folder: Path | None, references: bool
) -> tuple[str, ...]:
    """Write everything but the pictures; return what to know of it."""
    frame = parts.labels.frame()
    frame.insert(4, "picture", names)
    write_csv(frame, made / contents.LABELS)
    recipe, notes = _with_weights(with_members(parts.recipe, parts.run, made), made)
    (made / contents.RECIPE).write_text(recipe.to_toml(), encoding="utf-8")
    _write_json(made / contents.SPLIT, _split(parts))
    private = _private(parts, data_folder)
    _write_json(made / contents.FIGURES, without_paths(parts.figures.to_dict(), private))
    _copy_model(parts, recipe, made / contents.MODEL, private)
    shown = replace(read_run(made / contents.MODEL), folder=Path(parts.run.resolve().name))
    write_page(shown, made / contents.REPORT)
    told = Told(
        parts.run.resolve().name, parts.labels, parts.figures, references, _name(data_folder), notes + parts.notes
    )
    (made / contents.README).write_text(readme(told), encoding="utf-8")
    (made / contents.SCRIPT).write_text(script(), encoding="utf-8")
    _write_json(made / contents.NOTEBOOK, notebook(told))
    _write_manifest(made, parts.data, references)
    return notes


def _private(parts: _Parts, data_folder: Path | None) -> list[Path]:
    """Return the paths that nothing may name: of the data, the run and its project, the weights, and home."""
    project = [parts.run.resolve().parent.parent] if parts.run.resolve().parent.name == "runs" else []
    weights = [] if parts.recipe.weights in ("imagenet", "none") else [Path(parts.recipe.weights)]
    return [*([data_folder] if data_folder else []), parts.run, *project, *weights, Path.home()]


def _split(parts: _Parts) -> dict[str, Any]:
    names, held = parts.labels.names, parts.labels.held_out.tolist()
    return {
        "trained": [name for name, out in zip(names, held, strict=True) if not out],
        "held_out": [name for name, out in zip(names, held, strict=True) if out],
        "holdout": parts.recipe.holdout,
        "seed": parts.recipe.seed,
        "folds": parts.folds,
    }


def _with_weights(recipe: Recipe, made: Path) -> tuple[Recipe, tuple[str, ...]]:
    """Copy the file of weights that a recipe names, and return the recipe with its place in the bundle."""
    if recipe.weights in ("imagenet", "none"):
        return recipe, ()
    file = Path(recipe.weights)
    file = file / MODEL_WEIGHTS if file.is_dir() else file
    inside = f"{contents.WEIGHTS}/{file.name}"
    if not file.is_file():
        return recipe.but(weights=inside), (
            f"The file of weights that the network started from is gone ('{file.name}'): without it there is no rerun.",
        )
    (made / contents.WEIGHTS).mkdir()
    shutil.copyfile(file, made / inside)
    return recipe.but(weights=inside), ()


def _copy_model(parts: _Parts, recipe: Recipe, to: Path, private: list[Path]) -> None:
    """Copy the run folder without what others may have put there; cards without paths."""
    for file in _files_of(parts.run):
        copy = to / file.relative_to(parts.run)
        copy.parent.mkdir(parents=True, exist_ok=True)
        if file.suffix == ".json":
            _write_json(copy, without_paths(json.loads(file.read_text(encoding="utf-8")), private))
        else:
            shutil.copyfile(file, copy)
    card = without_paths(parts.card, private)
    card["recipe"] = card["recipe"] | {"weights": recipe.weights, "members": recipe.members}
    _write_json(to / CARD, card | {"data": contents.CROPS, "bundle": contents.FORMAT})


def _files_of(run: Path) -> Iterator[Path]:
    """Return the files of a run, and those of the models that it is made of, each in a folder with a card."""
    for file in sorted(run.iterdir()):
        if file.is_symlink():
            continue
        if file.is_dir() and (file.name == MEMBERS or (file / CARD).is_file()):
            yield from _files_of(file)
        elif file.is_file() and (file.name in _OF_RUN or file.suffix in _OF_MODEL):
            yield file


def _write_manifest(made: Path, data: TrainingSet, references: bool) -> None:
    files = sorted(file for file in made.rglob("*") if file.is_file())
    manifest = {
        "kind": contents.KIND,
        "format": contents.FORMAT,
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
        "pictures": contents.REFERENCES if references else contents.PIXELS_HERE,
        "crops": {"shape": data.crops.shape[1:], "dtype": data.crops.dtype.name, "masks": data.masks is not None},
        "files": {file.relative_to(made).as_posix(): contents.hash_of(file) for file in files},
    }
    _write_json(made / contents.MANIFEST, manifest)


def _write_json(file: Path, values: Any) -> None:
    file.write_text(json.dumps(values, indent=1, ensure_ascii=False), encoding="utf-8")


def _name(folder: Path | None) -> str:
    return "" if folder is None else folder.resolve().name
