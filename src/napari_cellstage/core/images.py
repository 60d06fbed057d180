"""Images from files and arrays, as lazy stacks with axes T, C, Z, Y, X. What differs by format is in `readers`."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.errors import ImageError

if TYPE_CHECKING:
    import dask.array as da

AXES = "TCZYX"
RGB_NAMES = ("red", "green", "blue")
_HASHED_BYTES = 1 << 16
_HASHED_ROWS = 4096


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
        except Exception as error:  # a reader raises whatever its decoder does: struct, zlib, value, system errors
            raise ImageError(
                f"The pixels of '{self.name}' can't be read: {error or type(error).__name__}. "
                "The file may be damaged, or its disk gone. Copy it again from where it came."
            ) from error


ENDINGS = (".tif", ".tiff", ".png", ".jpg", ".jpeg")


def can_open(path: Path | str) -> bool:
    """Tell by its name whether a file or folder may be an image."""
    return Path(path).suffix.lower() in ENDINGS


def find_images(path: Path | str) -> list[Path]:
    """Return the images of a folder tree, sorted as people sort, or the file itself."""
    path = Path(path)
    if not path.is_dir():
        return [path]
    return sorted(found for found in path.rglob("*") if can_open(found))


def open_images(path: Path | str, axes: str | None = None) -> tuple[ImageStack, ...]:
    """Open every scene, position or well of a file; see `open_image`."""
    return (open_image(path, axes),)


def open_image(path: Path | str, axes: str | None = None, scene: str = "") -> ImageStack:  # noqa: ARG001 - soon
    """Open TIFF, OME-TIFF, PNG or JPEG; the pixels of a TIFF are read as they are asked for.

    Of a file with several scenes the first is opened where `scene` names none.

    Parameters
    ----------
    path
        The file.
    axes
        What the file's axes are, such as ``"TYX"``, when the file does not say, or says wrong. Otherwise the file's
        metadata decide; axes they leave open are taken by the rule of `readers.guess_axes`.
    scene
        Name of the scene, position or well, as in `ImageStack.scene`.

    Raises
    ------
    ImageError
        If the file is missing, empty, cut off, of an unknown kind or unreadable, or `axes` do not fit it.
    """
    from napari_cellstage.core.readers import read_file  # brings tifffile, slow to load

    path = Path(path)
    if path.suffix == ".cellsheet":
        from napari_cellstage.core.sheets import open_sheet

        return open_sheet(path)
    content = read_file(path, axes)
    return from_array(
        content.data,
        content.axes,
        path.name,
        channel_names=content.channel_names,
        pixel_size_um=content.pixel_size_um,
        path=path.absolute(),
        fingerprint=_fingerprint_of_file(path),
    )


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
    _check_array(array, axes, name)
    import dask.array as da  # takes most of a second, which the opening dock would wait for

    data = array if isinstance(array, da.Array) else _lazy(np.asarray(array), axes)
    rgb = False
    if "S" in axes:
        data, axes, rgb = _samples_to_channels(data, axes)
    data = _ordered(data, axes)
    names = tuple(details.pop("channel_names", None) or (RGB_NAMES if rgb else _default_names(data.shape[1])))
    if len(names) != data.shape[1]:
        raise ImageError(
            f"'{name}' has {data.shape[1]} channels, but {len(names)} channel names were given: {', '.join(names)}. "
            "Give one name a channel."
        )
    details["fingerprint"] = details.get("fingerprint") or _fingerprint_of_array(data)
    return ImageStack(name=name, data=data, channel_names=names, **{"rgb": rgb, **details})


def _check_array(array: Any, axes: str, name: str) -> None:
    shape = tuple(np.shape(array))
    if len(axes) != len(shape) or len(set(axes)) != len(axes) or not {"Y", "X"} <= set(axes) <= set(AXES + "S"):
        raise ImageError(
            f"The axes '{axes}' do not fit '{name}' of shape {shape}. Give one letter an axis, out of T, C, Z, Y, X "
            "and S (colour samples), each once, Y and X among them; such as CYX."
        )
    if 0 in shape:
        raise ImageError(f"'{name}' has the shape {shape}, so there are no pixels in it. Choose another image.")
    dtype = np.dtype(array.dtype)
    if dtype.kind not in "buif":
        raise ImageError(f"'{name}' holds {dtype} values; only real numbers can be used. Save it as 16 bit or float.")


def _lazy(array: NDArray[Any], axes: str) -> Any:
    """Wrap an array, one chunk a plane, so that reading a plane touches nothing else."""
    chunks = tuple(n if axis in "YXS" else 1 for n, axis in zip(array.shape, axes, strict=True))
    import dask.array as da

    return da.from_array(array, chunks=chunks)  # type: ignore[no-untyped-call]


def _samples_to_channels(data: Any, axes: str) -> tuple[Any, str, bool]:
    """Make colour samples channels; two samples are gray with alpha, four are colours with alpha."""
    place = axes.index("S")
    kept = {2: 1, 4: 3}.get(data.shape[place], data.shape[place])
    data = data[(slice(None),) * place + (slice(kept),)]
    if "C" not in axes:
        return data, axes.replace("S", "C"), kept == 3
    rest = axes.replace("S", "").replace("C", "")
    data = data.transpose([axes.index(axis) for axis in "CS" + rest])
    return data.reshape((-1, *data.shape[2:])), "C" + rest, False


def _ordered(data: Any, axes: str) -> Any:
    data = data.transpose([axes.index(axis) for axis in AXES if axis in axes])
    return data[tuple(slice(None) if axis in axes else None for axis in AXES)]


def _default_names(count: int) -> tuple[str, ...]:
    return tuple(f"channel {number}" for number in range(count))


def _fingerprint_of_file(path: Path) -> str:
    facts = path.stat()
    with path.open("rb") as file:
        head = file.read(_HASHED_BYTES)
    return hashlib.sha256(f"{facts.st_size} {facts.st_mtime_ns} ".encode() + head).hexdigest()


def _fingerprint_of_array(data: da.Array) -> str:
    """Hash shape, dtype and up to `_HASHED_ROWS` rows spread over the first plane; enough to tell images apart."""
    plane = data[0, 0, 0]
    rows = np.ascontiguousarray(plane[:: max(1, plane.shape[0] // _HASHED_ROWS)])
    return hashlib.sha256(f"{data.shape} {data.dtype} ".encode() + rows.tobytes()).hexdigest()
