"""What a report is made of: read from a run folder, or put together for cells that a model was tried on.

A folder may lack anything but its card: what is missing is said in the report, with what to do about it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from napari_cellstage.core.classes import ClassScheme
from napari_cellstage.core.errors import CellStageError, ModelError
from napari_cellstage.core.review.unseen import Unseen
from napari_cellstage.core.safe_csv import read_csv
from napari_cellstage.core.scoring.scores import Scores
from napari_cellstage.learn.examples import Examples
from napari_cellstage.learn.model import CARD
from napari_cellstage.learn.run_records import UNSEEN, read_record
from napari_cellstage.learn.runs import HISTORY

Epochs = tuple[dict[str, float], ...]
_NEEDED: dict[str, type] = {
    "channel_names": list,
    "crop_size": int,
    "normalisation.mode": str,
    "split.trained": list,
    "split.held_out": list,
}
_OPTIONAL: dict[str, type] = {"versions": dict, "labels": dict, "audit": int, "left_out": list, "members": list}
_OTHER_SCORES = ("held_out_scores", "chosen_scores")


@dataclass(frozen=True)
class RunFacts:
    """All that a report tells.

    Parameters
    ----------
    folder
        Of the run.
    card
        The model's card; plain JSON values.
    classes
        With their colours.
    scores
        On cells that the models had not seen; None where there are none.
    unseen
        What was said about those cells; None where it is not known.
    examples
        Pictures of some of them; None where there are none.
    history
        One entry an epoch, those of each member of an ensemble after another.
    folds
        How many models were cross-validated; 0 where cells were held out.
    missing
        What the folder lacks, and what to do about it, as sentences.
    tried_on
        Name of the data that the model was tried on; empty for a report about the training itself.
    notes
        More sentences to show at the top.
    """

    folder: Path
    card: dict[str, Any]
    classes: ClassScheme
    scores: Scores | None
    unseen: Unseen | None = None
    examples: Examples | None = None
    history: Epochs = ()
    folds: int = 0
    missing: tuple[str, ...] = ()
    tried_on: str = ""
    notes: tuple[str, ...] = field(default=())

    @property
    def name(self) -> str:
        """Name of the run."""
        return self.folder.name or str(self.folder)

    @property
    def left_out(self) -> tuple[tuple[str, int], ...]:
        """Classes that were not to be told apart, and how many labelled cells each had."""
        listed = [one for one in self.card.get("left_out", ()) if isinstance(one, dict)]
        return tuple((str(one.get("name", "")), int(one.get("cells", 0))) for one in listed)

    @property
    def recipe(self) -> dict[str, Any]:
        """Every choice of the training."""
        return dict(self.card["recipe"])


def read_run(folder: Path) -> RunFacts:
    """Read a run folder.

    Raises
    ------
    ModelError
        If there is none, or it has no card that can be read.
    """
    folder = folder.resolve()  # "." has no name
    if not folder.is_dir():
        raise ModelError(f"There is no run folder '{folder}'. Name the folder that a training was saved in.")
    record = read_record(folder)
    if not record.recipe:
        raise ModelError(f"No report can be made of '{folder}': {record.problem}")
    missing = [record.problem] if record.problem else []
    unseen = _tried(lambda: Unseen.load(folder / UNSEEN), missing)
    examples = _tried(lambda: _examples(folder, len(record.classes)), missing)
    missing += _lacking(record.scores is not None, unseen, examples)
    return RunFacts(
        folder=folder,
        card=_card(folder / CARD),
        classes=record.classes,
        scores=record.scores,
        unseen=unseen,
        examples=examples,
        history=_history(folder / HISTORY),
        folds=record.cross_validated,
        missing=tuple(missing),
    )


def _card(file: Path) -> dict[str, Any]:
    """Return a card that has all a report can't do without, each of the right kind.

    Raises
    ------
    ModelError
        If it has not.
    """
    card: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    for name, kind in _NEEDED.items():
        value: Any = card
        for part in name.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        if not isinstance(value, kind):
            raise ModelError(
                f"'{file}' does not say what a report needs: {name} is {value!r}. Copy the folder again, or train anew."
            )
    for name, kind in _OPTIONAL.items():
        if not isinstance(card.get(name), kind):
            card.pop(name, None)
    for name in _OTHER_SCORES:
        try:
            _known = Scores.from_dict(card[name]) if card.get(name) else None
        except ValueError:
            del card[name]
    return card


def _examples(folder: Path, classes: int) -> Examples | None:
    """Return the pictures; none where they are of other classes than the card's."""
    found = Examples.load(folder)
    places = np.zeros(0) if found is None else np.concatenate([found.truth, found.predicted])
    return found if not len(places) or 0 <= places.min() <= places.max() < classes else None


def _tried(read: Any, problems: list[str]) -> Any:
    try:
        return read()
    except CellStageError as e:
        problems.append(str(e))
        return None


def _lacking(scored: bool, unseen: Unseen | None, examples: Examples | None) -> list[str]:
    """Return what a folder of an earlier version, or a training without held-out cells, does not have."""
    if not scored:
        return ["No cells were held out of this training, so nothing says how good it is: set a held-out share."]
    if unseen is None:
        return [
            f"This run has no {UNSEEN}, as it was made by an earlier version or its file was deleted: calibration, "
            "examples and suspected labels are not known. Train again to get them; the scores below are of the card."
        ]
    return [] if examples is not None else ["This run has no pictures of its cells. Train again to get them."]


def _history(file: Path) -> Epochs:
    """Return the epochs of a training; none where there is no table that can be read."""
    try:
        table = read_csv(file)
        table = table.drop(columns="member", errors="ignore")  # where the epochs begin anew, the next member does
        rows = [{str(name): float(text or "nan") for name, text in row.items()} for row in table.to_dict("records")]
    except (OSError, ValueError):
        return ()
    wanted = {"epoch", "train_loss", "valid_loss", "valid_accuracy"}
    return tuple(rows) if rows and wanted <= set(rows[0]) else ()
