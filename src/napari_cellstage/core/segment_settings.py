"""How cells are found, as choices; the finding is in `segment`, whose libraries are slow to load."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, Literal

from napari_cellstage.core.errors import CellsError


def _choice(default: Any, tip: str, **limits: Any) -> Any:
    return field(default=default, metadata={"tip": tip, **limits})


@dataclass(frozen=True)
class SegmentSettings:
    """How cells are found. Field metadata holds ``tip``; for numbers ``min`` and ``max``, for text ``choices``."""

    channel: int = _choice(0, "Channel in which the nuclei are bright, counted from 0.", min=0, max=1000)
    method: Literal["otsu", "local"] = _choice(
        "otsu",
        "otsu: one threshold for the image. local: each place is compared with its surroundings; for uneven staining.",
        choices=("otsu", "local"),
    )
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
        0.85, "How readily touching nuclei are split: 0 never, 1 at the slightest waist.", min=0.0, max=1.0
    )

    def __post_init__(self) -> None:
        for one in fields(self):
            value, limits = getattr(self, one.name), one.metadata
            if "choices" in limits and value not in limits["choices"]:
                raise CellsError(f"{one.name} is '{value}', but must be one of: {', '.join(limits['choices'])}.")
            if "min" in limits and not limits["min"] <= value <= limits["max"]:
                raise CellsError(f"{one.name} is {value}, but must be from {limits['min']} to {limits['max']}.")
