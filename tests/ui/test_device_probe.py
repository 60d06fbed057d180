"""What training would run on is asked of a process of its own."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from qtpy.QtCore import QProcess

from napari_cellstage.ui.device_probe import DeviceProbe, device_text


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ('{"device": "cpu", "name": "8 cores"}', "CPU (8 cores)"),
        ('{"device": "cuda:0", "name": "RTX 4090"}', "Graphics card (RTX 4090)"),
        ('{"device": "mps", "name": ""}', "Apple graphics"),
        ("", "Device unknown"),
        ("Traceback", "Device unknown"),
    ],
)
def test_the_answer_is_put_in_words(answer: str, text: str) -> None:
    assert device_text(answer) == text


def test_it_asks_without_loading_torch_here(qtbot: Any) -> None:
    before = "torch" in sys.modules
    probe = DeviceProbe()
    with qtbot.waitSignal(probe.found, timeout=240_000) as found:
        probe.start()
    assert device_text(found.args[0]) != "Device unknown"
    assert ("torch" in sys.modules) == before


def test_a_program_that_is_not_there_is_an_unknown_device(qtbot: Any) -> None:
    probe = DeviceProbe()
    probe._process.setProgram("/no/such/python")
    with qtbot.waitSignal(probe.found, timeout=20_000) as found:
        probe.start()
    assert device_text(found.args[0]) == "Device unknown"


def test_closing_ends_the_process(qtbot: Any) -> None:
    probe = DeviceProbe()
    probe.start()
    probe.close()
    assert probe._process.state() == QProcess.ProcessState.NotRunning
