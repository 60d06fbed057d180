"""What is wrong with images as a whole, or with some against the others: planes, pixel sizes, colours, copies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from napari_cellstage.stain.pair import StainPair, StainSet
from napari_cellstage.stain.pair_looks import PairLooks
from napari_cellstage.stain.pair_problems import Finding, share, where
from napari_cellstage.stain.plane_order import better_order, reversed_ones

_LISTED = 20  # planes
_SAME_SIZE = 0.02  # by which pixel sizes may differ and be the same


def of_planes(data: StainSet, looks: Sequence[PairLooks]) -> Iterable[Finding]:
    """Find other numbers of planes, planes out of order, and stacks that are upside down."""
    depths = Counter(pair.shape[0] for pair in data.pairs)
    if len(depths) > 1:
        told = ", ".join(f"{count} with {depth}" for depth, count in depths.most_common())
        odd = where(pair.shape[0] != depths.most_common(1)[0][0] for pair in data.pairs)
        yield Finding("note", f"The images differ in their number of planes: {told}.", odd)
    better = [None if one.likeness is None else better_order(one.likeness) for one in looks]
    unordered = where(one is not None for one in better)
    if unordered:
        order = better[unordered[0]] or ()
        yield Finding(
            "note",
            f"The planes of {share(data, unordered)} look out of order: in the order {_listed(order)} "
            "neighbours would be more alike. Check how the files were numbered.",
            unordered,
        )
    yield from _turned(data, looks)


def _listed(order: Sequence[int]) -> str:
    more = ", …" if len(order) > _LISTED else ""
    return ", ".join(map(str, order[:_LISTED])) + more


def _turned(data: StainSet, looks: Sequence[PairLooks]) -> Iterable[Finding]:
    """Tell stacks that run the other way; each movie by its first time point, so that a long one is no majority."""
    firsts = {id(pair.inputs): place for place, pair in reversed(list(enumerate(data.pairs)))}
    for which, what in enumerate(("planes of the input", "planes of the stain")):
        known = [place for place in sorted(firsts.values()) if len(looks[place].profiles) > which]
        turned = tuple(known[i] for i in reversed_ones([looks[place].profiles[which] for place in known]))
        if turned:
            yield Finding(
                "note",
                f"The {what} of {share(data, turned)} run the other way than those of most images, by how sharp each "
                "is. Check whether the stack is upside down.",
                turned,
            )


def of_copies(data: StainSet, looks: Sequence[PairLooks]) -> Iterable[Finding]:
    """Find inputs that are there twice in different groups; they would be trained on and scored."""
    joined = groups_joined(data.groups, [one.digest for one in looks])
    groups: dict[str, set[str]] = {}
    for old, new in zip(data.groups, joined, strict=True):
        groups.setdefault(new, set()).add(old)
    places = where(len(groups[new]) > 1 for new in joined)
    if places:
        yield Finding(
            "note",
            f"There are copies among the inputs of {share(data, places)}. Their groups are kept together, so that "
            "no image is both learned from and held out.",
            places,
        )


def groups_joined(groups: Sequence[str], digests: Sequence[str]) -> list[str]:
    """Return the groups with those made one that share an input, by its digest; the name is the first one's."""
    found = {group: group for group in groups}

    def first(group: str) -> str:
        while found[group] != group:
            group = found[group]
        return group

    seen: dict[str, str] = {}
    for group, digest in zip(groups, digests, strict=True):
        if digest:
            found[first(group)] = first(seen.setdefault(digest, group))
    return [first(group) for group in groups]


def of_images(data: StainSet) -> Iterable[Finding]:
    """Find what is to be known of the images, without their pixels."""
    if len(set(data.groups)) == 1:
        yield Finding(
            "note",
            "There is one image only, or one group of images, so it is cut in two to score the model. How good it is "
            "on other images stays unknown; add some.",
            (0,),
        )
    colour = where(_all_colours(pair) for pair in data.pairs)
    if colour:
        yield Finding(
            "note",
            f"The input of {share(data, colour)} is a colour picture: red, green and blue are taken for three "
            "channels. A model of it needs colour pictures later on too; where it is gray, choose one of them.",
            colour,
        )
    yield from _pixel_sizes(data)
    yield from _types(data)


def _types(data: StainSet) -> Iterable[Finding]:
    """Find images whose values are of another type, and so of another range, than those of most."""
    inputs = [pair.inputs.pixels.dtype_of(pair.input_channels) for pair in data.pairs]
    stains = [pair.targets.pixels.dtype_of(pair.target_channels) for pair in data.pairs]
    for what, kinds in (("inputs", inputs), ("stains", stains)):
        if len(set(kinds)) > 1:
            usual = Counter(kinds).most_common(1)[0][0]
            odd = where(kind != usual for kind in kinds)
            yield Finding(
                "note",
                f"The {what} of {share(data, odd)} hold {kinds[odd[0]]} values, those of most {usual}. Where that "
                "means another range, a network can't tell bright from dark; save all images in one way.",
                odd,
            )


def _pixel_sizes(data: StainSet) -> Iterable[Finding]:
    usual = data.pixel_size_um
    sizes = [pair.inputs.pixel_size_um for pair in data.pairs]
    other = where(usual is not None and size is not None and not _same(size, usual) for size in sizes)
    if other and usual is not None:
        size = sizes[other[0]] or usual
        yield Finding(
            "note",
            f"Pixels of {share(data, other)} are {size[2]:g} micrometres wide, those of most {usual[2]:g}. They are "
            "learned from as they are; better bring all images to one size first.",
            other,
        )
    apart = where(
        (one := pair.inputs.pixel_size_um) is not None
        and (two := pair.targets.pixel_size_um) is not None
        and not _same(one, two)
        for pair in data.pairs
    )
    if apart:
        yield Finding(
            "note",
            f"Input and stain of {share(data, apart)} say different pixel sizes. If that is true they do not show the "
            "same place pixel by pixel: resample one of them.",
            apart,
        )


def _same(one: tuple[float, float, float], other: tuple[float, float, float]) -> bool:
    """Tell whether pixels are equally large in the plane."""
    return all(abs(a - b) <= _SAME_SIZE * b for a, b in zip(one[1:], other[1:], strict=True))


def _all_colours(pair: StainPair) -> bool:
    return pair.inputs.rgb and len(pair.input_channels) == 3
