"""What is asked about files when they are opened: in the panel, so that nothing stops until it is answered."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QGridLayout, QGroupBox, QVBoxLayout, QWidget

from napari_cellstage.core.images import ImageStack
from napari_cellstage.core.reading.axes import axes_choices
from napari_cellstage.core.reading.gather import in_words, open_lengths
from napari_cellstage.core.reading.series_names import Series, is_pattern
from napari_cellstage.ui.pieces import hint, on_click, small_button


class Answer:
    """Answers that are no axes."""

    NOT_NOW = "not now"
    ONE = "one"
    SEPARATE = "separate"


class Question(QGroupBox):
    """A question with a button an answer.

    Signals
    -------
    answered : the answer.

    Parameters
    ----------
    text
        The question.
    answers
        Answer, the button's text, and its tooltip.
    """

    answered = Signal(str)

    def __init__(self, text: str, answers: Sequence[tuple[str, str, str]], parent: QWidget | None = None) -> None:
        super().__init__("A question", parent)
        self.text = hint(text)
        layout, grid = QVBoxLayout(self), QGridLayout()
        layout.addWidget(self.text)
        self.buttons = {}
        columns = 3 if len(answers) <= 4 else 2
        not_now = (Answer.NOT_NOW, "Not now", "Leave these files out. Open them again to be asked again.")
        for place, (answer, title, tip) in enumerate([*answers, not_now]):
            made = small_button(title, tip)
            on_click(made, partial(self.answered.emit, answer))
            self.buttons[answer] = made
            grid.addWidget(made, place // columns, place % columns)
        layout.addLayout(grid)


def axes_question(stacks: Sequence[ImageStack]) -> Question:
    """Ask what the axes of files are that do not say; the answer is axes such as ``"TYX"``."""
    first, others = stacks[0], len(stacks) - 1
    count = " × ".join(str(n) for _letter, n in open_lengths(first, first.guessed_axes))
    more = {0: "", 1: " Nor does another file like it."}.get(others, f" Nor do {others} other files like it.")
    whose = f"The names of '{first.name}' don't" if is_pattern(first.scene) else f"'{first.name}' doesn't"
    text = f"{whose} say whether its {count} pictures are time points, planes or channels.{more} What are they?"
    tip = "Files like this are opened so from now on in this project. To change it, open one of them again by itself."
    return Question(text, [(axes, in_words(first, axes), tip) for axes in axes_choices(first.guessed_axes)])


def series_question(series: Series) -> Question:
    """Ask whether numbered files are one image."""
    return Question(
        f"The {series.files} files '{series.title}' in '{series.folder.name}' are numbered as if they were one image.",
        [
            (Answer.ONE, "One image", "Time points, planes and channels of one image, by the numbers in their names."),
            (Answer.SEPARATE, f"{series.files} images", "Each file is an image of its own."),
        ],
    )
