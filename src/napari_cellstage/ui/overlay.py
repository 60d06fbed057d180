"""Small class-index arrays for the overlays, and their colours: numpy only, no napari, no Qt.

A pixel holds a code for "class and confidence", not a colour per cell: napari rebuilds its colour table for every
changed cell otherwise, which takes a second at 100,000 cells. Codes are made by one look-up per pixel.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.classes import ClassScheme
from napari_cellstage.core.predictions import Predictions
from napari_cellstage.ui.overlay_settings import OverlaySettings, Style

Codes = NDArray[np.unsignedinteger[Any]]
Colors = NDArray[np.float32]

NOTHING, UNSURE, NO_LABEL, RIM, UNLIKE = 0, 1, 1, 2, 3
FIRST_CLASS = 4
OPACITY_STEPS = 16
COLOUR_MAP_STEPS = 64
UNSURE_COLOR = (0.6, 0.6, 0.6, 0.9)
UNLIKE_COLOR = (0.55, 0.55, 0.55, 1.0)  # seen on dark cells and on bright ones
NO_LABEL_COLOR = (1.0, 1.0, 1.0, 0.35)
RIM_COLOR = (0.0, 0.0, 0.0, 0.85)
# Opacity of the least and the most sure cells.
OPACITY_OF = {"filled": (0.12, 0.62), "contour": (0.35, 1.0)}
# Anchors of a map from dark red through orange to pale yellow-green: even in lightness, readable by the colour-blind.
SURE_ANCHORS = ((0.55, 0.05, 0.30), (0.88, 0.36, 0.24), (0.99, 0.75, 0.35), (0.80, 0.98, 0.70))


@dataclass(frozen=True)
class CodeTable:
    """Codes of every cell, and the colour of every code.

    Parameters
    ----------
    codes
        ``(N,)`` uint8, or uint16 where there are more than 255; 0 draws nothing.
    colors
        ``(n_codes, 4)`` float32 RGBA, 0 to 1.
    """

    codes: Codes
    colors: Colors


def labelled_table(class_ids: NDArray[np.int64], scheme: ClassScheme, settings: OverlaySettings) -> CodeTable:
    """Return codes for the class given by hand; a cell without one is outlined faintly."""
    colors = np.zeros((FIRST_CLASS + len(scheme), 4), dtype=np.float32)
    colors[FIRST_CLASS:] = class_colors(scheme)
    colors[RIM] = RIM_COLOR
    if settings.show_outlines:
        colors[NO_LABEL] = NO_LABEL_COLOR
    places = _places(class_ids, scheme)
    labelled = (places > 0) & settings.show_labelled
    return CodeTable(np.where(labelled, FIRST_CLASS - 1 + places, NO_LABEL).astype(np.uint8), colors)


def predicted_table(predictions: Predictions, scheme: ClassScheme, settings: OverlaySettings) -> CodeTable:
    """Return codes for predicted class and confidence as `settings` ask for."""
    confidence = predictions.confidence
    places = _places(predictions.predicted, scheme)
    if settings.confidence == "colour map":
        steps, colors = COLOUR_MAP_STEPS, _colour_map_colors(settings.style)
        codes = FIRST_CLASS + _bins(confidence, steps)
    else:
        steps = OPACITY_STEPS if settings.confidence == "opacity" else 1
        colors = _opacity_colors(scheme, steps, settings.style)
        codes = FIRST_CLASS + (places - 1) * steps + _bins(confidence, steps)
    codes = np.where(confidence < settings.unsure_below, UNSURE, codes)
    if settings.flag_unlike:
        codes = np.where(predictions.flagged, UNLIKE, codes)
    codes = np.where(places == 0, NOTHING, codes)
    dtype: type[np.unsignedinteger[Any]] = np.uint8 if len(colors) <= 256 else np.uint16
    return CodeTable(codes.astype(dtype), colors)


def class_colors(scheme: ClassScheme) -> Colors:
    """Return ``(K, 4)`` RGBA of the classes in order, opaque."""
    rows = [[int(c.color[i : i + 2], 16) / 255 for i in (1, 3, 5)] + [1.0] for c in scheme]
    return np.asarray(rows, dtype=np.float32).reshape(-1, 4)


def confidence_colors(confidence: NDArray[np.floating[Any]], style: Style) -> Colors:
    """Return ``(N, 4)`` RGBA of the confidence colour map, for values 0 to 1."""
    anchors = np.asarray(SURE_ANCHORS)
    places = np.linspace(0, 1, len(anchors))
    rgb = [np.interp(confidence, places, anchors[:, channel]) for channel in range(3)]
    return np.stack([*rgb, np.full(len(confidence), OPACITY_OF[style][1])], axis=1).astype(np.float32)


def _places(class_ids: NDArray[np.int64], scheme: ClassScheme) -> NDArray[np.int64]:
    """Return 1 + place of each class in the scheme; 0 for none, and for a class that is no longer there."""
    places = np.zeros(max((*scheme.ids, 0)) + 1, dtype=np.int64)
    places[list(scheme.ids)] = np.arange(1, len(scheme) + 1)
    known = np.where((class_ids >= 0) & (class_ids < len(places)), class_ids, 0)
    return places[known]


def _bins(confidence: NDArray[np.float32], steps: int) -> NDArray[np.int64]:
    return np.clip((confidence * steps).astype(np.int64), 0, steps - 1)


def _opacity_colors(scheme: ClassScheme, steps: int, style: Style) -> Colors:
    colors = np.zeros((FIRST_CLASS + len(scheme) * steps, 4), dtype=np.float32)
    colors[UNSURE], colors[UNLIKE] = UNSURE_COLOR, UNLIKE_COLOR
    colors[FIRST_CLASS:] = np.repeat(class_colors(scheme), steps, axis=0)
    faintest, strongest = OPACITY_OF[style]
    alphas = np.linspace(faintest, strongest, steps) if steps > 1 else np.array([strongest * 0.75])
    colors[FIRST_CLASS:, 3] = np.tile(alphas, len(scheme))
    return colors


def _colour_map_colors(style: Style) -> Colors:
    colors = np.zeros((FIRST_CLASS + COLOUR_MAP_STEPS, 4), dtype=np.float32)
    colors[UNSURE], colors[UNLIKE] = UNSURE_COLOR, UNLIKE_COLOR
    colors[FIRST_CLASS:] = confidence_colors((np.arange(COLOUR_MAP_STEPS) + 0.5) / COLOUR_MAP_STEPS, style)
    return colors
