"""What a method of finding cells is, and which there are. Light to import: a method's code is loaded at its first use.

A method's code is a module with three functions, see `Code`. Whoever drives it measures levels once on a sample of the
image, then finds block by block with overlap; so what is found does not depend on how the image is cut.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from napari_cellstage.core.finding.settings import SegmentSettings


@dataclass(frozen=True)
class Levels:
    """Numbers measured once on a sample of the whole image and used in every block; each method knows its own.

    Parameters
    ----------
    dark
        Value of the background, in the image's units.
    noise
        Standard deviation of the noise there.
    cut
        What is brighter is a cell.
    radius
        Of a typical cell, pixels; 0 when not known.
    second
        The same for the second channel, where a method has one.
    """

    dark: float = 0.0
    noise: float = 1.0
    cut: float = 0.0
    radius: float = 0.0
    second: Levels | None = None


class Code(Protocol):
    """The functions of a method's module."""

    def calibrate(self, sample: Sequence[NDArray[Any]], settings: SegmentSettings) -> Levels:
        """Measure a sample: parts ``(C, Z, Y, X)`` of the image; `CellsError` when it has no contrast."""

    def find(self, block: NDArray[Any], settings: SegmentSettings, levels: Levels) -> NDArray[np.int32]:
        """Find the cells of a block ``(C, Z, Y, X)``: int32 ``(Z, Y, X)``, ids 1..n; all 0 when there are none."""

    def margin(self, settings: SegmentSettings, levels: Levels) -> int:
        """Return the pixels a block must reach over its core for cells that touch the core to come out as they are."""


@dataclass(frozen=True)
class Method:
    """A way of finding cells.

    Parameters
    ----------
    name
        In settings and on the command line.
    title, tip
        For people: what it is for, and what it does.
    module
        Where its code is, in this package.
    fields
        Settings it looks at, in the order of the form.
    extra
        What must be installed for it, as in ``pip install 'napari-cellstage[EXTRA]'``; empty: nothing.
    wants_second_channel
        Whether blocks have two channels: `channel`, then `second_channel`.
    """

    name: str
    title: str
    tip: str
    module: str
    fields: tuple[str, ...]
    extra: str = ""
    wants_second_channel: bool = False

    @property
    def installed(self) -> bool:
        """Whether what it needs is there."""
        return not self.extra or self.extra in sys.modules or find_spec(self.extra) is not None

    @property
    def code(self) -> Code:
        """The functions of this method; loads its libraries."""
        return cast(Code, import_module(f"napari_cellstage.core.finding.{self.module}"))

    def calibrate(self, sample: Sequence[NDArray[Any]], settings: SegmentSettings) -> Levels:
        """See `Code.calibrate`."""
        return self.code.calibrate(sample, settings)

    def find(self, block: NDArray[Any], settings: SegmentSettings, levels: Levels) -> NDArray[np.int32]:
        """See `Code.find`."""
        return self.code.find(block, settings, levels)

    def margin(self, settings: SegmentSettings, levels: Levels) -> int:
        """See `Code.margin`."""
        return self.code.margin(settings, levels)


_SIZES = ("min_diameter", "max_diameter")
_NUCLEI = ("background", "smoothing", "sensitivity", *_SIZES, "split")

METHODS: dict[str, Method] = {
    method.name: method
    for method in (
        Method("otsu", "Nuclei, bright spots", "One threshold for the whole image.", "nuclei", _NUCLEI),
        Method(
            "local",
            "Nuclei, uneven light",
            "Each place is compared with its surroundings; for staining that differs from place to place.",
            "nuclei",
            _NUCLEI,
        ),
        Method(
            "log",
            "Nuclei, crowded (blob seeds)",
            "Looks for the middles of round spots of one size, and grows them; for crowded nuclei.",
            "blobs",
            ("diameter", "background", "smoothing", "sensitivity", *_SIZES),
        ),
        Method(
            "dark",
            "Dark nuclei on bright ground",
            "For stains that take light away, such as haematoxylin; in a colour picture the red channel shows it best.",
            "nuclei",
            _NUCLEI,
        ),
        Method(
            "cells",
            "Whole cells around nuclei",
            "Finds nuclei in one channel and grows them over the cells that another channel shows.",
            "whole_cells",
            ("background", "smoothing", "sensitivity", *_SIZES, "split"),
            wants_second_channel=True,
        ),
        Method(
            "texture",
            "Bright field or phase contrast",
            "Finds where light varies from place to place, as it does in cells and not between them.",
            "texture",
            ("smoothing", "sensitivity", *_SIZES, "split"),
        ),
        Method(
            "cellpose",
            "Cellpose (a trained network)",
            "Cells or nuclei of many kinds, by the network that comes with Cellpose or one of your own.",
            "by_cellpose",
            ("model", "diameter", "sensitivity", *_SIZES),
            extra="cellpose",
        ),
        Method(
            "stardist",
            "StarDist (a trained network)",
            "Round nuclei, by a network that StarDist offers or one of your own.",
            "by_stardist",
            ("model", "sensitivity", *_SIZES),
            extra="stardist",
        ),
    )
}
