"""Label images among what is opened: asked whether they are the cells of the images beside them."""

from __future__ import annotations

from collections.abc import Sequence

from napari_cellstage.core.label_companions import Companion
from napari_cellstage.session.companions import Adoption
from napari_cellstage.ui.notices import tell, warn
from napari_cellstage.ui.opening_questions import Answer, Question

_TOLD = 5


class LabelAnswer:
    """Answers about label images, beside `Answer.SEPARATE`."""

    CELLS = "cells"
    ANEW = "anew"


def companions_question(companions: Sequence[Companion], have: int) -> Question:
    """Ask whether label images are cells.

    Parameters
    ----------
    companions
        The label images, with their images.
    have
        How many of these images have cells already.
    """
    first, count = companions[0], len(companions)
    looks = "1 file looks like the cells of another" if count == 1 else f"{count} files look like the cells of others"
    some = f", such as '{first.labels.name}'" if count > 1 else f": '{first.labels.name}'"
    kept = f" {have} of these images {'has' if have == 1 else 'have'} cells already." if have else ""
    tip = "Each number in the label image becomes a cell of the image beside it. Files opened later go the same way."
    answers = [
        (LabelAnswer.CELLS, "Use as cells", tip + (" Images that have cells keep theirs." if have else "")),
        (Answer.SEPARATE, "As images", "Each file is an image of its own."),
    ]
    if have:
        tip = "Also where there are cells: one at the same place keeps its label, and undo brings back what was there."
        answers.insert(1, (LabelAnswer.ANEW, "Replace cells", tip))
    return Question(f"{looks}{some}.{kept}", answers)


def tell_adoption(made: Adoption) -> None:
    """Show what became of label images."""
    for text in made.sentences:
        tell(text)
    if made.problems:
        more = len(made.problems) - _TOLD
        warn("\n".join(made.problems[:_TOLD]) + (f"\nand {more} more." if more > 0 else ""))
