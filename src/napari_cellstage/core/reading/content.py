"""What every reader returns, and what readers have in common: plausible sizes, own names, colours, errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from napari_cellstage.core.errors import ImageError
from napari_cellstage.core.reading.pixels import Pixels

_PLAUSIBLE_UM = (1e-4, 1e3)


@dataclass(frozen=True)
class Content:
    """One image of a file.

    Parameters
    ----------
    levels
        Its pixels at full resolution, and coarser ones after it; all with the same axes.
    axes
        One letter an axis, of T, C, Z, Y, X and S.
    channel_names, pixel_size_um, channel_colors, time_step_s
        As in `ImageStack`; None or empty where the file does not say.
    guessed
        Whether some of the axes were guessed, as the file does not say what they are.
    notes
        Sentences the user should read: tiles that are missing, for one.
    place
        The folder of the image within the folder that was opened, where there is one.
    """

    levels: tuple[Pixels, ...]
    axes: str
    channel_names: tuple[str, ...] | None = None
    pixel_size_um: tuple[float, float, float] | None = None
    channel_colors: tuple[str, ...] = ()
    time_step_s: float | None = None
    guessed: bool = False
    notes: tuple[str, ...] = ()
    place: Path | None = None


class Source(Protocol):
    """An opened file: which images it holds, and each of them."""

    @property
    def scenes(self) -> tuple[str, ...]:
        """Names of its images, each different; one empty name where there is one image only."""

    def read(self, scene: int, axes: str | None) -> Content:
        """Return an image; `axes` overrule what the file says."""


def unreadable(path: Path | str, why: object) -> ImageError:
    """Return the error for a file, or an image of one by its name, that is no image, or a damaged one."""
    text = str(why).strip().rstrip(".") or type(why).__name__
    return ImageError(
        f"'{path.name if isinstance(path, Path) else path}' can't be read as an image: {text}. "
        "It may be cut off or damaged: copy it again from where it came."
    )


def checked_axes(axes: str, ndim: int, name: str, shape: Sequence[int]) -> str:
    """Return axes given by hand in capitals; raise `ImageError` when they are too many or too few."""
    if len(axes) != ndim:
        example = "TZCYX"[-ndim:] if ndim <= 5 else "TZCYXS"
        raise ImageError(
            f"The axes '{axes}' do not fit '{name}' of shape {tuple(shape)}. Give {ndim} letters, such as {example}."
        )
    return axes.upper()


def known_size(sizes: Any) -> tuple[float, float, float] | None:
    """Return z, y, x in micrometres; None unless y and x are plausible. An image without a size in z gets 1 there."""
    z, y, x = (number_of(size) for size in sizes)
    low, high = _PLAUSIBLE_UM
    if not (low <= y <= high and low <= x <= high):
        return None
    return (z if low <= z <= high else 1.0, y, x)


def known_step(seconds: Any) -> float | None:
    """Return the seconds between time points; None where the file says nothing, or 0."""
    step = number_of(seconds)
    return step if step > 0 else None


def number_of(value: Any) -> float:
    """Return a number that a file gives, as text too; 0 for what is none. Some microscopes write ``0,5``."""
    try:
        number = float(value.replace(",", ".") if isinstance(value, str) else value)
    except (TypeError, ValueError):
        return 0.0
    return number if np.isfinite(number) else 0.0


def own_names(names: Sequence[Any] | None) -> tuple[str, ...] | None:
    """Return channel names if all were given, as different ones; libraries make up ``Channel:0:0`` and the like."""
    texts = [str(name).strip() if name is not None else "" for name in names or ()]
    if not texts or any(not text or text.startswith("Channel:") for text in texts):
        return None
    return tuple(unique(texts))


def unique(names: Sequence[str]) -> list[str]:
    """Return names that are all different: a second one of a name gets a number."""
    made: dict[str, None] = {}
    for name in names:
        number, text = 1, name
        while text in made:
            number += 1
            text = f"{name} ({number})"
        made[text] = None
    return list(made)


def own_colors(colors: Sequence[str]) -> tuple[str, ...]:
    """Return ``#rrggbb`` a channel; empty unless all channels have one, and one of them can be seen on black."""
    made = tuple(colors)
    return made if made and all(made) and set(made) != {"#000000"} else ()


def hex_color(text: Any) -> str:
    """Return ``#rrggbb`` of ``RRGGBB`` or ``#AARRGGBB``; empty where it is none."""
    try:
        return f"#{int(str(text).strip().lstrip('#'), 16) & 0xFFFFFF:06x}"
    except ValueError:
        return ""


def rgba_color(value: Any) -> str:
    """Return ``#rrggbb`` of OME's RGBA in one signed integer; empty where it is none."""
    try:
        return f"#{(int(value) >> 8) & 0xFFFFFF:06x}"
    except (TypeError, ValueError):
        return ""
