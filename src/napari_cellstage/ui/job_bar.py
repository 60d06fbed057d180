"""The line at the foot of the dock that shows running work: what, how far, how long still, and Stop."""

from __future__ import annotations

import time

from qtpy.QtWidgets import QHBoxLayout, QProgressBar, QSizePolicy, QVBoxLayout, QWidget

from napari_cellstage.learn.events import BatchDone
from napari_cellstage.ui.pieces import hint, on_click, small_button
from napari_cellstage.ui.workers import Job, JobRunner

STEPS = 1000


class JobBar(QWidget):
    """Watches a `JobRunner`; hidden while nothing runs."""

    def __init__(self, runner: JobRunner, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._runner = runner
        self._parts: dict[int, tuple[float, int]] = {}  # of the work, by their totals: when begun, steps done
        self.text = hint("")
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName("Progress")
        self.bar.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.stop = small_button("Stop", "End this now. What was reached so far is kept.")
        on_click(self.stop, self._on_stop)
        layout, row = QVBoxLayout(self), QHBoxLayout()
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.text)
        row.addWidget(self.bar, 1)
        row.addWidget(self.stop)
        layout.addLayout(row)
        runner.started.connect(self._on_started)
        runner.ended.connect(self.hide)
        self.hide()

    def _on_started(self, job: Job) -> None:
        self._parts = {}
        self._show(f"{job.title.capitalize()}…", 0, 0)
        self.stop.setEnabled(True)
        job.progressed.connect(self._on_progress)
        self.show()

    def _on_progress(self, event: object) -> None:
        if isinstance(event, BatchDone) and self._runner.job is not None and not self._runner.job.stopping:
            left = time_left(event.done, event.total, self._elapsed(event))
            self._show(f"{event.what[:1].upper()}{event.what[1:]}{left}", event.done, event.total)

    def _elapsed(self, event: BatchDone) -> float:
        """Return how long this part of the work has been going on; others may come in between."""
        now = time.monotonic()
        begun, done = self._parts.get(event.total, (now, 0))
        begun = now if event.done < done else begun  # the same again, such as predicting by the next model
        self._parts[event.total] = begun, event.done
        return now - begun

    def _on_stop(self) -> None:
        self._runner.stop()
        self.stop.setEnabled(False)
        self.text.setText("Stopping…")

    def _show(self, text: str, done: int, total: int) -> None:
        self.text.setText(text)
        self.bar.setRange(0, STEPS if total else 0)
        self.bar.setValue(STEPS * done // total if total else 0)


def time_left(done: int, total: int, elapsed: float) -> str:
    """Return ``" · 0:21 left"``, or nothing before a guess is worth showing (2 % done, half a second gone)."""
    if done <= 0 or done >= total or elapsed < 0.5 or done / total < 0.02:
        return ""
    return f" · {clock(elapsed * (total - done) / done)} left"


def clock(seconds: float) -> str:
    """Return minutes and seconds, ``"1:05"``, or hours before them."""
    whole = round(seconds)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
