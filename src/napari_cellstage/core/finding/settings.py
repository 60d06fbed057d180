"""How cells are found, as choices. Light to import: the methods themselves load scikit-image."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Any

from napari_cellstage.core.errors import CellsError
from napari_cellstage.core.finding.method import METHODS

# Planes are mostly taken further apart than pixels, as the light is less sharp along the axis.
_USUAL_Z_RATIO = 2.0


def _choice(default: Any, tip: str, **limits: Any) -> Any:
    return field(default=default, metadata={"tip": tip, **limits})


@dataclass(frozen=True)
class SegmentSettings:
    """How cells are found.

    Field metadata holds ``tip``; for numbers ``min`` and ``max``, for text ``choices``. Which fields a method looks at
    is in `method.Method.fields`.
    """

    channel: int = _choice(0, "Channel in which the nuclei are bright, counted from 0.", min=0, max=1000)
    method: str = _choice("otsu", "How cells are told from background.", choices=tuple(METHODS))
    second_channel: int = _choice(0, "Channel that shows the whole cells, counted from 0.", min=0, max=1000)
    background: float = _choice(
        100.0,
        "Light that changes over distances larger than this is taken off; 0: none is.",
        min=0.0,
        max=5000.0,
        zero="keep",
    )
    smoothing: float = _choice(0.8, "Blur against noise, in pixels.", min=0.0, max=50.0)
    sensitivity: float = _choice(1.0, "Higher finds dimmer nuclei, lower only bright ones.", min=0.1, max=10.0)
    min_diameter: float = _choice(6.0, "Smaller things are left out.", min=0.0, max=5000.0)
    max_diameter: float = _choice(
        0.0, "Larger things are left out; 0: nothing is too large.", min=0.0, max=5000.0, zero="no limit"
    )
    split: float = _choice(
        0.93, "How readily touching nuclei are split: 0 never, 1 at the slightest waist.", min=0.0, max=1.0
    )
    diameter: float = _choice(
        0.0, "Usual diameter of a cell, in pixels; 0: measured in the image.", min=0.0, max=5000.0, zero="measure"
    )
    z_ratio: float = _choice(
        0.0,
        "How much further apart planes lie than pixels in a plane; 0: as the image says, else 2.",
        min=0.0,
        max=100.0,
        zero="as the image says",
    )
    model: str = _choice("", "Name of a network that comes with the method, or a file or folder with your own.")

    def __post_init__(self) -> None:
        for one in fields(self):
            value, limits = getattr(self, one.name), one.metadata
            if "choices" in limits and value not in limits["choices"]:
                raise CellsError(f"{one.name} is '{value}', but must be one of: {', '.join(limits['choices'])}.")
            if "min" in limits and not limits["min"] <= value <= limits["max"]:
                raise CellsError(f"{one.name} is {value}, but must be from {limits['min']} to {limits['max']}.")

    @property
    def spacing(self) -> float:
        """`z_ratio`, or what is usual where neither the image nor the user says."""
        return self.z_ratio or _USUAL_Z_RATIO

    def fitted(self, pixel_size_um: tuple[float, float, float] | None) -> SegmentSettings:
        """Return these settings with the spacing of an image's planes, where it says one and the user none."""
        if self.z_ratio or pixel_size_um is None:
            return self
        z, y, x = pixel_size_um
        ratio = 2 * z / (y + x) if min(pixel_size_um) > 0 else 0.0
        return replace(self, z_ratio=ratio if 0.1 <= ratio <= 100 else 0.0)

    def on(self, channel: int, channels: int) -> SegmentSettings:
        """Return these settings for an image with so many channels, of which one is chosen to find cells in.

        The second channel is another one than that, where there is one.
        """
        others = [one for one in range(channels) if one != channel]
        second = self.second_channel if self.second_channel in others else next(iter(others), channel)
        return replace(self, channel=channel, second_channel=second)

    @property
    def channels(self) -> tuple[int, ...]:
        """Channels the method looks at, in the order it wants them."""
        second = METHODS[self.method].wants_second_channel
        return (self.channel, self.second_channel) if second else (self.channel,)
