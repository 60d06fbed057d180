"""What the tags of a TIFF say: whether it is whole, and how large a pixel is."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import tifffile

from napari_cellstage.core.reading.content import unreadable

_MICRONS = {
    "micron": 1.0, "microns": 1.0, "um": 1.0, "µm": 1.0, "\\u00b5m": 1.0, "micrometer": 1.0, "nm": 1e-3,
    "nanometer": 1e-3, "mm": 1e3, "millimeter": 1e3, "cm": 1e4, "pm": 1e-6,
}  # fmt: skip
_MICRONS_OF_TAG = {
    tifffile.RESUNIT.CENTIMETER: 1e4,
    tifffile.RESUNIT.MILLIMETER: 1e3,
    tifffile.RESUNIT.MICROMETER: 1.0,
}


def says_pixel_size(file: tifffile.TiffFile) -> bool:
    """Tell a resolution of the microscope from the 1 or 72 dots per inch that most programs write."""
    tags: Any = file.pages.first.tags
    return "XResolution" in tags and "YResolution" in tags and _unit(file) is not None


def sizes_of_tags(file: tifffile.TiffFile) -> tuple[float | None, float, float]:
    """Return z, y, x in micrometres by the resolution of the first page, z as ImageJ's spacing."""
    tags, unit = file.pages.first.tags, _unit(file) or 0.0
    spacing = (file.imagej_metadata or {}).get("spacing") if file.is_imagej else None
    y, x = (_inverse(tags[name].value) * unit for name in ("YResolution", "XResolution"))
    return (abs(float(spacing)) * unit if spacing else None), y, x


def _unit(file: tifffile.TiffFile) -> float | None:
    """Return the micrometres of the unit of length, None where it is none of a microscope."""
    tags: Any = file.pages.first.tags
    if file.is_imagej:
        return _MICRONS.get(str((file.imagej_metadata or {}).get("unit", "")).lower())
    return _MICRONS_OF_TAG.get(tags["ResolutionUnit"].value) if "ResolutionUnit" in tags else None


def _inverse(ratio: tuple[int, int]) -> float:
    pixels, units = ratio
    return units / pixels if pixels else 0.0


def check_complete(path: Path, file: tifffile.TiffFile, series: tifffile.TiffPageSeries) -> None:
    """Refuse a file that ends before its pixels do, now rather than when the user has labelled half of it."""
    size = path.stat().st_size
    ends = [series.dataoffset + series.nbytes] if series.dataoffset is not None else []
    ends.append(_next_page_offset(file))
    for page in (series.keyframe, series.pages[-1]):
        own = page is not None and str(page.parent.filename) == str(file.filename)
        if own and isinstance(page, tifffile.TiffPage | tifffile.TiffFrame):
            ends += [start + n for start, n in zip(page.dataoffsets, page.databytecounts, strict=False)]
    if max(ends) > size:
        raise unreadable(path, f"it ends after {size} bytes, of at least {max(ends)}")


def _next_page_offset(file: tifffile.TiffFile) -> int:
    """Return where the page after the last one found should be: 0 in a whole file, beyond the end in a cut one."""
    tiff, handle = file.tiff, file.filehandle
    start = int(file.pages[-1].offset)
    with handle.lock:
        handle.seek(start)
        (tags,) = struct.unpack(tiff.tagnoformat, handle.read(tiff.tagnosize))
        handle.seek(start + tiff.tagnosize + tags * tiff.tagsize)
        (offset,) = struct.unpack(tiff.offsetformat, handle.read(tiff.offsetsize))
    return int(offset)
