"""What is wrong with pairs: what can't be learned from is left out, the rest is said as sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from math import isnan

from napari_cellstage.core.errors import ImageError, TrainingError, TrainingStopped
from napari_cellstage.stain.pair import StainSet
from napari_cellstage.stain.pair_looks import ChannelLooks, PairLooks, looks_of
from napari_cellstage.stain.pair_problems import Finding, share, where
from napari_cellstage.stain.set_findings import groups_joined, of_copies, of_images, of_planes

_SATURATED = 0.01  # of the pixels at the highest value
_NOISE = 0.1  # correlation of neighbouring pixels


def checked(data: StainSet, should_stop: Callable[[], bool] = lambda: False) -> StainSet:
    """Return the pairs that can be learned from, with what was found in their notes.

    Raises
    ------
    TrainingError
        If none is left; the text says why.
    TrainingStopped
        If stopped.
    """
    looks, lost = _looked_at(data, should_stop)
    found = [*lost, *_found(data, looks)]
    bad = {place for one in found if one.level == "error" for place in one.pairs}
    kept = [place for place in range(len(data)) if place not in bad]
    if not kept:
        texts = [one.text for one in found if one.level == "error"]
        raise TrainingError(" ".join([*texts, "Choose another channel, or other images."]))
    data = data.take(kept)
    groups = groups_joined(data.groups, [looks[place].digest for place in kept])
    pairs = (
        one if one.group == group else replace(one, group=group) for one, group in zip(data.pairs, groups, strict=True)
    )
    said = [f"{one.text} Left out." if one.level == "error" else one.text for one in found]
    return replace(data, pairs=tuple(pairs)).noting(*said)


def findings(data: StainSet, should_stop: Callable[[], bool] = lambda: False) -> tuple[Finding, ...]:
    """Return what is wrong; see `checked` for the errors that are raised."""
    looks, lost = _looked_at(data, should_stop)
    return (*lost, *_found(data, looks))


def _looked_at(data: StainSet, should_stop: Callable[[], bool]) -> tuple[dict[int, PairLooks], list[Finding]]:
    """Look at each pair; return what is seen by its place, and what is wrong with those that can't be read."""
    if not data.pairs:
        raise TrainingError("There are no pairs of input and stain. Choose images that have both.")
    looks, lost = dict[int, PairLooks](), list[Finding]()
    for place, pair in enumerate(data.pairs):
        if should_stop():
            raise TrainingStopped("Stopped while the pairs were looked at.")
        try:
            looks[place] = looks_of(pair)
        except ImageError as error:
            lost.append(Finding("error", str(error), (place,)))
    return looks, lost


def _found(data: StainSet, looks: dict[int, PairLooks]) -> tuple[Finding, ...]:
    places, each = list(looks), list(looks.values())
    some = data.take(places)
    found = (
        *_of_channels(some, [one.inputs for one in each], data.input_names, "input"),
        *_of_channels(some, [one.stains for one in each], data.stain_names, "stain"),
        *of_planes(some, each),
        *of_copies(some, each),
        *of_images(some),
    )
    return tuple(replace(one, pairs=tuple(places[place] for place in one.pairs)) for one in found)


def _of_channels(
    data: StainSet, looks: Sequence[Sequence[ChannelLooks]], names: Sequence[str], what: str
) -> Iterable[Finding]:
    for channel, name in enumerate(names):
        each = [one[channel] for one in looks]
        title = f"The {what} '{name}'"
        blank = where(one.blank for one in each)
        if blank:
            value = each[blank[0]].value
            same = "is not finite anywhere" if isnan(value) else f"is {value:g} in every pixel"
            yield Finding("error", f"{title} is blank in {share(data, blank)}: it {same}.", blank)
        yield from _in_doubt(data, title, each)


def _in_doubt(data: StainSet, title: str, each: Sequence[ChannelLooks]) -> Iterable[Finding]:
    top = where(not one.blank and one.top > _SATURATED for one in each)
    if top:
        worst = max((each[place] for place in top), key=lambda one: one.top)
        yield Finding(
            "note",
            f"{title} is saturated in {share(data, top)}: up to {worst.top:.0%} of the pixels are {worst.highest:g}, "
            "the highest value. How much there was in them is lost; expose for a shorter time.",
            top,
        )
    noise = where(one.grain < _NOISE for one in each)
    if noise:
        yield Finding(
            "note",
            f"{title} shows nothing but noise in {share(data, noise)}: neighbouring pixels have nothing in common. "
            "Check whether it is the right channel, and whether the stain worked.",
            noise,
        )
    missing = where(not one.blank and one.missing > 0 for one in each)
    if missing:
        most = max(each[place].missing for place in missing)
        yield Finding(
            "note",
            f"{title} has pixels that are NaN or infinite in {share(data, missing)}, up to {most:.1%} of one; they "
            "are neither learned from nor scored.",
            missing,
        )
