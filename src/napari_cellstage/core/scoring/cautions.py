"""What to know before a score is believed, as sentences."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.scoring.intervals import FEW_GROUPS

NOUNS = {"image": "images", "well": "wells", "plate": "plates", "movie": "movies", "donor": "donors", "track": "tracks"}
"""What the first word of a group's name says it is, and the word for several."""

_MOST_NAMED = 5
_NOT_GROUPED = (
    "Nobody said which of these pictures are of one image or movie, so each is taken by itself: where some are, the "
    "score is too good and the interval too narrow."
)


def group_noun(names: Sequence[str], several: bool = True) -> str:
    """Return what groups are, by their names: ``"wells"``, or ``"well"`` for one; ``"groups"`` where they are mixed."""
    words = {name.partition(" ")[0] for name in names}
    word = words.pop() if len(words) == 1 else ""
    one = word if word in NOUNS else "group"
    return NOUNS.get(one, "groups") if several else one


def cautions(
    counts: NDArray[np.integer],
    classes: Sequence[str],
    names: Sequence[str],
    by_cell: bool,
    unknown: Sequence[str] = (),
    gone: Sequence[str] = (),
) -> tuple[str, ...]:
    """Return what to warn of.

    Parameters
    ----------
    counts
        ``(K,)`` cells of each class that are scored.
    classes
        Names of the classes.
    names
        Those of the groups; empty where nobody said.
    by_cell
        Cells of one group were on both sides of the split.
    unknown
        Classes of which no model had seen a cell when it was asked for theirs.
    gone
        Classes that were deleted since: nobody can label more of them.
    """
    alone = len(names) == counts.sum() > 1 and group_noun(names, several=False) == "group"
    said = (
        _NOT_GROUPED if alone else _about_groups(names, by_cell),
        _about_classes([c for c, n in zip(classes, counts, strict=True) if not n and c not in gone]),
        _about_unknown(unknown, names),
    )
    return tuple(one for one in said if one)


def _about_groups(names: Sequence[str], by_cell: bool) -> str:
    one, several = group_noun(names, several=False), group_noun(names)
    if by_cell:
        where = "image" if one in ("group", "track") else one
        return (
            f"All labelled cells are in one {where}, so cells of it are on both sides of the split: on another {where} "
            f"the score will likely be lower. Label cells in a second {where}."
        )
    if one == "track" and names:
        return (
            "All labelled cells are in one movie; a cell that was followed is on one side of the split only, but on "
            "another movie the score will likely be lower. Label cells in a second movie."
        )
    if len(names) == 1:
        return f"All cells scored are in one {one}: the interval does not tell how much {several} differ."
    if len(names) == 2:
        return (
            f"The cells scored are in 2 {several}, which tell little of how {several} differ: the interval is likely "
            f"too narrow. Label cells in a third {one} and more."
        )
    if 0 < len(names) < FEW_GROUPS:
        return (
            f"The cells scored are in {len(names)} {several}: the interval is a rough one. More {several} make it firm."
        )
    return ""


def _about_classes(missing: Sequence[str]) -> str:
    if not missing:
        return ""
    plural = len(missing) > 1
    return (
        f"{_classes(missing)} {'have' if plural else 'has'} no cell among those scored: "
        f"how well {'they are' if plural else 'it is'} told is not known. Label more of {'them' if plural else 'it'}."
    )


def _about_unknown(unknown: Sequence[str], names: Sequence[str]) -> str:
    if not unknown:
        return ""
    them, their = ("them", "their") if len(unknown) > 1 else ("it", "its")
    return (
        f"{_classes(unknown)}: no model had seen {them} when it was asked for {their} cells, as they were all kept out "
        f"at once, so each counts as wrong. Label some in other {group_noun(names)}."
    )


def _classes(names: Sequence[str]) -> str:
    shown = ", ".join(f"'{name}'" for name in names[:_MOST_NAMED])
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return f"Class{'es' if len(names) > 1 else ''} {shown}{more}"
