"""Images from files and arrays, as `ImageStack`. What differs by format is in `reading`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_cellstage.core.errors import ImageError
from napari_cellstage.core.image_stack import ImageStack
from napari_cellstage.core.reading.axes import AXES, check_array
from napari_cellstage.core.reading.choose import ENDINGS
from napari_cellstage.core.reading.find import can_open, find_images
from napari_cellstage.core.reading.series_names import is_pattern, title_of

if TYPE_CHECKING:
    from napari_cellstage.core.reading.content import Content, Source
    from napari_cellstage.core.reading.planes import Planes

SHEET_ENDING = ".cellsheet"  # a saved contact sheet: opened as other images are, but made of many files

__all__ = [
    "AXES",
    "ENDINGS",
    "SHEET_ENDING",
    "ImageStack",
    "can_open",
    "each_image",
    "find_images",
    "from_array",
    "open_image",
    "open_images",
]

RGB_NAMES = ("red", "green", "blue")


def open_image(path: Path | str, axes: str | None = None, scene: str = "") -> ImageStack:
    """Open an image of any format there is a reader for; its pixels are read as they are asked for.

    Parameters
    ----------
    path
        The file; a ``.zarr`` folder; or the folder of numbered TIFFs that are one image.
    axes
        What the file's axes are, such as ``"TYX"``, when the file does not say, or says wrong. Otherwise the file's
        metadata decide; axes they leave open are guessed by `reading.axes.guess_axes`, and told in `guessed_axes`.
    scene
        Which scene, position or well, as in `ImageStack.scene`; the first where it is empty. For a series of
        numbered files its pattern, such as ``"exp_T<T>_Z<Z>.tif"``.

    Raises
    ------
    ImageError
        If the file is missing, empty, cut off, of an unknown kind or unreadable, if it has no such scene, or `axes`
        do not fit it.
    """
    path = Path(path)
    if path.suffix == SHEET_ENDING:
        from napari_cellstage.core.sheets import open_sheet

        return open_sheet(path)
    source = _source(path, scene)
    if scene and scene not in source.scenes:
        raise ImageError(
            f"'{path.name}' has no scene '{scene}': it has {', '.join(repr(one) for one in source.scenes)}. "
            "Choose one of those."
        )
    return _stack(path, source, source.scenes.index(scene) if scene else 0, axes)


def open_images(path: Path | str, axes: str | None = None) -> tuple[ImageStack, ...]:
    """Open every scene, position or well of a file as an image of its own; see `open_image`."""
    opened = tuple(each_image(path, axes))
    for one in opened:
        if isinstance(one, ImageError):
            raise one
    return opened  # type: ignore[return-value] # mypy does not see that no error is left


def each_image(path: Path | str, axes: str | None = None) -> Iterator[ImageStack | ImageError]:
    """Open the scenes of a file one by one; for one that can't be opened yield why, and go on with the others.

    Raises
    ------
    ImageError
        If the file as a whole can't be opened.
    """
    path = Path(path)
    if path.suffix == SHEET_ENDING:
        yield open_image(path)
        return
    source = _source(path, "")
    for number in range(len(source.scenes)):
        try:
            yield _stack(path, source, number, axes)
        except ImageError as error:
            yield error


def _source(path: Path, scene: str) -> Source:
    """Open a file, a folder, or a series; the readers are loaded now, as they are slow to load."""
    if path.is_dir() and is_pattern(scene):
        from napari_cellstage.core.reading.series import SeriesSource

        return SeriesSource(path, scene)
    from napari_cellstage.core.reading.choose import source_of

    return source_of(path)


def _stack(path: Path, source: Source, number: int, axes: str | None) -> ImageStack:
    from napari_cellstage.core.reading.content import unreadable

    scene = source.scenes[number]
    name = image_name(path, scene)
    try:
        content = source.read(number, axes)
        check_array(content.levels[0], content.axes, name)
        return _of_content(content, name, path, scene, axes or "")
    except ImageError:
        raise
    except Exception as error:  # readers raise anything, from struct.error to IndexError
        raise unreadable(name, error) from error


def _of_content(content: Content, name: str, path: Path, scene: str, axes: str) -> ImageStack:
    from napari_cellstage.core.reading.file_planes import FilePlanes
    from napari_cellstage.core.reading.fingerprint import of_file

    first, *coarser = (FilePlanes(level, content.axes) for level in content.levels)
    stack = _of_planes(
        first,
        name,
        rgb=first.rgb,
        # A file that names some of its channels only says nothing of which is which.
        channel_names=content.channel_names if len(content.channel_names or ()) == first.shape[1] else None,
        pixel_size_um=content.pixel_size_um,
        path=path.absolute(),
        fingerprint=of_file(path, scene, content.place),
    )
    return replace(
        stack,
        channel_colors=content.channel_colors if len(content.channel_colors) == stack.shape[1] else (),
        time_step_s=content.time_step_s if stack.shape[0] > 1 else None,
        scene=scene,
        axes=axes.upper(),
        guessed_axes=content.axes if content.guessed else "",
        pyramid=tuple(coarser),
        notes=content.notes,
    )


def image_name(path: Path, scene: str) -> str:
    """Return how an image is called: its file, and the scene where the file has several."""
    if is_pattern(scene):
        return f"{path.name}/{title_of(scene)}"
    return f"{path.name} · {scene}" if scene else path.name


def from_array(array: Any, axes: str, name: str, **details: Any) -> ImageStack:
    """Wrap a numpy or dask array with axes such as ``"YX"``, ``"CYX"``, ``"TCZYX"`` or ``"YXS"`` (S: RGB samples).

    Parameters
    ----------
    array
        Any real dtype; float, bool and integers stay what they are. A fourth sample (alpha) is left out.
    axes
        One letter an axis, in the array's order: T, C, Z, Y, X or S. Y and X must be there.
    name
        As shown.
    **details
        Any of `ImageStack`'s other fields.

    Raises
    ------
    ImageError
        If the axes do not fit the array, it is empty or complex, or channel names do not fit the channels.
    """
    axes = axes.upper()
    check_array(array, axes, name)
    from napari_cellstage.core.reading.planes import planes_of

    details["pyramid"] = tuple(planes_of(level, AXES, name)[0] for level in details.get("pyramid", ()))
    pixels, rgb = planes_of(array, axes, name)
    return _of_planes(pixels, name, **{"rgb": rgb, **details})


def _of_planes(pixels: Planes, name: str, **details: Any) -> ImageStack:
    count = pixels.shape[1]
    names = tuple(details.pop("channel_names", None) or (RGB_NAMES if details["rgb"] else _default_names(count)))
    if len(names) != count:
        raise ImageError(
            f"'{name}' has {count} channels, but {len(names)} channel names were given: {', '.join(names)}. "
            "Give one name a channel."
        )
    from napari_cellstage.core.reading.fingerprint import of_array

    details["fingerprint"] = details.get("fingerprint") or of_array(pixels)
    return ImageStack(name=name, pixels=pixels, channel_names=names, **details)


def _default_names(count: int) -> tuple[str, ...]:
    return tuple(f"channel {number}" for number in range(count))
