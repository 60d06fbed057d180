"""Float images written part by part, larger than memory: OME-TIFF, and OME-Zarr 0.5 with levels."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise, product
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from napari_cellstage.core.volumes import levels_of

Shape = tuple[int, int, int, int, int]  # T, C, Z, Y, X
Read = Callable[[int, int, int, slice, slice], NDArray[np.float32]]  # t, c, z, rows, columns
_TILE, _CHUNK = 512, 1024
_LARGE = 1 << 24  # pixels of a plane; a smaller one is written as it is, which every program reads
_COLOURS = ("00FF00", "FF00FF", "00FFFF", "FFFF00", "FF0000", "0000FF")


@dataclass(frozen=True)
class Facts:
    """What a file says of itself.

    Parameters
    ----------
    name
        Of the image.
    channel_names
        One a channel.
    pixel_size_um
        z, y, x; None: not known.
    time_step_s
        None: not known.
    description
        In words.
    values
        The same for programs: plain values for JSON.
    """

    name: str
    channel_names: tuple[str, ...]
    pixel_size_um: tuple[float, float, float] | None = None
    time_step_s: float | None = None
    description: str = ""
    values: dict[str, Any] = field(default_factory=dict)


def write_tiff(file: Path, shape: Shape, read: Read, facts: Facts) -> None:
    """Write an OME-TIFF of float32, compressed without loss.

    Parameters
    ----------
    file
        To write.
    shape
        T, C, Z, Y, X.
    read
        Gives part of a plane of a channel.
    facts
        Names, sizes, words.
    """
    whole = shape[3] * shape[4] <= _LARGE
    about: dict[str, Any] = {"axes": "TCZYX", "Channel": {"Name": list(facts.channel_names)}}
    about |= {"Name": facts.name, "Description": facts.description, **_sizes(facts)}
    about["MapAnnotation"] = {key: json.dumps(value, ensure_ascii=False) for key, value in facts.values.items()}
    tifffile.imwrite(
        file,
        _planes(shape, read) if whole else _tiles(shape, read),
        ome=True,
        shape=shape,
        dtype=np.float32,
        tile=None if whole else (_TILE, _TILE),
        compression="zlib",
        photometric="minisblack",
        metadata=about,
        bigtiff=4 * prod(shape) > 2**31,
    )


def write_zarr(folder: Path, shape: Shape, read: Read, facts: Facts) -> None:
    """Write an OME-Zarr 0.5 folder of float32, with coarser levels where a plane is larger than a screen."""
    import zarr  # half a second

    levels = levels_of(shape)
    group = zarr.open_group(folder, mode="w", zarr_format=3)
    arrays = [_new_array(group, shape, level) for level in range(levels)]
    for t, c, z, rows, columns in _blocks(shape):
        arrays[0][t, c, z, rows, columns] = read(t, c, z, rows, columns)
    for fine, coarse in pairwise(arrays):
        for t, c, z, rows, columns in _blocks(coarse.shape):
            twice = (slice(2 * one.start, 2 * one.stop) for one in (rows, columns))
            coarse[t, c, z, rows, columns] = fine[(t, c, z, *twice)][::2, ::2]
    group.update_attributes(
        {"ome": _ome(facts, levels), **({"napari-cellstage": facts.values} if facts.values else {})}
    )


def _sizes(facts: Facts) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for axis, size in zip("ZYX", facts.pixel_size_um or (), strict=False):
        found |= {f"PhysicalSize{axis}": size, f"PhysicalSize{axis}Unit": "µm"}
    if facts.time_step_s is not None:
        found |= {"TimeIncrement": facts.time_step_s, "TimeIncrementUnit": "s"}
    return found


def _planes(shape: Shape, read: Read) -> Iterator[NDArray[np.float32]]:
    for t, c, z in np.ndindex(shape[:3]):
        yield read(t, c, z, slice(0, shape[3]), slice(0, shape[4]))


def _tiles(shape: Shape, read: Read) -> Iterator[NDArray[np.float32]]:
    """Yield tiles row by row, plane by plane; those at the edges smaller. A strip of them is read at a time."""
    height, width = shape[3:]
    for t, c, z in np.ndindex(shape[:3]):
        for top in range(0, height, _TILE):
            strip = read(t, c, z, slice(top, min(top + _TILE, height)), slice(0, width))
            for left in range(0, width, _TILE):
                yield np.ascontiguousarray(strip[:, left : left + _TILE])


def _new_array(group: Any, shape: Shape, level: int) -> Any:
    halved = (*shape[:3], *(-(-side // 2**level) for side in shape[3:]))
    return group.create_array(
        str(level),
        shape=halved,
        chunks=(1, 1, 1, *(min(_CHUNK, side) for side in halved[3:])),
        dtype=np.float32,
        fill_value=0,
        dimension_names=("t", "c", "z", "y", "x"),
    )


def _blocks(shape: Shape) -> Iterator[tuple[int, int, int, slice, slice]]:
    ranges = (*map(range, shape[:3]), *(range(0, side, _CHUNK) for side in shape[3:]))
    for t, c, z, top, left in product(*ranges):
        yield t, c, z, slice(top, min(top + _CHUNK, shape[3])), slice(left, min(left + _CHUNK, shape[4]))


def _ome(facts: Facts, levels: int) -> dict[str, Any]:
    """Return the metadata of OME-Zarr 0.5; a size without a unit is a ratio."""
    sizes = facts.pixel_size_um or (1.0, 1.0, 1.0)
    unit = {"unit": "micrometer"} if facts.pixel_size_um else {}
    space = [{"name": axis, "type": "space", **unit} for axis in "zyx"]
    time = {"name": "t", "type": "time", **({"unit": "second"} if facts.time_step_s else {})}
    first = (facts.time_step_s or 1.0, 1.0, sizes[0])
    datasets = [
        {
            "path": str(level),
            "coordinateTransformations": [
                {"type": "scale", "scale": [*first, sizes[1] * 2**level, sizes[2] * 2**level]}
            ],
        }
        for level in range(levels)
    ]
    scales = {"name": facts.name, "axes": [time, {"name": "c", "type": "channel"}, *space], "datasets": datasets}
    channels = [
        {"label": name, "color": _COLOURS[place % len(_COLOURS)], "active": True}
        for place, name in enumerate(facts.channel_names)
    ]
    return {"version": "0.5", "multiscales": [scales], "omero": {"channels": channels}}
