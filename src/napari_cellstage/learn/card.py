"""A model's card: plain JSON values that say what it is, what it was trained on, and by which versions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError

from napari_cellstage.core.errors import ModelError
from napari_cellstage.core.normalise import MODES, Normalisation
from napari_cellstage.core.whole_files import write_whole
from napari_cellstage.learn.data import TrainingSet

FORMAT = 1
CARD = "card.json"
STAIN = "stain"  # the kind of a card of a model that predicts stains, see `napari_cellstage.stain`


def normalisation_values(normalisation: Normalisation) -> dict[str, Any]:
    """Return how crops become a model's input, as JSON values."""
    return {"mode": normalisation.mode, "low": list(normalisation.low), "high": list(normalisation.high)}


def normalisation_from(values: dict[str, Any]) -> Normalisation:
    """Return it from JSON values; ValueError where they can't be."""
    low, high = tuple(map(float, values["low"])), tuple(map(float, values["high"]))
    if values["mode"] not in MODES:
        raise ValueError(f"its normalisation '{values['mode']}' is unknown")
    return Normalisation(values["mode"], low, high)


def split_values(data: TrainingSet, held_out: NDArray[np.bool_]) -> dict[str, Any]:
    """Return which cells were trained on and which held out, by name, as JSON values."""
    names = np.asarray(data.names, dtype=object)
    groups = sorted({str(g) for g in data.groups[held_out]})
    return {
        "trained": names[~held_out].tolist(),
        "held_out": names[held_out].tolist(),
        "groups_held_out": groups if len(set(data.groups.tolist())) > 1 else [],
    }


def label_counts(data: TrainingSet) -> dict[str, int]:
    """Return how many labelled cells each class has, by name."""
    counts = np.bincount(data.labels, minlength=len(data.classes)).tolist()
    return dict(zip(data.classes.names, counts, strict=True))


def checked_split(split: dict[str, Any]) -> dict[str, Any]:
    """Return the same; ValueError where it has no lists of names."""
    if not all(isinstance(split[part], list) for part in ("trained", "held_out")):
        raise ValueError("its split is no list of names")
    return split


def read_card(folder: Path) -> dict[str, Any]:
    """Return what a run's card says, without its model.

    Raises
    ------
    ModelError
        If there is none, it can't be read, or it is of another kind of model.
    """
    card = card_in(folder, FORMAT)
    if card.get("kind") == STAIN:
        raise ModelError(
            f"The model in '{folder}' predicts a stain, and tells no classes apart. Choose a run of a training on "
            "labelled cells; stains are predicted by `stain predict`, or on the dock's page Stain."
        )
    return card


def card_in(folder: Path, newest: int) -> dict[str, Any]:
    """Return what the card of any kind of model says.

    Parameters
    ----------
    folder
        Of the run.
    newest
        The newest format that can be read.

    Raises
    ------
    ModelError
        If there is none, it can't be read, or it is of a newer format.
    """
    file = folder / CARD
    if not file.is_file():
        raise ModelError(f"There is no model in '{folder}': {CARD} is missing. Choose a folder that a training made.")
    try:
        card = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as e:
        raise ModelError(f"'{file}' can't be read: {e}. Copy the run folder again, or train anew.") from e
    if not isinstance(card, dict) or not isinstance(card.get("format"), int):
        raise ModelError(f"'{file}' is no model card. Choose a folder that a training made.")
    if card["format"] > newest:
        raise ModelError(
            f"The model in '{folder}' is of format {card['format']}, this version reads up to {newest}. "
            "Update napari-cellstage."
        )
    return card


@contextmanager
def card_last(folder: Path, card: dict[str, Any]) -> Iterator[None]:
    """Write a card once the model's files are there, so that a folder with a card is whole.

    Raises
    ------
    ModelError
        If card or files can't be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / CARD).unlink(missing_ok=True)  # of a model that was here before
        yield
        (folder / CARD).write_text(_text(card), encoding="utf-8")
    except (OSError, SafetensorError) as e:
        raise ModelError(f"The model can't be saved in '{folder}': {e}. Make room, or choose another place.") from e


def write_card(folder: Path, card: dict[str, Any]) -> None:
    """Write what is known by now of a model that lies in a folder already.

    Raises
    ------
    ProjectError
        If it can't be written; what was there before is safe.
    """

    def write(file: Path) -> None:
        file.write_text(_text(card), encoding="utf-8")

    write_whole(folder / CARD, write)


def _text(card: dict[str, Any]) -> str:
    return json.dumps(card, indent=1, ensure_ascii=False)
