"""Pictures of single cells: one small file decoded to channels first, and brought to a size around its middle."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.errors import ImageError

FLAT = (".png", ".jpg", ".jpeg", ".bmp")
TIFF = (".tif", ".tiff")
ENDINGS = FLAT + TIFF


def read_picture(file: Path) -> NDArray[Any] | str:
    """Return ``(C, Y, X)`` in the file's dtype, or why there is none, in words that go on from the file's name.

    Decoded directly: working out by the general reader what each file is would take an hour for 200,000 crops.
    """
    try:
        array, axes = _decoded(file)
    except ImageError as error:
        return str(error)
    except Exception as error:  # decoders raise anything; one bad file must not stop the reading of thousands
        return f"can't be read ({str(error).splitlines()[0] if str(error) else type(error).__name__})"
    thick = [letter for letter, length in zip(axes, array.shape, strict=True) if letter in "TZ" and length > 1]
    if thick:
        return f"has several {'time points' if 'T' in thick else 'planes'}, not one picture"
    if 0 in array.shape or array.dtype.kind not in "buif":
        return f"holds {array.dtype} values of shape {array.shape}, no picture"
    array = array[tuple(slice(None) if letter in "CYXS" else 0 for letter in axes)]
    return _channels_first(array, "".join(letter for letter in axes if letter in "CYXS"))


def _decoded(file: Path) -> tuple[NDArray[Any], str]:
    if file.suffix.lower() in FLAT:
        import imageio.v3 as imageio  # slow to load

        # Pillow alone, from memory: else imageio tries every plugin on a damaged file and leaves it open.
        array = np.asarray(imageio.imread(file.read_bytes(), plugin="pillow", index=0))
        return array, "YXS"[: array.ndim]
    import tifffile  # slow to load

    with tifffile.TiffFile(file) as tiff:
        series = tiff.series[0]
        return series.asarray(), _axes(series.axes, series.shape)


def _axes(letters: str, shape: tuple[int, ...]) -> str:
    """Name the axis a file leaves open: in a picture of one cell it can only be the channels, however many."""
    unknown = [letter for letter in letters if letter not in "TCZYXS"]
    if len(unknown) > 1 or (unknown and "C" in letters):
        raise ImageError(f"has the shape {shape}, and which axis is what can't be told")
    return letters.replace(unknown[0], "C") if unknown else letters


def _channels_first(array: NDArray[Any], axes: str) -> NDArray[Any]:
    if "S" in axes:
        place = axes.index("S")
        samples = int(array.shape[place])
        array = array.take(range({2: 1, 4: 3}.get(samples, samples)), axis=place)
        axes = axes.replace("C", "").replace("S", "C") if "C" not in axes else axes
    if "C" not in axes:
        array, axes = array[None], "C" + axes
    if "S" in axes:
        array = array.transpose([axes.index(letter) for letter in "CSYX"])
        return array.reshape((-1, *array.shape[2:]))
    return array.transpose([axes.index(letter) for letter in "CYX"])


def fitted(picture: NDArray[Any], height: int, width: int) -> NDArray[Any]:
    """Cut or mirror ``(C, Y, X)`` around the middle, so that pixel ``length // 2`` stays the middle."""
    for axis, length in ((1, height), (2, width)):
        offset = picture.shape[axis] // 2 - length // 2
        if offset > 0 or picture.shape[axis] > length:
            picture = picture.take(range(offset, offset + length), axis=axis)
        elif picture.shape[axis] < length:
            pad = [(0, 0)] * 3
            pad[axis] = (-offset, length - picture.shape[axis] + offset)
            picture = np.pad(picture, pad, mode="reflect")
    return picture
