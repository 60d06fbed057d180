"""Axes of arrays: into the order T, C, Z, Y, X, and a guess at those a file leaves open."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import numpy as np

from napari_cellstage.core.errors import ImageError

AXES = "TCZYX"
MANY = 4


def check_array(array: Any, axes: str, name: str) -> None:
    """Raise `ImageError` unless an array has these axes, pixels, and real numbers."""
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


def in_order(data: Any, axes: str) -> tuple[Any, bool]:
    """Return an array of numpy or dask as ``(T, C, Z, Y, X)``, and whether its channels are red, green and blue."""
    rgb = False
    if "S" in axes:
        data, axes, rgb = _samples_to_channels(data, axes)
    data = data.transpose([axes.index(axis) for axis in AXES if axis in axes])
    return data[tuple(slice(None) if axis in axes else None for axis in AXES)], rgb


def _samples_to_channels(data: Any, axes: str) -> tuple[Any, str, bool]:
    """Make colour samples channels."""
    place = axes.index("S")
    kept, _rgb = colour_channels(dict(zip(axes, data.shape, strict=True)))
    data = data[(slice(None),) * place + (slice(kept),)]
    if "C" in axes and data.shape[axes.index("C")] == 1:  # colour samples of one channel: a colour picture
        data, axes = data[(slice(None),) * axes.index("C") + (0,)], axes.replace("C", "")
    if "C" not in axes:
        return data, axes.replace("S", "C"), kept == 3
    rest = axes.replace("S", "").replace("C", "")
    data = data.transpose([axes.index(axis) for axis in "CS" + rest])
    return data.reshape((-1, *data.shape[2:])), "C" + rest, False


def colour_channels(sizes: dict[str, int]) -> tuple[int, bool]:
    """Return how many colour samples are used, and whether they make a colour picture, of the length of each axis.

    Two samples are gray with alpha, four are colours with alpha, which is left out. Without samples there is one.
    """
    samples = sizes.get("S", 1)
    kept = {2: 1, 4: 3}.get(samples, samples)
    return kept, kept == 3 and sizes.get("C", 1) == 1 and "S" in sizes


def open_axes(letters: str) -> list[int]:
    """Return the places of the axes a file leaves open: all but T, C, Z, Y, X and S."""
    return [place for place, letter in enumerate(letters) if letter not in "TCZYXS"]


def guess_axes(letters: str, shape: tuple[int, ...], name: str) -> str:
    """Name the axes that a file leaves open.

    One open axis of at most 4 is taken for channels, a longer one for planes in z (as ImageJ does), or for time
    where z is there already. Of two open axes a short one is channels and the other as above; three are T, Z, C, the
    order in which ImageJ writes.

    Parameters
    ----------
    letters
        tifffile's letters; all but T, C, Z, Y, X and S are open.
    shape
        Length of each axis.
    name
        Name of the file, for the error.

    Raises
    ------
    ImageError
        If more axes are open than there are letters.
    """
    places = open_axes(letters)
    free = [letter for letter in "CZT" if letter not in letters]
    if len(places) > len(free):
        raise ImageError(
            f"'{name}' has the shape {shape}, and which axis is what can't be told. Save it as OME-TIFF or ImageJ TIFF."
        )
    result = list(letters)
    if len(places) == 3:
        return "".join("TZC"[places.index(i)] if i in places else letters[i] for i in range(len(letters)))
    for place in sorted(places, key=lambda place: (shape[place], -place)):
        short = shape[place] <= MANY
        letter = "C" if "C" in free and (short or len(free) == 1) else next(one for one in free if one != "C")
        free.remove(letter)
        result[place] = letter
    return "".join(result)


def axes_choices(guessed: str) -> tuple[str, ...]:
    """Return what guessed axes could be, the guess first: of ``"ZYX"`` also ``"TYX"`` and ``"CYX"``."""
    places = [place for place, letter in enumerate(guessed) if letter not in "YXS"]
    made = [guessed]
    for letters in permutations("TZC", len(places)):
        other = list(guessed)
        for place, letter in zip(places, letters, strict=True):
            other[place] = letter
        made.append("".join(other))
    return tuple(dict.fromkeys(made))
