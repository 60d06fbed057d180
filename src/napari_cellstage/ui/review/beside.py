"""Figures that take a moment, worked out in another thread beside the one job of the dock; the last question counts."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

from qtpy.QtCore import QObject, Signal

from napari_cellstage.ui.notices import show
from napari_cellstage.ui.workers import Job, ShouldStop

LONGEST_S = 5.0  # that closing waits


class Beside(QObject):
    """Works one thing out at a time.

    Parameters
    ----------
    title
        What is worked out, in words.

    Signals
    -------
    answered : the answer to the question that was asked last.
    """

    answered = Signal(object)

    def __init__(self, title: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._title = title
        self._job: Job | None = None
        self._next: Callable[[], object] | None = None

    @property
    def busy(self) -> bool:
        """Whether an answer is still to come."""
        return self._job is not None

    def ask(self, question: Callable[[], object]) -> None:
        """Work something out that needs nothing which the window may change meanwhile."""
        if self._job is not None:
            self._next = question  # whatever is being worked out is of yesterday
            return
        self._job = Job(self._title, _once(question), self)
        self._job.returned.connect(self._on_returned)
        self._job.failed.connect(show)
        self._job.ended.connect(self._on_ended)
        self._job.start()

    def close_link(self) -> None:
        """Wait for what is being worked out, and tell nobody."""
        self._next = None
        if self._job is not None:
            self._job.blockSignals(True)
            self._job.wait(LONGEST_S)
            self._job = None

    def _on_returned(self, answer: object) -> None:
        if self._next is None:
            self.answered.emit(answer)

    def _on_ended(self) -> None:
        if self._job is not None:
            self._job.deleteLater()
        self._job, question, self._next = None, self._next, None
        if question is not None:
            self.ask(question)


def _once(question: Callable[[], object]) -> Callable[[ShouldStop], Generator[Any, None, object]]:
    def work(_should_stop: ShouldStop) -> Generator[Any, None, object]:
        yield from ()
        return question()

    return work
