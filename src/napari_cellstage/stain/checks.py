"""What is wrong with pairs: what can't be learned from is left out, the rest is said as sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import isnan
from typing import Literal

from napari_cellstage.core.errors import TrainingError, TrainingStopped
from napari_cellstage.stain.pair import StainPair, StainSet
from napari_cellstage.stain.pair_looks import ChannelLooks, PairLooks, looks_of
from napari_cellstage.stain.plane_order import better_order, reversed_ones

Level = Literal["error", "note"]
_SATURATED = 0.01  # of the pixels at the highest value
_NOISE = 0.1  # correlation of neighbouring pixels
_SAME_SIZE = 0.02  # by which pixel sizes may differ and be the same
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


def checked(data: StainSet, should_stop: Callable[[], bool] = lambda: False) -> StainSet:
    """Return the pairs that can be learned from, with what was found in their notes.

    Raises
    ------
    TrainingError
        If none is left; the text says why.
    ImageError
        If pixels can't be read.
    TrainingStopped
        If stopped.
    """
    found = findings(data, should_stop)
    bad = {place for one in found if one.level == "error" for place in one.pairs}
    kept = [place for place in range(len(data)) if place not in bad]
    if not kept:
        texts = [one.text for one in found if one.level == "error"]
        raise TrainingError(" ".join([*texts, "Choose another channel, or other images."]))
    left = [f"{one.text} Left out." if one.level == "error" else one.text for one in found]
    return data.take(kept).noting(*left)


def findings(data: StainSet, should_stop: Callable[[], bool] = lambda: False) -> tuple[Finding, ...]:
    """Look at all pairs; see `checked` for the errors that are raised."""
    if not data.pairs:
        raise TrainingError("There are no pairs of input and stain. Choose images that have both.")
    looks = []
    for pair in data.pairs:
        if should_stop():
            raise TrainingStopped("Stopped while the pairs were looked at.")
        looks.append(looks_of(pair))
    return (
        *_of_channels(data, [one.inputs for one in looks], data.input_names, "input"),
        *_of_channels(data, [one.stains for one in looks], data.stain_names, "stain"),
        *_of_planes(data, looks),
        *_of_images(data),
    )


def _of_channels(
    data: StainSet, looks: Sequence[Sequence[ChannelLooks]], names: Sequence[str], what: str
) -> Iterable[Finding]:
    for channel, name in enumerate(names):
        each = [one[channel] for one in looks]
        title = f"The {what} '{name}'"
        blank = _where(one.blank for one in each)
        if blank:
            value = each[blank[0]].value
            same = "is not finite anywhere" if isnan(value) else f"is {value:g} in every pixel"
            yield Finding("error", f"{title} is blank in {_share(data, blank)}: it {same}.", blank)
        yield from _in_doubt(data, title, each)


def _in_doubt(data: StainSet, title: str, each: Sequence[ChannelLooks]) -> Iterable[Finding]:
    top = _where(not one.blank and one.top > _SATURATED for one in each)
    if top:
        worst = max((each[place] for place in top), key=lambda one: one.top)
        yield Finding(
            "note",
            f"{title} is saturated in {_share(data, top)}: up to {worst.top:.0%} of the pixels are {worst.highest:g}, "
            "the highest value. How much there was in them is lost; expose for a shorter time.",
            top,
        )
    noise = _where(one.grain < _NOISE for one in each)
    if noise:
        yield Finding(
            "note",
            f"{title} shows nothing but noise in {_share(data, noise)}: neighbouring pixels have nothing in common. "
            "Check whether it is the right channel, and whether the stain worked.",
            noise,
        )
    missing = _where(not one.blank and one.missing > 0 for one in each)
    if missing:
        most = max(each[place].missing for place in missing)
        yield Finding(
            "note",
            f"{title} has pixels that are NaN or infinite in {_share(data, missing)}, up to {most:.1%} of one; they "
            "are neither learned from nor scored.",
            missing,
        )


def _of_planes(data: StainSet, looks: Sequence[PairLooks]) -> Iterable[Finding]:
    depths = Counter(pair.shape[0] for pair in data.pairs)
    if len(depths) > 1:
        told = ", ".join(f"{count} with {depth}" for depth, count in depths.most_common())
        odd = _where(pair.shape[0] != depths.most_common(1)[0][0] for pair in data.pairs)
        yield Finding("note", f"The images differ in their number of planes: {told}.", odd)
    better = [None if one.likeness is None else better_order(one.likeness) for one in looks]
    unordered = _where(one is not None for one in better)
    if unordered:
        order = better[unordered[0]] or ()
        yield Finding(
            "note",
            f"The planes of {_share(data, unordered)} look out of order: in the order {', '.join(map(str, order))} "
            "neighbours would be more alike. Check how the files were numbered.",
            unordered,
        )
    yield from _turned(data, looks)


def _turned(data: StainSet, looks: Sequence[PairLooks]) -> Iterable[Finding]:
    """Tell stacks that run the other way; each movie by its first time point, so that a long one is no majority."""
    firsts = {id(pair.inputs): place for place, pair in reversed(list(enumerate(data.pairs)))}
    for which, what in enumerate(("planes of the input", "planes of the stain")):
        known = [place for place in sorted(firsts.values()) if len(looks[place].profiles) > which]
        turned = tuple(known[i] for i in reversed_ones([looks[place].profiles[which] for place in known]))
        if turned:
            yield Finding(
                "note",
                f"The {what} of {_share(data, turned)} run the other way than those of most images, by how sharp each "
                "is. Check whether the stack is upside down.",
                turned,
            )


def _of_images(data: StainSet) -> Iterable[Finding]:
    if len(set(data.groups)) == 1:
        yield Finding(
            "note",
            "There is one image only, or one group of images: it is cut into a part that is trained on and one that is "
            "held out. How good the model is on other images stays unknown; add some.",
            (0,),
        )
    colour = _where(_all_colours(pair) for pair in data.pairs)
    if colour:
        yield Finding(
            "note",
            f"The input of {_share(data, colour)} is a colour picture: red, green and blue are taken for three "
            "channels. A model of it needs colour pictures later on too; where it is gray, choose one of them.",
            colour,
        )
    yield from _pixel_sizes(data)


def _pixel_sizes(data: StainSet) -> Iterable[Finding]:
    usual = data.pixel_size_um
    sizes = [pair.inputs.pixel_size_um for pair in data.pairs]
    other = _where(usual is not None and size is not None and not _same(size, usual) for size in sizes)
    if other and usual is not None:
        size = sizes[other[0]] or usual
        yield Finding(
            "note",
            f"Pixels of {_share(data, other)} are {size[2]:g} micrometres wide, those of most {usual[2]:g}. They are "
            "learned from as they are; better bring all images to one size first.",
            other,
        )
    apart = _where(
        (one := pair.inputs.pixel_size_um) is not None
        and (two := pair.targets.pixel_size_um) is not None
        and not _same(one, two)
        for pair in data.pairs
    )
    if apart:
        yield Finding(
            "note",
            f"Input and stain of {_share(data, apart)} say different pixel sizes. If that is true they do not show the "
            "same place pixel by pixel: resample one of them.",
            apart,
        )


def _same(one: tuple[float, float, float], other: tuple[float, float, float]) -> bool:
    """Tell whether pixels are equally large in the plane."""
    return all(abs(a - b) <= _SAME_SIZE * b for a, b in zip(one[1:], other[1:], strict=True))


def _all_colours(pair: StainPair) -> bool:
    return pair.inputs.rgb and len(pair.input_channels) == 3


def _where(flags: Iterable[bool]) -> tuple[int, ...]:
    return tuple(place for place, flag in enumerate(flags) if flag)


def _share(data: StainSet, places: Sequence[int]) -> str:
    """Return which pairs, by number and name."""
    names = ", ".join(data.pairs[place].name for place in places[:_NAMED])
    more = f" and {len(places) - _NAMED} more" if len(places) > _NAMED else ""
    if len(places) == len(data):
        return f"all {len(data)} images" if len(data) > 1 else names
    return f"{len(places)} of {len(data)} images ({names}{more})"
