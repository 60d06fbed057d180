"""OME-Zarr, versions 0.1 to 0.5: single images, several in one folder, and plates. Through zarr itself.

bioio's reader refuses plates and the folders of bioformats2raw, and opens one image at a time.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.errors import ImageError
from napari_cellstage.core.reading.content import (
    Content,
    checked_axes,
    hex_color,
    known_size,
    known_step,
    own_colors,
    own_names,
    unique,
    unreadable,
)
from napari_cellstage.core.reading.pixels import Held, Index, Pixels, held, stamp
from napari_cellstage.core.reading.zarr_layout import attributes, images_of

_UM = {"meter": 1e6, "centimeter": 1e4, "millimeter": 1e3, "micrometer": 1.0, "micron": 1.0, "um": 1.0, "µm": 1.0}
_UM |= {"nanometer": 1e-3, "angstrom": 1e-4, "picometer": 1e-6}
_SECONDS = {"hour": 3600.0, "minute": 60.0, "second": 1.0, "s": 1.0, "millisecond": 1e-3, "microsecond": 1e-6}
_OLD_AXES = "TCZYX"  # of versions 0.1 and 0.2, which had no other


class ZarrSource:
    """The images of a .zarr folder; labels that are kept with them are left alone.

    Parameters
    ----------
    path
        The folder: an image, a plate, a well, or a collection of images.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._places = images_of(path)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise unreadable(path, f"its metadata are damaged ({error})") from error
        if not self._places:
            raise ImageError(
                f"There is no OME-Zarr image in '{path.name}': nothing says which arrays belong together "
                "('multiscales'). Choose the folder of a whole image or plate, or save it as OME-Zarr again."
            )
        names = unique([place.name or f"image {number + 1}" for number, place in enumerate(self._places)])
        self.scenes = tuple(names) if len(names) > 1 else ("",)

    def read(self, scene: int, axes: str | None) -> Content:
        """Return an image of the folder."""
        place = self._places[scene]
        about = attributes(place.folder)
        scales = about["multiscales"][place.number]
        levels = tuple(_level(self.path, place.folder / str(one["path"])) for one in scales["datasets"])
        known = checked_axes(axes, levels[0].ndim, self.path.name, levels[0].shape) if axes else _letters(scales)
        channels = (about.get("omero") or {}).get("channels") or []
        fits = "C" in known and len(channels) == levels[0].shape[known.index("C")]
        return Content(
            levels,
            known,
            own_names([one.get("label") for one in channels]) if fits else None,
            known_size([_scale(scales, axis, _UM) for axis in "zyx"]),
            own_colors([hex_color(one.get("color", "")) for one in channels]) if fits else (),
            known_step(_scale(scales, "t", _SECONDS)),
            place=place.folder,
        )


def _letters(scales: dict[str, Any]) -> str:
    return "".join(axis["name"].upper() for axis in _axes(scales))


def _axes(scales: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the axes as version 0.4 has them; 0.3 has their names only, and before there was no choice."""
    axes = scales.get("axes", list(_OLD_AXES.lower()))
    return [axis if isinstance(axis, dict) else {"name": str(axis)} for axis in axes]


def _scale(scales: dict[str, Any], name: str, units: dict[str, float]) -> float | None:
    """Return a pixel's size along an axis, in µm or seconds; None where there is no unit, for then it is a ratio."""
    axes = _axes(scales)
    place = next((number for number, axis in enumerate(axes) if axis["name"] == name), None)
    unit = units.get(str(axes[place].get("unit", ""))) if place is not None else None
    if place is None or unit is None:
        return None
    steps = [*scales["datasets"][0].get("coordinateTransformations", ()), *scales.get("coordinateTransformations", ())]
    return unit * float(np.prod([step["scale"][place] for step in steps if "scale" in step]))


def _level(path: Path, folder: Path) -> Pixels:
    array = _array(folder)
    token = f"{folder.absolute()}-{stamp(_about(folder))}"
    return Pixels(path.name, token, array.shape, array.dtype, partial(_read, folder), array.chunks)


def _array(folder: Path) -> Any:
    return held(_open, _about(folder)).file


def _about(folder: Path) -> Path:
    """Return the file that describes an array."""
    return next((folder / name for name in (".zarray", "zarr.json") if (folder / name).exists()), folder)


def _open(about: Path) -> Held[Any]:
    import zarr

    return Held(zarr.open_array(about.parent, mode="r"), lambda: None)


def _read(folder: Path, index: Index) -> NDArray[Any]:
    return np.asarray(_array(folder)[index])
