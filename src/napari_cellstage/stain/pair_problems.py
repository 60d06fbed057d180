"""Something that is wrong with pairs, and which they are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from napari_cellstage.stain.pair import StainSet

Level = Literal["error", "note"]
_NAMED = 4


@dataclass(frozen=True)
class Finding:
    """Something that is wrong.

    Parameters
    ----------
    level
        ``"error"``: these pairs can't be learned from. ``"note"``: to be known.
    text
        What it is and what to do, as sentences.
    pairs
        Places of the pairs in the set.
    """

    level: Level
    text: str
    pairs: tuple[int, ...]


def where(flags: Iterable[bool]) -> tuple[int, ...]:
    """Return the places where something is so."""
    return tuple(place for place, flag in enumerate(flags) if flag)


def share(data: StainSet, places: Sequence[int]) -> str:
    """Return which pairs, by number and name, for a sentence."""
    names = ", ".join(data.pairs[place].name for place in places[:_NAMED])
    more = f" and {len(places) - _NAMED} more" if len(places) > _NAMED else ""
    if len(places) == len(data):
        return f"all {len(data)} images" if len(data) > 1 else names
    return f"{len(places)} of {len(data)} images ({names}{more})"
