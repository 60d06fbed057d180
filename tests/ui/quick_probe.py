"""A stand-in for the process that docks ask for the device: the real one loads torch, seconds for each dock."""

from __future__ import annotations

from typing import Any

from napari_cellstage.ui.device_probe import DeviceProbe

ANSWER = '{"device": "cpu", "name": "2 cores"}'


class QuickProbe(DeviceProbe):
    """Asks a process too, which knows the answer; `test_device_probe` asks the real one."""

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self._process.setArguments(["-I", "-S", "-c", f"print({ANSWER!r})"])
