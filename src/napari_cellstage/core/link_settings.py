"""How cells are followed over time, as choices; the following is in `linking`, whose library is slow to load."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from napari_cellstage.core.errors import CellsError


def _choice(default: Any, tip: str, **limits: Any) -> Any:
    return field(default=default, metadata={"tip": tip, **limits})


@dataclass(frozen=True)
class LinkSettings:
    """How cells are followed. Field metadata holds ``tip``, and for numbers ``min`` and ``max``."""

    max_distance: float = _choice(
        1.0,
        "How far a cell may move from one frame to the next, in diameters of a typical cell.",
        min=0.1,
        max=20.0,
    )
    overlap: float = _choice(
        0.5,
        "Two cells that share more than this part of their pixels (intersection over union) are one cell, wherever "
        "others lie. 1: only distance counts.",
        min=0.5,
        max=1.0,
    )
    gap: int = _choice(
        2, "How many frames a cell may be missed in and still be the same cell.", min=0, max=20, zero="none"
    )
    divisions: bool = _choice(True, "Look for cells that divide: a track then ends and two daughters begin.")

    def __post_init__(self) -> None:
        for one in fields(self):
            value, limits = getattr(self, one.name), one.metadata
            if "min" in limits and not limits["min"] <= value <= limits["max"]:
                raise CellsError(f"{one.name} is {value}, but must be from {limits['min']} to {limits['max']}.")
