"""Files of microscopes, written as small as they can be, with what their makers write."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import zarr

UNITS = {"t": "second", "z": "micrometer", "y": "micrometer", "x": "micrometer"}
KINDS = {"t": "time", "c": "channel"}


def write_zarr_image(
    folder: Path,
    levels: list[np.ndarray],
    axes: str,
    version: str,
    scale: tuple[float, ...],
    channels: list[tuple[str, str]] = (),
    chunks: int = 64,
) -> Path:
    """Write an OME-Zarr image, every level half of the one before it."""
    group = zarr.open_group(folder, mode="w", zarr_format=3 if version == "0.5" else 2)
    datasets = []
    for number, level in enumerate(levels):
        shape = tuple(min(n, chunks) if axis in "yx" else 1 for n, axis in zip(level.shape, axes, strict=True))
        array = group.create_array(str(number), shape=level.shape, chunks=shape, dtype=level.dtype)
        array[...] = level
        steps = [one * (2**number if axis in "yx" else 1) for one, axis in zip(scale, axes, strict=True)]
        datasets.append({"path": str(number), "coordinateTransformations": [{"type": "scale", "scale": steps}]})
    described = [
        {"name": axis, "type": KINDS.get(axis, "space"), **({"unit": UNITS[axis]} if axis in UNITS else {})}
        for axis in axes
    ]
    about: dict[str, Any] = {"multiscales": [{"axes": described, "datasets": datasets, "name": "image"}]}
    if channels:
        about["omero"] = {"channels": [{"label": name, "color": color} for name, color in channels]}
    put_attributes(group, about, version)
    return folder


def put_attributes(group: zarr.Group, about: dict[str, Any], version: str) -> None:
    """Write OME attributes where a version has them."""
    if version == "0.5":
        group.attrs["ome"] = {"version": version, **about}
        return
    for name, value in about.items():
        group.attrs[name] = value


def write_plate(folder: Path, wells: dict[str, list[np.ndarray]], version: str) -> Path:
    """Write a plate: pictures ``(Y, X)`` of fields, by well such as ``"B/3"``."""
    plate = zarr.open_group(folder, mode="w", zarr_format=3 if version == "0.5" else 2)
    put_attributes(plate, {"plate": {"wells": [{"path": well} for well in wells]}}, version)
    for well, fields in wells.items():
        group = plate.create_group(well)
        put_attributes(group, {"well": {"images": [{"path": str(n)} for n in range(len(fields))]}}, version)
        for number, field in enumerate(fields):
            write_zarr_image(folder / well / str(number), [field], "yx", version, (0.5, 0.5))
    return folder


def write_lif(path: Path, images: dict[str, np.ndarray], luts: list[str]) -> Path:
    """Write a Leica file of images ``(T, Z, C, Y, X)`` uint16: a header in XML, then a block of memory an image."""
    elements = "".join(_lif_element(name, pixels, luts, n) for n, (name, pixels) in enumerate(images.items()))
    header = (
        f'<LMSDataContainerHeader Version="2"><Element Name="{path.stem}" Visibility="1"><Data/><Children>{elements}'
        "</Children></Element></LMSDataContainerHeader>"
    )
    text = header.encode("utf-16-le")
    with path.open("wb") as file:
        file.write(struct.pack("<IIBI", 0x70, len(text) + 5, 0x2A, len(header)) + text)
        for number, pixels in enumerate(images.values()):
            name = f"MemBlock_{number}"
            block = name.encode("utf-16-le")
            file.write(struct.pack("<IIBQBI", 0x70, 14 + len(block), 0x2A, pixels.nbytes, 0x2A, len(name)) + block)
            file.write(np.ascontiguousarray(pixels).tobytes())
    return path


def _lif_element(name: str, pixels: np.ndarray, luts: list[str], number: int) -> str:
    frames, planes, count, height, width = pixels.shape
    plane = height * width * 2
    channels = "".join(
        f'<ChannelDescription DataType="0" ChannelTag="0" Resolution="16" NameOfMeasuredQuantity="" Min="0" Max="1" '
        f'Unit="" LUTName="{lut}" IsLUTInverted="0" BytesInc="{place * plane}" BitInc="0"/>'
        for place, lut in enumerate(luts)
    )
    sides = (
        (1, width, (width - 1) * 0.25e-6, "m", 2),
        (2, height, (height - 1) * 0.25e-6, "m", width * 2),
        (3, planes, (planes - 1) * 2e-6, "m", count * plane),
        (4, frames, (frames - 1) * 30.0, "s", planes * count * plane),
    )
    dimensions = "".join(
        f'<DimensionDescription DimID="{dim}" NumberOfElements="{n}" Origin="0" Length="{length}" Unit="{unit}" '
        f'BytesInc="{step}" BitInc="0"/>'
        for dim, n, length, unit, step in sides
        if n > 1
    )
    return (
        f'<Element Name="{name}" Visibility="1" UniqueID="{number}"><Data><Image TextDescription="">'
        f"<ImageDescription><Channels>{channels}</Channels><Dimensions>{dimensions}</Dimensions></ImageDescription>"
        f'</Image></Data><Memory Size="{pixels.nbytes}" MemoryBlockID="MemBlock_{number}"/><Children/></Element>'
    )


def damage(path: Path) -> None:
    """Break what describes a Zarr group."""
    for name in (".zattrs", "zarr.json"):
        if (path / name).exists():
            (path / name).write_text(json.dumps({})[:-1])
