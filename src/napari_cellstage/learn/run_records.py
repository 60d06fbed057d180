"""What is known of earlier trainings without loading their models: from the cards of the run folders."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from napari_cellstage.core.classes import ClassScheme
from napari_cellstage.core.errors import CellStageError
from napari_cellstage.core.scoring.scores import Scores
from napari_cellstage.learn.card import CARD, STAIN
from napari_cellstage.learn.model_files import has_model

UNSEEN = "unseen.npz"
OF_STAINS = "It is a model of stains, which tells no classes apart."
_REMEMBERED = 1000  # cards


@dataclass(frozen=True)
class RunRecord:
    """One training, as its folder tells it.

    Parameters
    ----------
    folder
        Where it is.
    made
        When, as text of ISO 8601 in UTC; empty where the card does not say.
    recipe
        Name of its recipe.
    labels
        How many labelled cells each class had, by the class's name.
    classes
        The classes, with ids and colours as they were then.
    scores
        On cells that its models had not seen: those of ``unseen.npz`` where there is one.
    cross_validated
        How many folds ``unseen.npz`` is from; 0 where it is of the held-out part.
    moment
        Last entry of the journal of labels that the training saw; 0 where the card does not say.
    has_model
        Its model file is there.
    has_unseen
        Its predictions for cells that its models had not seen are there.
    problem
        What is wrong with the folder, in a sentence; empty when nothing is.
    """

    folder: Path
    made: str = ""
    recipe: str = ""
    labels: dict[str, int] = field(default_factory=dict)
    classes: ClassScheme = field(default_factory=ClassScheme)
    scores: Scores | None = None
    cross_validated: int = 0
    moment: int = 0
    has_model: bool = False
    has_unseen: bool = False
    problem: str = ""

    @property
    def name(self) -> str:
        """Name of the run: its folder's."""
        return self.folder.name


def list_runs(runs: Path) -> tuple[RunRecord, ...]:
    """Return what is known of every training in a folder of runs, the newest first; damaged ones are among them.

    Models of stains lie there too, and are left out.
    """
    try:
        folders = [one for one in runs.iterdir() if one.is_dir()]
    except OSError:
        return ()
    records = [read_record(folder) for folder in folders]
    records = [one for one in records if one.problem != OF_STAINS]
    return tuple(sorted(records, key=lambda one: (one.made, one.name), reverse=True))


def read_record(folder: Path) -> RunRecord:
    """Return what is known of one training; what is wrong is in `problem`, nothing is raised."""
    whole = has_model(folder)
    there: dict[str, Any] = {"has_model": whole, "has_unseen": (folder / UNSEEN).is_file()}
    try:
        stat = (folder / CARD).stat()
        told = _told(folder / CARD, stat.st_mtime_ns, stat.st_size)
    except FileNotFoundError:
        return RunRecord(folder, problem=f"{CARD} is missing: the training was cut short, or it was deleted.", **there)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, CellStageError) as e:
        return RunRecord(folder, problem=f"{CARD} can't be read: {e}. Copy the folder again, or train anew.", **there)
    if not told:
        return RunRecord(folder, problem=OF_STAINS, **there)
    gone = "" if whole else "The model's file is gone, so it can't predict any more; what it said is kept."
    return RunRecord(folder, **told, **there, problem=gone)


@lru_cache(maxsize=_REMEMBERED)
def _told(file: Path, changed: int, size: int) -> dict[str, Any]:  # noqa: ARG001 - another file is read again
    """Return what a card says, as fields of a `RunRecord`: less in earlier versions, nothing for a model of stains."""
    card = json.loads(file.read_text(encoding="utf-8"))
    if card.get("kind") == STAIN:
        return {}
    return {
        "made": str(card.get("made", "")),
        "recipe": str(card["recipe"]["name"]),
        "labels": {str(name): int(count) for name, count in card.get("labels", {}).items()},
        "classes": ClassScheme.from_dict(card["classes"]),
        "scores": Scores.from_dict(card["scores"]) if card.get("scores") else None,
        "cross_validated": int(card.get("cross_validated", 0)),
        "moment": int(card.get("moment", 0)),
    }
