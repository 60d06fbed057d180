"""Which files show the same place, by their names: ``a.tif`` and ``a_DNA.tif``, ``BF_a.tif`` and ``DNA_a.tif``.

Names are relative to their folder, with ``/``, without endings; capitals make no difference.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import takewhile

_APART = re.compile(r"[_\-. ]+")


def by_channel(names: Sequence[str], channels: Sequence[str]) -> list[dict[str, int]]:
    """Sort files that hold one channel each by what their names begin or end with.

    Returns
    -------
    list of dict
        For each of `channels`: the place of the file of each image, by the rest of its name; of two files the first.
        Empty where a channel is in no file's name.
    """
    found: list[dict[str, int]] = [{} for _ in channels]
    wanted = [channel.casefold() for channel in channels]
    for place, name in enumerate(names):
        folder, slash, last = name.casefold().rpartition("/")
        for of_channel, channel in zip(found, wanted, strict=True):
            rest = next((rest for rest, cut in ((last, None), *_cuts(last)) if _is(channel, rest, cut)), None)
            if rest is not None:
                of_channel.setdefault(folder + slash + ("" if rest == channel == last else rest), place)
    return found if all(found) else []


def partners(inputs: Sequence[str], targets: Sequence[str]) -> list[dict[str, int]]:
    """Return the places of the targets of each input, by what their names have more: ``{"DNA": 3}``.

    A target's name is that of its input, or that with something before or after it. Where none is, what the names of
    all inputs begin or end with is left away. A single input without any partner by name has all targets.
    """
    keys = [name.casefold() for name in targets]
    for bases in _bases([name.casefold() for name in inputs]):
        found = _matched(bases, keys)
        if any(found):
            return found
    if len(inputs) == 1:
        return [{key.rpartition("/")[2]: place for place, key in reversed(list(enumerate(keys)))}]
    return [{} for _ in inputs]


def _is(channel: str, rest: str, cut: str | None) -> bool:
    """Tell whether a name is a channel's: all of it, or what is cut off it."""
    return rest == channel if cut is None else cut == channel


def _cuts(last: str) -> Iterator[tuple[str, str]]:
    """Yield what a name keeps and what is cut off: first at the end, the least first, then at the beginning."""
    gaps = list(_APART.finditer(last))
    yield from ((last[: gap.start()], last[gap.end() :]) for gap in reversed(gaps) if gap.start())
    yield from ((last[gap.end() :], last[: gap.start()]) for gap in gaps if gap.end() < len(last))


def _matched(bases: Sequence[str], targets: Sequence[str]) -> list[dict[str, int]]:
    whole = {base: place for place, base in reversed(list(enumerate(bases)))}
    alone = Counter(base.rpartition("/")[2] for base in bases)
    bare = {last: place for base, place in whole.items() if alone[last := base.rpartition("/")[2]] == 1}
    found: list[dict[str, int]] = [{} for _ in bases]
    for target, key in enumerate(targets):
        folder, slash, last = key.rpartition("/")
        for kept, more in ((last, ""), *_cuts(last)):
            place = whole.get(folder + slash + kept, bare.get(kept))
            if place is not None:
                found[place].setdefault(more, target)
                break
    return found


def _bases(names: Sequence[str]) -> Iterator[list[str]]:
    """Yield the names as they are, then without what all of them end with, then without what they begin with."""
    yield list(names)
    if len(names) > 1:
        parts = [_APART.split(name.rpartition("/")[2]) for name in names]
        for backwards in (True, False):
            count = _common([one[::-1] for one in parts] if backwards else parts)
            cut = [_without(name, count, backwards) for name in names]
            if count and len(set(cut)) == len(cut):
                yield cut


def _common(parts: Sequence[Sequence[str]]) -> int:
    """Return with how many parts all begin; none of them is used up by that."""
    same = len(list(takewhile(lambda column: len(set(column)) == 1, zip(*parts, strict=False))))
    return min(same, min(map(len, parts)) - 1)


def _without(name: str, count: int, at_end: bool) -> str:
    folder, slash, last = name.rpartition("/")
    gaps = list(_APART.finditer(last))
    if not count:
        return name
    return folder + slash + (last[: gaps[-count].start()] if at_end else last[gaps[count - 1].end() :])
