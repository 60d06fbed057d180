"""Asks a process of its own what training would run on: torch, which is slow to load, stays out of the window's."""

from __future__ import annotations

import json
import sys

from qtpy.QtCore import QObject, QProcess, Signal


class DeviceProbe(QObject):
    """Runs ``python -m napari_cellstage.learn.device`` once.

    Signals
    -------
    found : what it printed, or an empty text when it failed.
    """

    found = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._process = QProcess(self)
        self._process.setProgram(sys.executable)
        self._process.setArguments(["-m", "napari_cellstage.learn.device"])
        self._process.finished.connect(self._on_finished)
        self._process.errorOccurred.connect(self._on_error)

    def start(self) -> None:
        """Begin asking; the answer comes by `found`."""
        self._process.start()

    def close(self) -> None:
        """Give up asking."""
        self._process.finished.disconnect(self._on_finished)
        self._process.errorOccurred.disconnect(self._on_error)
        if self._process.state() != QProcess.ProcessState.NotRunning:
            self._process.kill()
            self._process.waitForFinished(2000)

    def _on_finished(self, code: int, _status: object = None) -> None:
        text = bytes(self._process.readAllStandardOutput()).decode("utf-8", "replace").strip()
        self.found.emit(text if code == 0 else "")

    def _on_error(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart:
            self.found.emit("")


def device_text(answer: str) -> str:
    """Return the device in words, ``"CPU (2 cores)"``, from the line of JSON that the probe printed."""
    try:
        found = json.loads(answer)
        name = f" ({found['name']})" if found["name"] else ""
        kinds = {"cuda": "Graphics card", "mps": "Apple graphics", "cpu": "CPU"}
        return f"{kinds.get(found['device'].split(':')[0], found['device'])}{name}"
    except (ValueError, KeyError, TypeError):
        return "Device unknown"
