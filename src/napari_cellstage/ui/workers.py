"""Long work beside the window: the only `thread_worker`. What the work is, is none of this module's business.

Three habits of napari's workers are mended here. A `RuntimeError` in a generator worker is swallowed, and torch
raises little else; so every error leaves the worker as one that is no `RuntimeError`. After ``quit()`` a worker
returns nothing; so asking it to quit sets the flag that the work itself looks at, and the work ends with the best it
has. And a signal per batch floods the window; so progress is passed on at 10 Hz at most.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator
from functools import partial
from typing import Any

from napari.qt.threading import GeneratorWorker, thread_worker
from qtpy.QtCore import QObject, Signal

from napari_cellstage.core.errors import CellStageError
from napari_cellstage.learn.events import BatchDone

ShouldStop = Callable[[], bool]
Work = Callable[[ShouldStop], Generator[Any, None, Any]]
PROGRESS_EVERY = 0.1  # seconds


class WorkError(Exception):
    """Something nobody expected went wrong in a worker; its cause is the error itself."""


def guarded(work: Work, should_stop: ShouldStop) -> Generator[Any, None, Any]:
    """Drive `work`; pass its events on, progress at 10 Hz at most, and let no RuntimeError out.

    Raises
    ------
    CellStageError
        As `work` raised it.
    WorkError
        From any other error.
    """
    last = 0.0
    try:
        steps = work(should_stop)
        while True:
            try:
                event = next(steps)
            except StopIteration as end:
                return end.value
            if isinstance(event, BatchDone) and time.monotonic() - last < PROGRESS_EVERY:
                continue
            last = time.monotonic() if isinstance(event, BatchDone) else last
            yield event
    except CellStageError:
        raise
    except Exception as error:
        raise WorkError(f"{type(error).__name__}: {error}") from error


class Job(QObject):
    """One piece of work in a thread. Its signals arrive in the thread that made it.

    Parameters
    ----------
    title
        What is done, in words: ``"finding cells"``. napari shows it when the window is closed meanwhile.
    work
        Called in the thread with ``should_stop``; yields events and returns the result.
    """

    progressed = Signal(object)
    returned = Signal(object)
    failed = Signal(object)
    ended = Signal()

    def __init__(self, title: str, work: Work, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.title = title
        self.result: Any = None
        self._stop = threading.Event()
        self._done = threading.Event()
        self._worker = thread_worker(_titled(_run, title), worker_class=_StopOnQuit, ignore_errors=True)(self, work)
        self._worker.stop = self._stop.set
        self._worker.yielded.connect(self.progressed)
        self._worker.returned.connect(self.returned)
        self._worker.errored.connect(self.failed)
        self._worker.finished.connect(self.ended)

    @property
    def stopping(self) -> bool:
        """Whether `stop` was called."""
        return self._stop.is_set()

    def start(self) -> None:
        """Begin."""
        self._worker.start()

    def stop(self) -> None:
        """Ask the work to end with the best it has; returns at once."""
        self._stop.set()

    def wait(self, seconds: float) -> bool:
        """Wait, without events, until the work has ended; return whether it has. Its outcome is then in `result`."""
        return self._done.wait(seconds)

    def run(self, work: Work) -> Generator[Any, None, Any]:
        """Do the work; called in the thread."""
        try:
            self.result = yield from guarded(work, self._stop.is_set)
            return self.result
        finally:
            self._done.set()


def _run(job: Job, work: Work) -> Generator[Any, None, Any]:
    return (yield from job.run(work))


class _StopOnQuit(GeneratorWorker):
    """A worker that, asked to quit by napari or a closing window, ends normally and returns what it has."""

    stop: Callable[[], None]

    def quit(self) -> None:
        """Ask the work to stop."""
        self.stop()


class _titled(partial[Any]):  # noqa: N801 - used like the partial it is
    """A function that napari, which prints the function when a window is closed over it, shows as a sentence."""

    def __new__(cls, function: Callable[..., Any], title: str) -> _titled:
        made = super().__new__(cls, function)
        made.title = title
        return made

    title: str

    def __str__(self) -> str:
        return self.title

    def __repr__(self) -> str:
        return self.title


class JobRunner(QObject):
    """Runs one job at a time; panels start jobs here and watch what is going on."""

    started = Signal(object)
    ended = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.job: Job | None = None

    @property
    def busy(self) -> bool:
        """Whether a job is running."""
        return self.job is not None

    def start(self, job: Job) -> None:
        """Start a job; raise `CellStageError` while another one runs."""
        if self.job is not None:
            raise CellStageError(f"{self.job.title.capitalize()} is still going on. Wait for it, or press Stop.")
        self.job = job
        job.setParent(self)
        job.ended.connect(self._on_ended)
        self.started.emit(job)
        job.start()

    def stop(self) -> None:
        """Ask the running job, if any, to end."""
        if self.job is not None:
            self.job.stop()

    def close(self, seconds: float = 10.0) -> Job | None:
        """Stop the running job and wait for it; return it when it ended in time, so that its result is not lost."""
        job, self.job = self.job, None
        if job is None:
            return None
        job.blockSignals(True)  # whoever would hear them is going away
        job.stop()
        return job if job.wait(seconds) else None

    def _on_ended(self) -> None:
        if self.job is not None:
            self.job.deleteLater()
        self.job = None
        self.ended.emit()
