"""What to know of class folders before training on them: mixed pictures, rare classes, one picture in two classes."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_SHOWN = 3


@dataclass(frozen=True)
class Looks:
    """Of one picture before all were brought to one form: name, class, channels, size, kind of number, content."""

    name: str
    class_name: str
    channels: int
    size: tuple[int, int]
    dtype: str
    digest: str

    @classmethod
    def of(cls, name: str, class_name: str, picture: NDArray[Any]) -> Looks:
        """Look at ``(C, Y, X)`` pixels."""
        pixels = np.ascontiguousarray(picture)
        digest = hashlib.blake2b(pixels.tobytes(), digest_size=16).hexdigest()
        size = int(picture.shape[1]), int(picture.shape[2])
        return cls(name, class_name, int(picture.shape[0]), size, picture.dtype.name, f"{digest} {size}")


def folder_notes(looks: Sequence[Looks], size: tuple[int, int], empty: Sequence[str] = ()) -> tuple[str, ...]:
    """Return what to know of the pictures of class folders, a sentence or two each.

    Parameters
    ----------
    looks
        Of each picture that is used.
    size
        Height and width that all were brought to.
    empty
        Folders without a picture.
    """
    found = [
        _nested(looks),
        _sizes(looks, size),
        _depths(looks),
        _gray(looks),
        _rare(looks),
        *_twice(looks),
        _empty(empty),
    ]
    return tuple(note for note in found if note)


def _nested(looks: Sequence[Looks]) -> str:
    """Say which folders are the classes, where it could be others."""
    outer = sorted({one.name.partition("/")[0] for one in looks})
    inner = sorted({one.class_name for one in looks})
    if len(outer) < 2 or outer == inner or all(one.name.count("/") < 2 for one in looks):
        return ""
    return (
        f"Folders lie in folders: the classes are {_some(inner)}, named by the inner ones, not {_some(outer)}. Where "
        "the outer ones are the classes, move their pictures up into them."
    )


def _sizes(looks: Sequence[Looks], size: tuple[int, int]) -> str:
    kinds = _kinds((f"{one.size[0]} x {one.size[1]}", one.name) for one in looks)
    if len(kinds) < 2:
        return ""
    return (
        f"Pictures differ in size: {_listed(kinds)}. All are brought to {size[0]} x {size[1]} pixels around their "
        "middle, larger ones cut, smaller ones mirrored at their edges; nothing is made larger or smaller."
    )


def _depths(looks: Sequence[Looks]) -> str:
    kinds = _kinds((one.dtype, one.name) for one in looks)
    if len(kinds) < 2:
        return ""
    return (
        f"Pictures differ in their kind of number: {_listed(kinds)}. Values are used as they are and not scaled to "
        "each other, so that a model may tell them apart by brightness alone. Export all of them in one way."
    )


def _gray(looks: Sequence[Looks]) -> str:
    gray = [one.name for one in looks if one.channels == 1]
    if not gray or len(gray) == len(looks):
        return ""
    return (
        f"{len(gray):,} of {len(looks):,} pictures are gray and the others coloured: {_some(gray)}. Gray ones get "
        "three equal channels. Where they are of one class, a model may learn that instead of the cells."
    )


def _rare(looks: Sequence[Looks]) -> str:
    counts = Counter(one.class_name for one in looks)
    single = sorted(name for name, count in counts.items() if count == 1)
    if not single:
        return ""
    return f"{_classes(single)} one picture; training needs two of each class. Add some, or leave the class out."


def _twice(looks: Sequence[Looks]) -> list[str]:
    same: dict[str, list[Looks]] = defaultdict(list)
    for one in looks:
        same[one.digest].append(one)
    groups = [group for group in same.values() if len(group) > 1]
    across = [group for group in groups if len({one.class_name for one in group}) > 1]
    within = [group for group in groups if len({one.class_name for one in group}) == 1]
    told = []
    if across:
        told.append(
            f"{_pictures(len(across))} in two classes: {_pairs(across)}. One label of each is wrong: take one away."
        )
    if within:
        told.append(
            f"{_pictures(len(within))} there more than once: {_pairs(within)}. One may be trained on and the other "
            "scored, which flatters: take one away."
        )
    return told


def _empty(folders: Sequence[str]) -> str:
    if not folders:
        return ""
    several = len(folders) > 1
    return f"Folder{'s' if several else ''} without a picture, so no class: {_some(folders)}."


def _kinds(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Return the names of each kind, the most frequent first."""
    kinds: dict[str, list[str]] = defaultdict(list)
    for kind, name in pairs:
        kinds[kind].append(name)
    return dict(sorted(kinds.items(), key=lambda item: -len(item[1])))


def _listed(kinds: dict[str, list[str]]) -> str:
    parts = [f"{len(names):,} {kind} (such as {names[0]})" for kind, names in list(kinds.items())[:_SHOWN]]
    return ", ".join(parts) + (f" and {len(kinds) - _SHOWN} more kinds" if len(kinds) > _SHOWN else "")


def _pairs(groups: Sequence[Sequence[Looks]]) -> str:
    return _some([f"{group[0].name} and {_other(group)}" for group in groups])


def _other(group: Sequence[Looks]) -> str:
    """Return the name of the picture beside the first, of another class where there is one."""
    return next((one.name for one in group if one.class_name != group[0].class_name), group[1].name)


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else "")


def _pictures(count: int) -> str:
    return "1 picture is" if count == 1 else f"{count:,} pictures are"


def _classes(names: Sequence[str]) -> str:
    quoted = [f"'{name}'" for name in names]
    return f"Class {quoted[0]} has" if len(names) == 1 else f"Classes {_some(quoted)} each have"
