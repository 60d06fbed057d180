"""Progress of long work: a bar on a terminal, plain lines when the output goes to a file or another program."""

from __future__ import annotations

import math
import signal
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from statistics import median
from typing import Any, TypeVar

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from napari_cellstage.learn.events import BatchDone, EpochDone, Note
from napari_cellstage.stain.events import StainEpoch

T = TypeVar("T")
Step = Note | BatchDone | EpochDone | StainEpoch | tuple[int, int]


class Reporter:
    """Runs work step by step, shows how far it is, and remembers the epochs.

    Parameters
    ----------
    console
        Where to write; standard output by default.
    """

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(soft_wrap=True)
        self.epochs: list[EpochDone] = []
        self.stain_epochs: list[StainEpoch] = []

    @property
    def images_per_second(self) -> float | None:
        """Median speed of the epochs, None when there were none."""
        return median(e.images_per_second for e in self.epochs) if self.epochs else None

    @property
    def patches_per_second(self) -> float | None:
        """Median speed of the epochs of a stain, None when there were none."""
        return round(median(e.patches_per_second for e in self.stain_epochs), 1) if self.stain_epochs else None

    def say(self, text: str) -> None:
        """Write a line."""
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    def follow(self, work: Generator[Any, None, T], what: str = "") -> T:
        """Run work to its end and return its result.

        Parameters
        ----------
        work
            Yields notes, batches, epochs, or pairs of steps done and all steps.
        what
            The work in words, for steps that do not say it themselves.
        """
        columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
        with Progress(*columns, console=self._console, transient=True, disable=not self._console.is_terminal) as bar:
            task = bar.add_task(what or "starting", total=None)
            while True:
                try:
                    step = next(work)
                except StopIteration as end:
                    return end.value  # type: ignore[no-any-return]
                self._show(step, bar, task, what)

    def _show(self, step: Step, bar: Progress, task: TaskID, what: str) -> None:
        if isinstance(step, Note):
            self.say(step.text)
        elif isinstance(step, EpochDone):
            self.epochs.append(step)
            self.say(epoch_line(step))
        elif isinstance(step, StainEpoch):
            self.stain_epochs.append(replace(step, picture=None))  # pictures are large
            self.say(stain_epoch_line(step))
        elif isinstance(step, BatchDone):
            bar.update(task, description=step.what, completed=step.done, total=step.total)
        else:
            bar.update(task, description=what, completed=step[0], total=step[1])


def epoch_line(epoch: EpochDone) -> str:
    """Return an epoch as a line of text."""
    member = [f"member {epoch.member}"] if epoch.member else []
    parts = [*member, f"epoch {epoch.epoch}/{epoch.epochs}", f"loss {epoch.train_loss:.4f}"]
    if not math.isnan(epoch.valid_loss):
        parts += [f"validation loss {epoch.valid_loss:.4f}", f"validation accuracy {epoch.valid_accuracy:.3f}"]
    return "  ".join([*parts, f"{epoch.images_per_second:.0f} images/s"])


def stain_epoch_line(epoch: StainEpoch) -> str:
    """Return an epoch of a stain as a line of text."""
    of = "validation" if epoch.chooses else "held-out"
    known = {name: value for name, value in epoch.pearson.items() if not math.isnan(value)}
    scores = [f"{of} r {', '.join(f'{name} {value:.3f}' for name, value in known.items())}"] if known else []
    parts = [f"epoch {epoch.epoch}/{epoch.epochs}", f"loss {epoch.train_loss:.4f}", *scores]
    return "  ".join([*parts, f"{epoch.patches_per_second:.0f} patches/s"])


@contextmanager
def stop_on_interrupt(say: Callable[[str], None]) -> Iterator[Callable[[], bool]]:
    """Give a `should_stop` that turns True at Ctrl+C, so that the best so far is kept; a second Ctrl+C ends it all."""
    asked = threading.Event()

    def ask(*_: object) -> None:
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()
        say("Stopping, with the best model so far. Press Ctrl+C again to end without one.")

    if threading.current_thread() is not threading.main_thread():  # only the main thread may handle signals
        yield asked.is_set
        return
    before = signal.signal(signal.SIGINT, ask)
    try:
        yield asked.is_set
    finally:
        signal.signal(signal.SIGINT, before)
