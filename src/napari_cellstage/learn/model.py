"""`TrainedModel`: what a training leaves, on disk as plain numbers, for every kind of recipe.

A run folder holds ``card.json`` and ``weights.safetensors`` (a network, or the arrays of a linear head), or
``head.ubj`` (boosted trees in XGBoost's own format), or a folder of these for each member of an ensemble:
``members/0``, ``members/1``. There is no pickle, so loading a stranger's model runs no code.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.classes import ClassScheme
from napari_cellstage.core.errors import CellStageError, ModelError
from napari_cellstage.core.normalise import Normalisation
from napari_cellstage.core.predictions import HELD_OUT, NEITHER, TRAINED
from napari_cellstage.core.review.space import Space
from napari_cellstage.core.review.unseen import Unseen
from napari_cellstage.core.scoring.scores import Scores
from napari_cellstage.learn.card import (
    CARD,
    FORMAT,
    card_last,
    checked_split,
    label_counts,
    normalisation_from,
    normalisation_values,
    read_card,
    split_values,
)
from napari_cellstage.learn.cutting import depth_of
from napari_cellstage.learn.data import TrainingSet
from napari_cellstage.learn.machine import versions
from napari_cellstage.learn.model_files import BOOSTER, MEMBERS, WEIGHTS, read_files, write_files
from napari_cellstage.learn.recipe import Recipe

__all__ = ["BOOSTER", "CARD", "FORMAT", "MEMBERS", "WEIGHTS", "TrainedModel", "label_counts", "read_card"]


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
    members
        The models whose answers are averaged; empty but for an ensemble.
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
    members: tuple[TrainedModel, ...] = field(default=(), repr=False)

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
        members: tuple[TrainedModel, ...] = (),
        **details: Any,
    ) -> TrainedModel:
        """Make a model and its card.

        Parameters
        ----------
        data, recipe, normalisation, held_out, scores, arrays, booster, unseen, members
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
            "normalisation": normalisation_values(normalisation),
            "recipe": recipe.to_dict(),
            "seed": recipe.seed,
            "split": split_values(data, held_out),
            "scores": scores.to_dict() if scores else None,
            "labels": label_counts(data),
            "moment": data.moment,
            "audit": data.aside,
            "left_out": [{"id": one.id, "name": one.name, "cells": count} for one, count in data.left_out],
            "cross_validated": 0,
            "versions": versions(),
            **({"found_in": list(data.found_in)} if data.found_in else {}),
            **({"members": [_member_values(one) for one in members]} if members else {}),
            **details,
        }
        return cls(data.classes, recipe, normalisation, card, held_out, scores, arrays or {}, booster, unseen, members)

    @cached_property
    def space(self) -> Space | None:
        """Where cells lie in what it sees of them; None for a model of an earlier version.

        An ensemble has that of its first member that has one.
        """
        if not self.members:
            return Space.from_arrays(self.arrays)
        return next((one.space for one in self.members if one.space is not None), None)

    @property
    def kind(self) -> str:
        """``"quick"``, ``"finetune"`` or ``"ensemble"``."""
        return self.recipe.kind

    @property
    def network(self) -> TrainedModel | None:
        """The network that can be asked what it sees: itself, or its first member that is one; None without any."""
        return next((one for one in self.members or (self,) if one.kind == "finetune"), None)

    def on_device(self, device: str) -> TrainedModel:
        """Return the same model, to be used on a device; see `Recipe.device`."""
        members = tuple(one.on_device(device) for one in self.members)
        return replace(self, recipe=self.recipe.but(device=device), members=members)

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
        with card_last(folder, self.card):
            for number, one in enumerate(self.members):
                one.save(folder / MEMBERS / str(number))
            write_files(folder, self.arrays, self.booster)

    @classmethod
    def load(cls, folder: Path) -> TrainedModel:
        """Read a model from a run folder.

        Raises
        ------
        ModelError
            If the folder holds no whole model, or one of a newer version.
        """
        card = read_card(folder)
        arrays, booster = read_files(folder)
        try:
            return cls(
                classes=ClassScheme.from_dict(card["classes"]),
                # Device and threads are choices for the machine that trained.
                recipe=Recipe().but(**{**card["recipe"], "device": "auto", "threads": 0}),
                normalisation=normalisation_from(card["normalisation"]),
                card={**card, "crop_size": int(card["crop_size"]), "split": checked_split(card["split"])},
                held_out=np.zeros(0, dtype=bool),
                scores=Scores.from_dict(card["scores"]) if card["scores"] else None,
                arrays=arrays,
                booster=booster,
                members=_read_members(folder, card),
            )._checked(folder)
        except (KeyError, TypeError, ValueError, AttributeError, CellStageError) as e:
            if isinstance(e, ModelError):
                raise
            what = f"{e} is missing" if isinstance(e, KeyError) else str(e)
            raise ModelError(
                f"'{folder / CARD}' can't be used: {what}. Copy the run folder again, or train anew."
            ) from e

    def _checked(self, folder: Path) -> TrainedModel:
        if self.kind == "ensemble":
            self._check_members()
        elif not self.arrays and self.booster is None:
            raise ModelError(f"'{folder}' has a card but no {WEIGHTS} or {BOOSTER}. Copy the whole run folder.")
        ranges = self.normalisation
        if ranges.mode != "crop" and not len(ranges.low) == len(ranges.high) == self.input_count:
            raise ValueError(f"its normalisation is for {len(ranges.low)} channels, but it has {self.input_count}")
        return self

    def _check_members(self) -> None:
        """Raise ValueError unless all members see the same of a cell and know the same classes."""
        for number, one in enumerate(self.members):
            if one.classes.ids != self.classes.ids or one.classes.names != self.classes.names:
                raise ValueError(f"its member {number} knows other classes: {', '.join(one.classes.names)}")
            if (one.input_count, one.crop_size) != (self.input_count, self.crop_size):
                raise ValueError(f"its member {number} sees other pictures of the cells")


def _member_values(model: TrainedModel) -> dict[str, Any]:
    """Return what an ensemble's card says of a member, whose own card has the rest."""
    recipe = model.recipe
    said = {"network": recipe.network} if recipe.kind == "finetune" else {"classifier": model.card.get("classifier")}
    scores = {"accuracy": model.scores.accuracy} if model.scores else {}
    return {"recipe": recipe.name, "kind": recipe.kind, "seed": recipe.seed, **said, **scores}


def _read_members(folder: Path, card: dict[str, Any]) -> tuple[TrainedModel, ...]:
    if card["recipe"]["kind"] != "ensemble":
        return ()
    folders = [folder / MEMBERS / str(number) for number in range(len(card["members"]))]
    if not folders:
        raise ValueError("it is an ensemble without members")
    for one in folders:
        if read_card(one)["recipe"]["kind"] == "ensemble":
            raise ValueError(f"its member '{one.name}' is an ensemble itself")
    return tuple(TrainedModel.load(one) for one in folders)
