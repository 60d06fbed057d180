"""Virtual screens."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from napari_cellstage import screen
from napari_cellstage.screen import ScreenError, has_screen, main, virtual_screen

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="virtual screens are for Linux")


@linux
def test_screen_is_there_within_the_block_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", "before")
    with virtual_screen() as name:
        assert os.environ["DISPLAY"] == name
        assert has_screen()
        environment = dict(os.environ)
    assert os.environ["DISPLAY"] == "before"
    assert not has_screen(environment)


@linux
def test_no_display_and_a_dead_one_are_no_screen() -> None:
    assert not has_screen({})
    assert not has_screen({"DISPLAY": ":4711"})
    assert has_screen({"WAYLAND_DISPLAY": "wayland-0"})
    assert has_screen({"DISPLAY": "otherhost:0"})


@linux
def test_missing_xvfb_is_named_with_the_line_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screen.shutil, "which", lambda name: None)
    with pytest.raises(ScreenError, match=r"'Xvfb'.*apt-get install -y xvfb"), virtual_screen():
        pass


@linux
def test_xvfb_that_ends_at_once_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screen.shutil, "which", lambda name: "/bin/false")
    with pytest.raises(ScreenError, match="ended with code 1"), virtual_screen():
        pass


@linux
def test_module_runs_python_on_a_screen_and_passes_its_exit_code_on() -> None:
    code = "import os, sys; sys.exit(7 if os.environ.get('DISPLAY') else 1)"
    environment = {key: value for key, value in os.environ.items() if key not in ("DISPLAY", "WAYLAND_DISPLAY")}
    command = [sys.executable, "-m", "napari_cellstage.screen", "-c", code]
    assert subprocess.run(command, env=environment).returncode == 7


@linux
def test_module_without_xvfb_gives_a_sentence_and_exit_code_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(screen, "has_screen", lambda: False)
    monkeypatch.setattr(screen.shutil, "which", lambda name: None)
    assert main(["-c", "pass"]) == 1
    assert "Xvfb" in capsys.readouterr().err
