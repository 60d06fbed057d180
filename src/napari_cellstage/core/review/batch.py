"""`Batch`: cells to label that were chosen together, and in words why."""

from __future__ import annotations

from dataclasses import dataclass, field

from napari_cellstage.core.review.cell_refs import CellRefs
from napari_cellstage.core.review.queue import IN_ORDER

UNSURE = "Cells that the model is unsure of, unlike each other."
BY_LOT = "Cells by lot, from all images."
SET_ASIDE = "Cells set aside to check the model; no training sees them."
SET_ASIDE_DONE = "Every cell that was set aside has a label."
NOTHING_ASIDE = "No cells are set aside. Do so first: step Train, How the score is measured."
NO_MODEL = "By lot, as there is no model yet: train once, and the cells that it is unsure of come first."
BLIND = "By lot, as blind labelling is on: what a model thinks of cells is not to be seen."
NONE_LEFT = "Every cell has a label."


@dataclass(frozen=True)
class Batch:
    """Cells that were chosen together.

    Parameters
    ----------
    mode
        How they really were chosen: another way than the one asked for, where there is no model.
    cells
        In the order they are gone through.
    why
        What they have in common, or why there are none; a sentence.
    """

    mode: str = IN_ORDER
    cells: CellRefs = field(default_factory=CellRefs)
    why: str = ""


@dataclass(frozen=True)
class BatchProgress:
    """How far a batch has come.

    Parameters
    ----------
    total, done
        Cells, and how many of them have a label or were passed.
    accepted
        Labels that are predictions accepted.
    corrected
        Labels that are not what was predicted.
    """

    total: int = 0
    done: int = 0
    accepted: int = 0
    corrected: int = 0

    @property
    def text(self) -> str:
        """Such as ``"5 of 16 in this batch · 4 accepted, 1 corrected"``; empty without a batch."""
        if not self.total:
            return ""
        said = f"{self.done} of {self.total} in this batch"
        counts = [f"{n} {what}" for n, what in ((self.accepted, "accepted"), (self.corrected, "corrected")) if n]
        return f"{said} · {', '.join(counts)}" if counts else said


def of_class_text(name: str, labels: int, found: float | None) -> str:
    """Say which class is asked for.

    Parameters
    ----------
    name
        Of the class.
    labels
        How many cells have it.
    found
        Share of these that the model finds, None where that is not known.
    """
    few = f"which has {labels} label{'' if labels == 1 else 's'}"
    known = "" if found is None else f", and of which the model finds {found:.0%}"
    return f"Cells that may be {name}, {few}{known}."


def no_class_text() -> str:
    """Say that no class can be looked for."""
    return "No class can be looked for yet, so these are cells that the model is unsure of."
