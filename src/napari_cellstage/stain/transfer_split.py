"""What a model that a training starts from has learned already is not held out again. Loads no torch."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from napari_cellstage.stain.learned_from import fresh
from napari_cellstage.stain.model import StainModel
from napari_cellstage.stain.pair import StainSet
from napari_cellstage.stain.splits import Region, StainSplit

EARLIER = "earlier"  # in a card's split: what the models learned from that it was started from


def learned(model: StainModel) -> list[dict[str, Any]]:
    """Return all that a model, and those that it was started from, have learned from, as its card names it."""
    split = model.card["split"]
    return [*split["train"], *split["validation"], *split.get(EARLIER, [])]


def split_after(split: StainSplit, data: StainSet, model: StainModel) -> StainSplit:
    """Return a split whose held-out and validation part is new to a model; what is not is trained on.

    Where all stains are new to the model nothing changes: it has seen the light of these images, but none of their
    stains.

    Parameters
    ----------
    split
        As it would be for a training that starts anew.
    data
        What is split.
    model
        What the training starts from.
    """
    if not set(data.stain_names) & set(model.stain_names):
        return split
    new = fresh({**model.card["split"], "train": learned(model), "validation": []}, data, by_group=True).regions
    known = [one for one in (*split.validation, *split.held_out) if not any(_holds(other, one) for other in new)]
    if not known:
        return split
    validation, held_out = ([one for one in part if one not in known] for part in (split.validation, split.held_out))
    how = (
        f"{split.how} {len(known):,} of what was to be new to the model it has learned from before: that is trained on "
        "again."
    )
    return replace(split, train=(*split.train, *known), validation=tuple(validation), held_out=tuple(held_out), how=how)


def _holds(region: Region, part: Region) -> bool:
    inside = region.top <= part.top and region.left <= part.left
    return inside and region.pair == part.pair and region.bottom >= part.bottom and region.right >= part.right
