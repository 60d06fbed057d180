"""`TrainedModel`: what a training leaves, on disk as plain numbers, for both kinds of recipe.

A run folder holds ``card.json`` and ``weights.safetensors`` (a network, or the arrays of a linear head), or
``head.ubj`` (boosted trees in XGBoost's own format). There is no pickle, so loading a stranger's model runs no code.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from napari_cellstage.core.classes import ClassScheme
from napari_cellstage.core.errors import CellStageError, ModelError
from napari_cellstage.core.normalise import MODES, Normalisation
from napari_cellstage.core.predictions import HELD_OUT, NEITHER, TRAINED
from napari_cellstage.core.review.space import Space
from napari_cellstage.core.review.unseen import Unseen
from napari_cellstage.core.scoring.scores import Scores
from napari_cellstage.learn.cutting import depth_of
from napari_cellstage.learn.data import TrainingSet
from napari_cellstage.learn.recipe import Recipe

FORMAT = 1
CARD, WEIGHTS, BOOSTER = "card.json", "weights.safetensors", "head.ubj"


@dataclass(frozen=True)
class TrainedModel:
    """A trained classifier of single cells. Made by `TrainedModel.of`.

    Parameters
    ----------
    classes
        The K classes, in the order of the probabilities.
    recipe
        How it was trained.
    normalisation
        How raw crops become its input.
    card
        Plain JSON values: all of the above, and what it was trained on; what is in ``card.json``.
    held_out
        ``(N,)`` bool; the cells of the training set kept out of training. Empty for a model from disk, whose card
        names them.
    scores
        On the held-out cells, or None when there were none.
    arrays
        Name to array: the network's parameters, or a linear head's.
    booster
        XGBoost's UBJSON, or None.
    unseen
        What it says about its held-out cells; None when there were none, and for a model from disk, whose run folder
        has a file of them.
    """

    classes: ClassScheme
    recipe: Recipe
    normalisation: Normalisation
    card: dict[str, Any]
    held_out: NDArray[np.bool_]
    scores: Scores | None
    arrays: dict[str, NDArray[Any]] = field(default_factory=dict, repr=False)
    booster: bytes | None = field(default=None, repr=False)
    unseen: Unseen | None = field(default=None, repr=False)

    @classmethod
    def of(
        cls,
        data: TrainingSet,
        recipe: Recipe,
        normalisation: Normalisation,
        held_out: NDArray[np.bool_],
        scores: Scores | None,
        *,
        arrays: dict[str, NDArray[Any]] | None = None,
        booster: bytes | None = None,
        unseen: Unseen | None = None,
        **details: Any,
    ) -> TrainedModel:
        """Make a model and its card.

        Parameters
        ----------
        data, recipe, normalisation, held_out, scores, arrays, booster, unseen
            What it was made from; see the class.
        **details
            More plain JSON values for the card, such as ``started_from``.
        """
        card = {
            "format": FORMAT,
            "made": datetime.now(UTC).isoformat(timespec="seconds"),
            "classes": data.classes.to_dict(),
            "channels": list(data.channels),
            "channel_names": list(data.channel_names),
            "crop_size": data.crop_size,
            "normalisation": _normalisation_values(normalisation),
            "recipe": recipe.to_dict(),
            "seed": recipe.seed,
            "split": _split_values(data, held_out),
            "scores": scores.to_dict() if scores else None,
            "labels": label_counts(data),
            "moment": data.moment,
            "audit": data.aside,
            "left_out": [{"id": one.id, "name": one.name, "cells": count} for one, count in data.left_out],
            "cross_validated": 0,
            "versions": _versions(),
            **details,
        }
        return cls(data.classes, recipe, normalisation, card, held_out, scores, arrays or {}, booster, unseen)

    @cached_property
    def space(self) -> Space | None:
        """Where cells lie in what it sees of them; None for a model of an earlier version."""
        return Space.from_arrays(self.arrays)

    @property
    def kind(self) -> str:
        """``"quick"`` or ``"finetune"``."""
        return self.recipe.kind

    @property
    def channel_count(self) -> int:
        """How many channels of an image it looks at."""
        return len(self.card["channels"])

    @property
    def input_count(self) -> int:
        """How many channels its crops have: several for each of the image's where it sees all planes."""
        return self.channel_count * depth_of(self.recipe).channels

    @property
    def cutting(self) -> Recipe:
        """How cells are cut out for it."""
        return self.recipe.but(crop_size=self.crop_size)

    @property
    def crop_size(self) -> int:
        """Side of the square around each cell that it looks at, in pixels."""
        return int(self.card["crop_size"])

    def parts(self, names: list[str]) -> NDArray[np.uint8]:
        """Return what each named cell was to this model: `NEITHER`, `TRAINED` or `HELD_OUT`."""
        known = dict.fromkeys(self.card["split"]["trained"], TRAINED)
        known |= dict.fromkeys(self.card["split"]["held_out"], HELD_OUT)
        return np.array([known.get(name, NEITHER) for name in names], dtype=np.uint8)

    def check_channels(self, count: int) -> None:
        """Raise `ModelError` unless an image with this many channels fits."""
        if count != self.channel_count:
            names = ", ".join(self.card["channel_names"]) or "unnamed"
            raise ModelError(
                f"The model looks at {self.channel_count} channel{'s' if self.channel_count != 1 else ''} ({names}), "
                f"but {count} {'were' if count != 1 else 'was'} given. Choose as many channels for the network "
                "(on the command line: --use-channel), or train a new model."
            )

    def check_crops(self, count: int) -> None:
        """Raise `ModelError` unless crops with this many channels fit."""
        planes = self.input_count // self.channel_count
        if planes == 1:
            self.check_channels(count)
        elif count != self.input_count:
            raise ModelError(
                f"The model looks at {planes} planes of {self.channel_count} channels, {self.input_count} pictures a "
                f"cell, but {count} were given. Predict the cells of an image, or train a model with one plane."
            )

    def save(self, folder: Path) -> None:
        """Write the model into a folder, the card last: a folder with a card is whole."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if self.arrays:
                save_file({k: np.ascontiguousarray(v) for k, v in self.arrays.items()}, folder / WEIGHTS)
            if self.booster is not None:
                (folder / BOOSTER).write_bytes(self.booster)
            text = json.dumps(self.card, indent=1, ensure_ascii=False)
            (folder / CARD).write_text(text, encoding="utf-8")
        except (OSError, SafetensorError) as e:
            raise ModelError(f"The model can't be saved in '{folder}': {e}. Make room, or choose another place.") from e

    @classmethod
    def load(cls, folder: Path) -> TrainedModel:
        """Read a model from a run folder.

        Raises
        ------
        ModelError
            If the folder holds no whole model, or one of a newer version.
        """
        card = read_card(folder)
        try:
            return cls(
                classes=ClassScheme.from_dict(card["classes"]),
                # Device and threads are choices for the machine that trained.
                recipe=Recipe().but(**{**card["recipe"], "device": "auto", "threads": 0}),
                normalisation=_normalisation_from(card["normalisation"]),
                card={**card, "crop_size": int(card["crop_size"]), "split": _checked_split(card["split"])},
                held_out=np.zeros(0, dtype=bool),
                scores=Scores.from_dict(card["scores"]) if card["scores"] else None,
                arrays=_read_arrays(folder / WEIGHTS),
                booster=_read_bytes(folder / BOOSTER),
            )._checked(folder)
        except (KeyError, TypeError, ValueError, AttributeError, CellStageError) as e:
            if isinstance(e, ModelError):
                raise
            what = f"{e} is missing" if isinstance(e, KeyError) else str(e)
            raise ModelError(
                f"'{folder / CARD}' can't be used: {what}. Copy the run folder again, or train anew."
            ) from e

    def _checked(self, folder: Path) -> TrainedModel:
        if not self.arrays and self.booster is None:
            raise ModelError(f"'{folder}' has a card but no {WEIGHTS} or {BOOSTER}. Copy the whole run folder.")
        ranges = self.normalisation
        if ranges.mode != "crop" and not len(ranges.low) == len(ranges.high) == self.input_count:
            raise ValueError(f"its normalisation is for {len(ranges.low)} channels, but it has {self.input_count}")
        return self


def _normalisation_values(normalisation: Normalisation) -> dict[str, Any]:
    return {"mode": normalisation.mode, "low": list(normalisation.low), "high": list(normalisation.high)}


def _normalisation_from(values: dict[str, Any]) -> Normalisation:
    low, high = tuple(map(float, values["low"])), tuple(map(float, values["high"]))
    if values["mode"] not in MODES:
        raise ValueError(f"its normalisation '{values['mode']}' is unknown")
    return Normalisation(values["mode"], low, high)


def _split_values(data: TrainingSet, held_out: NDArray[np.bool_]) -> dict[str, Any]:
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


def _checked_split(split: dict[str, Any]) -> dict[str, Any]:
    if not all(isinstance(split[part], list) for part in ("trained", "held_out")):
        raise ValueError("its split is no list of names")
    return split


def _versions() -> dict[str, str]:
    found = {}
    for name in ("napari-cellstage", "numpy", "scikit-learn", "torch", "torchvision", "xgboost"):
        with suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def read_card(folder: Path) -> dict[str, Any]:
    """Return what a run's card says, without its model.

    Raises
    ------
    ModelError
        If there is none, or it can't be read.
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
    if card["format"] > FORMAT:
        raise ModelError(
            f"The model in '{folder}' is of format {card['format']}, this version reads up to {FORMAT}. "
            "Update napari-cellstage."
        )
    return card


def _read_arrays(file: Path) -> dict[str, NDArray[Any]]:
    if not file.is_file():
        return {}
    try:
        arrays: dict[str, NDArray[Any]] = load_file(file)
    except (OSError, SafetensorError) as e:
        raise ModelError(f"'{file}' is damaged or cut short: {e}. Copy the run folder again, or train anew.") from e
    return arrays


def _read_bytes(file: Path) -> bytes | None:
    return file.read_bytes() if file.is_file() else None
