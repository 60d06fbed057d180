"""The card of a model of stains: plain JSON values that say what it is and what it was trained on. Loads no torch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from napari_cellstage.core.errors import ModelError
from napari_cellstage.learn.card import STAIN, card_in
from napari_cellstage.stain.learned_from import identity
from napari_cellstage.stain.pair import StainSet
from napari_cellstage.stain.splits import Region, StainSplit

FORMAT = 1


def read_stain_card(folder: Path) -> dict[str, Any]:
    """Return what the card of a model of stains says, without its network.

    Raises
    ------
    ModelError
        If there is none, it can't be read, or it is of another kind of model.
    """
    card = card_in(folder, FORMAT)
    if card.get("kind") != STAIN:
        what = "tells classes of cells apart" if "classes" in card else f"is of kind '{card.get('kind')}'"
        raise ModelError(f"The model in '{folder}' {what}: it predicts no stain. Choose a run of a stain's training.")
    return card


def split_values(data: StainSet, split: StainSplit) -> dict[str, Any]:
    """Return which images, or parts of them, were for what, as JSON values; see `regions_of` for the way back."""
    parts = {"train": split.train, "validation": split.validation, "held_out": split.held_out}
    return {"how": split.how} | {name: [_told(data, one) for one in regions] for name, regions in parts.items()}


def regions_of(values: dict[str, Any], part: str, data: StainSet) -> tuple[Region, ...]:
    """Return the regions of a part (``"train"``, ``"validation"``, ``"held_out"``) that are in a set, by image name."""
    places = {pair.name: number for number, pair in enumerate(data.pairs)}
    told: Sequence[dict[str, Any]] = values[part]
    found = [(_place(one, data, places), one["pixels"]) for one in told]
    return tuple(Region(place, *pixels) for place, pixels in found if place is not None)


def _place(told: dict[str, Any], data: StainSet, places: dict[str, int]) -> int | None:
    """Return which pair of a set an image is: that at its place, as names may occur twice, else the one so named."""
    name, place = told["image"], int(told["pair"])
    if place < len(data) and data.pairs[place].name == name:
        return place
    return places.get(name)


def _told(data: StainSet, region: Region) -> dict[str, Any]:
    pair = data.pairs[region.pair]
    pixels = [region.top, region.left, region.bottom, region.right]
    return {
        "pair": region.pair,
        "image": pair.name,
        "group": pair.group,
        "identity": identity(pair),
        "pixels": pixels,
    }
