"""What the user chooses about the overlay: one frozen dataclass with limits and tips. No napari, no Qt."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Confidence = Literal["opacity", "colour map", "off"]
Style = Literal["filled", "contour"]
CONFIDENCE_CHOICES: tuple[Confidence, ...] = ("opacity", "colour map", "off")
STYLE_CHOICES: tuple[Style, ...] = ("filled", "contour")


@dataclass(frozen=True)
class OverlaySettings:
    """How classes are drawn over the image.

    Parameters
    ----------
    show_predicted, show_labelled
        Whether each of the two overlays is seen.
    show_outlines
        Whether cells without a label are outlined faintly.
    style
        Predicted cells as faint areas or as contours.
    confidence
        ``"opacity"``: a sure cell is stronger; ``"colour map"``: the colour is the confidence instead of the
        class; ``"off"``: all cells alike.
    unsure_below
        A cell whose confidence is below this, 0 to 1, is gray.
    flag_unlike
        Whether a cell that is unlike the training cells is striped instead of shown in the colour of a class.
    """

    show_predicted: bool = field(default=True, metadata={"tip": "Show the class the model gives to each cell"})
    show_labelled: bool = field(
        default=True, metadata={"tip": "Show the class you gave to a cell, as a strong outline"}
    )
    show_outlines: bool = field(default=True, metadata={"tip": "Outline every cell that was found, faintly"})
    style: Style = field(default="filled", metadata={"tip": "Fill predicted cells with colour, or only outline them"})
    confidence: Confidence = field(
        default="opacity",
        metadata={"tip": "Show how sure the model is: by opacity, by a colour map of its own, or not at all"},
    )
    unsure_below: float = field(
        default=0.5,
        metadata={"tip": "Cells the model is less sure of than this are gray", "min": 0.0, "max": 1.0},
    )
    flag_unlike: bool = field(
        default=True,
        metadata={"tip": "Cells that look like none of the training cells are striped: their class is a guess"},
    )
