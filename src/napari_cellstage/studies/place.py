"""Where a study's results go, and whether an interrupted one may go on there."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from napari_cellstage import __version__
from napari_cellstage.learn.data import TrainingSet
from napari_cellstage.learn.recipe import Recipe
from napari_cellstage.studies.tables import StudyError, listed

FILE = "study.json"


def settle(out: Path, settings: dict[str, Any]) -> None:
    """Make the folder of a study, or make sure that what is in it is of the same study.

    Parameters
    ----------
    out
        The folder.
    settings
        All that decides the results, as plain JSON values.

    Raises
    ------
    StudyError
        If other results are there, or nothing can be written.
    """
    settings = json.loads(json.dumps(settings | {"version": __version__}))
    file = out / FILE
    try:
        if file.is_file():
            _check_same(json.loads(file.read_text(encoding="utf-8")), settings, out)
            return
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise StudyError(f"'{out}' is there already, and holds no study. Choose a new folder with --out.")
        out.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(settings, indent=1, ensure_ascii=False), encoding="utf-8")
    except (OSError, ValueError) as e:
        raise StudyError(f"'{out}' can't be used: {e}. Choose a new folder with --out.") from e


def digest_of(data: TrainingSet) -> str:
    """Return a short text that is another one where a pixel, a label, a name or a group is."""
    found = hashlib.blake2b(digest_size=8)
    for part in (data.crops, data.labels):
        found.update(np.ascontiguousarray(part).data)
    found.update("\n".join((*data.names, *data.classes.names, *data.groups.tolist())).encode())
    return found.hexdigest()


def digest_of_choices(recipes: Iterable[Recipe]) -> str:
    """Return a short text that is another one where a choice of a recipe is, but for those of the machine."""
    chosen = [one.but(device="auto", threads=0).to_dict() for one in recipes]
    return hashlib.blake2b(json.dumps(chosen, sort_keys=True).encode(), digest_size=8).hexdigest()


def digest_of_recipes(recipes: Iterable[Recipe]) -> str:
    """Return a short text that is another one where any choice of a recipe is."""
    choices = json.dumps([recipe.to_dict() for recipe in recipes], sort_keys=True)
    return hashlib.blake2b(choices.encode(), digest_size=8).hexdigest()


def _check_same(there: Any, wanted: dict[str, Any], out: Path) -> None:
    if not isinstance(there, dict):
        raise ValueError(f"{FILE} in it is of something else")
    others = sorted(name for name in wanted if there.get(name) != wanted[name])
    if others:
        raise StudyError(
            f"'{out}' holds a study with another {listed(others)}. Choose a new folder with --out, "
            "or start it as it was to go on."
        )
