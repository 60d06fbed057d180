"""Pairs of folders: a tree of images that hold all channels, or files of inputs and stains matched by their names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from napari_cellstage.core.errors import ImageError, TrainingStopped
from napari_cellstage.core.group_guesses import groups_by
from napari_cellstage.core.images import open_image
from napari_cellstage.core.reading.series_names import Series, find_series
from napari_cellstage.stain.channels import Wanted, as_items
from napari_cellstage.stain.pair import StainSet
from napari_cellstage.stain.pair_files import Files, Side, images_of, one_side
from napari_cellstage.stain.pair_making import Ask, Couple, LeftOut, OutputOrAuto, paired
from napari_cellstage.stain.pair_names import partners

Couples = Iterator[Couple | LeftOut]
ShouldStop = Callable[[], bool]
_NAMED = 6  # files


def pairs_of_folders(
    folder: Path | str,
    inputs: Wanted,
    targets: Wanted,
    target_folder: Path | str | None = None,
    group_from: str | None = None,
    *,
    output: OutputOrAuto = "auto",
    plane: int | None = None,
    should_stop: ShouldStop = lambda: False,
) -> StainSet:
    """Pair the images of a folder tree, or of two trees matched by name; nothing but the files' heads is read.

    Parameters
    ----------
    folder
        With images that hold all channels; or that hold inputs and stains in files of their own, named alike, such as
        ``a_BF.tif`` and ``a_DNA.tif`` for the channels BF and DNA.
    inputs, targets
        Channels, see `channels_named`; or what the names of their files begin or end with.
    target_folder
        With the stains, where they are apart: files named as those of the inputs, or with something before or after.
    group_from
        Regular expression that finds in the name of a file which well or movie it is of; see `groups_by`. None: each
        image is a group.
    output, plane
        As in `pairs_of_images`.
    should_stop
        Asked after every image.

    Raises
    ------
    ImageError
        If a folder is missing, or no image can be used; the text says why.
    TrainingStopped
        If stopped.
    """
    ask = Ask(inputs, targets, output, plane)
    apart = None if target_folder is None else Files.below(target_folder)
    files = Files.below(folder, None if target_folder is None or _same(folder, target_folder) else Path(target_folder))
    if apart is None:
        return _of_one_folder(files, ask, group_from, should_stop)
    light, stains = one_side(files, ask.inputs), one_side(apart, ask.targets)
    return paired(_until(_matched(light, stains, group_from), should_stop), _asked(ask, light, stains))


def _same(folder: Path | str, other: Path | str) -> bool:
    return Path(folder).resolve() == Path(other).resolve()


def _of_one_folder(files: Files, ask: Ask, group_from: str | None, should_stop: ShouldStop) -> StainSet:
    light, stains = one_side(files, ask.inputs), one_side(files, ask.targets)
    if light.by_channel and stains.by_channel:
        return paired(_until(_matched(light, stains, group_from), should_stop), _asked(ask, light, stains))
    series = [one for one in find_series(files.paths)[0] if not one.running]
    try:
        data = paired(_until(_whole(files, group_from), should_stop), ask)
    except ImageError:
        if light.by_channel or stains.by_channel:
            raise _not_by_name(files, ask.targets if light.by_channel else ask.inputs) from None
        if not series:
            raise
        return paired(_until(map(_opened, series), should_stop), ask)
    return data.noting(*(_looks_like_planes(one) for one in series))


def _not_by_name(files: Files, wanted: Wanted) -> ImageError:
    some = ", ".join(files.names[:_NAMED]) + (", …" if len(files.names) > _NAMED else "")
    asked = ", ".join(map(str, as_items(wanted))) or "nothing"
    return ImageError(
        f"There is no file named by '{asked}' in '{files.root}', nor a channel in its files. It holds {some}. Choose "
        "what the files' names begin or end with, or the name of a channel in them."
    )


def _looks_like_planes(series: Series) -> str:
    return (
        f"{series.files} files named {series.title} look like planes or time points of one image; each was taken for "
        "an image by itself. If they are one, keep them together by a group, or save them as one file."
    )


def _asked(ask: Ask, light: Side, stains: Side) -> Ask:
    """Return what is asked of images that were put together: all their channels, in order, where files named them."""
    return Ask(light.wanted, stains.wanted, ask.output, ask.plane)


def _until(couples: Couples, should_stop: ShouldStop) -> Couples:
    for one in couples:
        if should_stop():
            raise TrainingStopped("Stopped while the images were being opened.")
        yield one


def _whole(files: Files, group_from: str | None) -> Couples:
    """Yield images that hold inputs and stains."""
    groups = groups_by(files.names, group_from)
    for path, name, group in zip(files.paths, files.names, groups, strict=True):
        for one in images_of(path, name):
            if isinstance(one, LeftOut):
                yield one
            else:
                called = f"{name} · {one.scene}" if one.scene else name
                yield Couple(called, called if one.scene and group_from is None else group, one, one)


def _opened(series: Series) -> Couple | LeftOut:
    """Open numbered files as the one image that they are the planes or channels of."""
    try:
        stack = open_image(series.folder, scene=series.pattern)
    except ImageError as error:
        return LeftOut(series.title, str(error))
    return Couple(series.title, str(series.folder / series.title), stack, stack)


def _matched(light: Side, stains: Side, group_from: str | None) -> Couples:
    """Yield inputs with the stains that their names match; then say which stains have no input."""
    found = partners(light.keys, stains.keys) if not light.same_folder(stains) else _same_keys(light, stains)
    more = _chosen(stains, found)
    groups = groups_by(light.names, group_from)
    yield from (*light.lacking, *stains.lacking)
    for place, (name, of_input) in enumerate(zip(light.names, found, strict=True)):
        target = of_input.get(more)
        if target is None:
            yield LeftOut(name, f"there is no stain named like it in {stains.root.name}")
        else:
            yield from _both(light, place, stains, target, groups[place])
    used = {target for of_input in found for target in of_input.values()}
    yield from (
        LeftOut(name, f"there is no input named like it in {light.root.name}")
        for target, name in enumerate(stains.names)
        if target not in used
    )


def _same_keys(light: Side, stains: Side) -> list[dict[str, int]]:
    places = {key: place for place, key in enumerate(stains.keys)}
    return [{"": places[key]} if key in places else {} for key in light.keys]


def _chosen(stains: Side, found: Sequence[dict[str, int]]) -> str:
    """Return what the names of the stains have more than those of their inputs.

    Raises
    ------
    ImageError
        If that may be several things, none of which was asked for.
    """
    kinds = list(dict.fromkeys(more for of_input in found for more in of_input))
    if len(kinds) < 2 or "" in kinds:
        return "" if "" in kinds or not kinds else kinds[0]
    raise ImageError(
        f"The stains in '{stains.root}' are in files named by {', '.join(kinds)}. Name the stains by these."
    )


def _both(light: Side, place: int, stains: Side, target: int, group: str) -> Couples:
    """Yield the scenes of an input with those of its stain."""
    name = light.names[place]
    inputs, targets = light.images(place), stains.images(target)
    if isinstance(inputs, LeftOut) or isinstance(targets, LeftOut):
        yield inputs if isinstance(inputs, LeftOut) else targets  # type: ignore[misc] # one of both is
        return
    if len(inputs) != len(targets):
        yield LeftOut(name, f"it holds {len(inputs)} images, its stain {len(targets)}")
        return
    for one, other in zip(inputs, targets, strict=True):
        called = f"{name} · {one.scene}" if one.scene else name
        yield Couple(called, group, one, other)
