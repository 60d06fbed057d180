"""What OME-XML says of the images in a file: names, sizes, colours and times.

Read leniently: ome-types refuses files with a pixel size of 0, of which microscopes write many.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import tifffile

from napari_cellstage.core.reading.content import known_size, known_step, number_of, own_colors, own_names, rgba_color

_IN_UM = {"m": 1e6, "cm": 1e4, "mm": 1e3, "µm": 1.0, "um": 1.0, "micron": 1.0, "nm": 1e-3, "pm": 1e-6, "Å": 1e-4}
# A decimal comma, which tifffile takes for two numbers.
_COMMA = re.compile(r'((?:PhysicalSize[XYZ]|TimeIncrement)="\d+),(\d+")')
_IN_S = {"s": 1.0, "ms": 1e-3, "µs": 1e-6, "us": 1e-6, "min": 60.0, "h": 3600.0, "d": 86400.0}


@dataclass(frozen=True)
class OmeImage:
    """What is known of one image; as in `ImageStack`."""

    channel_names: tuple[str, ...] | None
    pixel_size_um: tuple[float, float, float] | None
    channel_colors: tuple[str, ...]
    time_step_s: float | None


def ome_images(xml: str) -> list[OmeImage]:
    """Return the images that OME-XML describes, in its order."""
    try:
        described = tifffile.xml2dict(_COMMA.sub(r"\1.\2", xml))["OME"]["Image"]
    except (KeyError, TypeError, SyntaxError):  # SyntaxError: XML that is none, as the parser of Python says it
        return []
    return [_image(image.get("Pixels", {})) for image in _listed(described)]


def _image(pixels: dict[str, Any]) -> OmeImage:
    channels = _listed(pixels.get("Channel", []))
    step, unit = pixels.get("TimeIncrement"), pixels.get("TimeIncrementUnit", "s")
    colors = [rgba_color(channel["Color"]) for channel in channels if "Color" in channel]
    return OmeImage(
        own_names([channel.get("Name") for channel in channels]),
        known_size([_in_um(pixels, axis) for axis in "ZYX"]),
        own_colors(colors) if len(colors) == len(channels) else (),
        known_step(number_of(step) * _IN_S[unit]) if step is not None and unit in _IN_S else None,
    )


def _in_um(pixels: dict[str, Any], axis: str) -> float | None:
    size, unit = pixels.get(f"PhysicalSize{axis}"), pixels.get(f"PhysicalSize{axis}Unit", "µm")
    return number_of(size) * _IN_UM[unit] if size is not None and unit in _IN_UM else None


def _listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else [value]
