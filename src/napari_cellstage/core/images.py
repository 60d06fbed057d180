"""Images from files and arrays, as lazy stacks with axes T, C, Z, Y, X. What differs by format is in `reading`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.errors import ImageError
from napari_cellstage.core.reading.axes import AXES, check_array, in_order
from napari_cellstage.core.reading.choose import ENDINGS
from napari_cellstage.core.reading.find import can_open, find_images
from napari_cellstage.core.reading.series_names import is_pattern, title_of

if TYPE_CHECKING:
    import dask.array as da

    from napari_cellstage.core.reading.content import Content, Source

SHEET_ENDING = ".cellsheet"  # a saved contact sheet: opened as other images are, but made of many files

__all__ = [
    "AXES",
    "ENDINGS",
    "SHEET_ENDING",
    "ImageStack",
    "can_open",
    "find_images",
    "from_array",
    "open_image",
    "open_images",
]

RGB_NAMES = ("red", "green", "blue")


@dataclass(frozen=True)
class ImageStack:
    """One image, read as its pixels are asked for.

    Parameters
    ----------
    name
        As shown; the file name where there is a file.
    data
        ``(T, C, Z, Y, X)``, any real dtype. RGB pictures are three channels.
    channel_names
        One a channel.
    pixel_size_um
        z, y, x in micrometres, or None where the file does not say (or says 0). A flat image without a size in z has
        1 there.
    path
        Where it was read from, or None for an image that exists in memory only.
    fingerprint
        Changes with the pixels: a hash of size, time of change and first bytes of the file, or of the array.
    rgb
        True when the three channels are red, green and blue of a colour picture.
    channel_colors
        ``"#rrggbb"`` a channel, as the file says; empty where it does not.
    time_step_s
        Seconds from one time point to the next, or None where the file does not say.
    scene
        Which scene, position or well of the file this is; empty where the file has one only.
    axes
        Axes of the file as the user gave them, empty where the file's own count.
    guessed_axes
        Axes that were guessed, as the file does not say what they are, such as ``"ZYX"``; empty where it does.
    pyramid
        The image at coarser levels, finest first, each ``(T, C, Z, Y, X)``; empty where there are none.
    notes
        Sentences to show the user after opening, such as how many tiles the file lacks.
    tile
        Side of the tiles of a contact sheet in pixels, 0 where the image is none.
    """

    name: str
    data: da.Array
    channel_names: tuple[str, ...]
    pixel_size_um: tuple[float, float, float] | None = None
    path: Path | None = None
    fingerprint: str = ""
    rgb: bool = False
    channel_colors: tuple[str, ...] = ()
    time_step_s: float | None = None
    scene: str = ""
    axes: str = ""
    guessed_axes: str = ""
    pyramid: tuple[da.Array, ...] = ()
    tile: int = 0
    notes: tuple[str, ...] = ()

    @property
    def levels(self) -> tuple[da.Array, ...]:
        """The image at full resolution, and the coarser levels after it."""
        return (self.data, *self.pyramid)

    @property
    def shape(self) -> tuple[int, int, int, int, int]:
        """T, C, Z, Y, X."""
        return self.data.shape  # type: ignore[no-any-return]

    def volume(self, t: int, channel: int) -> NDArray[np.generic]:
        """Return ``(Z, Y, X)`` of one time point and channel, read now.

        Raises
        ------
        ImageError
            If there is no such time point or channel, or its pixels can't be read.
        """
        self._check("time point", t, self.shape[0])
        self._check("channel", channel, self.shape[1])
        return self._read(self.data[t, channel])

    def plane(self, t: int, z: int, channels: tuple[int, ...]) -> NDArray[np.generic]:
        """Return ``(C, Y, X)`` of one plane, its channels in the order asked for, read now.

        Raises
        ------
        ImageError
            If there is no such time point, plane or channel, or its pixels can't be read.
        """
        return self.region(t, z, channels, slice(None), slice(None))

    def region(self, t: int, z: int, channels: tuple[int, ...], rows: slice, columns: slice) -> NDArray[np.generic]:
        """Return ``(C, h, w)`` of a part of one plane, read now; only the chunks it lies in are read.

        Parameters
        ----------
        t, z
            Which plane.
        channels
            Which channels, in the order asked for.
        rows, columns
            Which part, within the image.

        Raises
        ------
        ImageError
            If there is no such time point, plane or channel, or its pixels can't be read.
        """
        self._check("time point", t, self.shape[0])
        self._check("plane", z, self.shape[2])
        for channel in channels:
            self._check("channel", channel, self.shape[1])
        return self._read(self.data[t, :, z, rows, columns][list(channels)])

    def _check(self, what: str, index: int, count: int) -> None:
        if not 0 <= index < count:
            raise ImageError(
                f"'{self.name}' has no {what} {index}: it has {count}, counted from 0. "
                f"Choose one from 0 to {count - 1}."
            )

    def _read(self, part: da.Array) -> NDArray[np.generic]:
        try:
            return np.asarray(part)
        except ImageError:
            raise
        except Exception as error:  # a reader raises whatever its decoder does: struct, zlib, value, system errors
            raise ImageError(
                f"The pixels of '{self.name}' can't be read: {error or type(error).__name__}. "
                "The file may be damaged, or its disk gone. Copy it again from where it came."
            ) from error


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
    path = Path(path)
    if path.suffix == SHEET_ENDING:
        return (open_image(path),)
    source = _source(path, "")
    return tuple(_stack(path, source, number, axes) for number in range(len(source.scenes)))


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
    try:
        content = source.read(number, axes)
        name = image_name(path, scene)
        check_array(content.levels[0], content.axes, name)
        return _of_content(content, name, path, scene, axes or "")
    except ImageError:
        raise
    except Exception as error:  # readers raise anything, from struct.error to IndexError
        raise unreadable(path, error) from error


def _of_content(content: Content, name: str, path: Path, scene: str, axes: str) -> ImageStack:
    from napari_cellstage.core.reading.fingerprint import of_file
    from napari_cellstage.core.reading.pixels import lazy

    first, *coarser = (lazy(level, content.axes) for level in content.levels)
    stack = from_array(
        first,
        content.axes,
        name,
        channel_names=content.channel_names,
        pixel_size_um=content.pixel_size_um,
        path=path.absolute(),
        fingerprint=of_file(path, scene),
    )
    return replace(
        stack,
        channel_colors=content.channel_colors if len(content.channel_colors) == stack.shape[1] else (),
        time_step_s=content.time_step_s if stack.shape[0] > 1 else None,
        scene=scene,
        axes=axes.upper(),
        guessed_axes=content.axes if content.guessed else "",
        pyramid=tuple(in_order(level, content.axes)[0] for level in coarser),
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
    import dask.array as da  # takes most of a second, which the opening dock would wait for

    data = array if isinstance(array, da.Array) else _lazy(np.asarray(array), axes)
    data, rgb = in_order(data, axes)
    names = tuple(details.pop("channel_names", None) or (RGB_NAMES if rgb else _default_names(data.shape[1])))
    if len(names) != data.shape[1]:
        raise ImageError(
            f"'{name}' has {data.shape[1]} channels, but {len(names)} channel names were given: {', '.join(names)}. "
            "Give one name a channel."
        )
    from napari_cellstage.core.reading.fingerprint import of_array

    details["fingerprint"] = details.get("fingerprint") or of_array(data)
    return ImageStack(name=name, data=data, channel_names=names, **{"rgb": rgb, **details})


def _lazy(array: NDArray[Any], axes: str) -> Any:
    """Wrap an array, one chunk a plane, so that reading a plane touches nothing else."""
    chunks = tuple(n if axis in "YXS" else 1 for n, axis in zip(array.shape, axes, strict=True))
    import dask.array as da

    return da.from_array(array, chunks=chunks)  # type: ignore[no-untyped-call]


def _default_names(count: int) -> tuple[str, ...]:
    return tuple(f"channel {number}" for number in range(count))
