"""The set-up script: what it decides; that it installs is seen by every `make test`."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def set_up() -> ModuleType:
    spec = importlib.util.spec_from_file_location("set_up", ROOT / "scripts" / "set_up.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def project(set_up: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "pyproject.toml").write_text('[dependency-groups]\ntest = ["pytest"]\nlint = ["ruff", "mypy"]\n')
    (tmp_path / "constraints.txt").write_text("pytest==1\n")
    monkeypatch.setattr(set_up, "ROOT", tmp_path)
    return tmp_path


@pytest.fixture
def commands(set_up: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    seen: list[list[str]] = []

    def make(base: str, venv: Path) -> None:
        seen.append([base, "venv"])
        python = set_up.python_of(venv)
        python.parent.mkdir(parents=True)
        python.symlink_to(sys.executable)

    monkeypatch.setattr(set_up, "make_venv", make)
    monkeypatch.setattr(set_up, "installer", lambda python: ["uv"])
    monkeypatch.setattr(set_up, "runs_here", lambda command: seen.append([str(c) for c in command]) or True)
    return seen


@pytest.mark.parametrize(
    ("version", "good"), [((3, 10, 9), False), ((3, 11), True), ((3, 13, 1), True), ((3, 14), False)]
)
def test_fits_three_pythons(set_up: ModuleType, version: tuple[int, ...], good: bool) -> None:
    assert set_up.fits(version) is good


def test_wrong_python_is_named_with_what_to_do(set_up: ModuleType) -> None:
    text = set_up.wrong_python((3, 9, 18, "final"))
    assert "Python 3.9.18" in text
    assert "3.11, 3.12 or 3.13" in text
    assert "PYTHON=" in text


def test_wrong_python_stops_before_anything_is_made(
    set_up: ModuleType, project: Path, commands: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(set_up, "find_python", lambda: None)
    with pytest.raises(SystemExit, match=r"needs Python 3\.11"):
        set_up.set_up({"test"})
    assert not commands
    assert not (project / ".venv").exists()


def test_first_run_installs_and_second_does_nothing(
    set_up: ModuleType, project: Path, commands: list[list[str]]
) -> None:
    set_up.set_up({"test"})
    assert commands[0][1] == "venv"
    assert commands[1] == ["uv", "--constraint", "constraints.txt", "--editable", ".[pyqt5]", "pytest"]
    del commands[:]
    set_up.set_up({"test"})
    set_up.set_up(set())
    assert not commands


def test_another_group_is_added_to_those_there(set_up: ModuleType, project: Path, commands: list[list[str]]) -> None:
    set_up.set_up({"test"})
    del commands[:]
    set_up.set_up({"lint"})
    assert commands[0][-3:] == ["ruff", "mypy", "pytest"]
    stamp = json.loads((project / ".venv" / set_up.STAMP).read_text())
    assert stamp["groups"] == ["lint", "test"]


@pytest.mark.parametrize("changed", ["pyproject.toml", "constraints.txt"])
def test_changed_versions_install_again(
    set_up: ModuleType, project: Path, commands: list[list[str]], changed: str
) -> None:
    set_up.set_up(set())
    del commands[:]
    with (project / changed).open("a") as file:
        file.write("# changed\n")
    set_up.set_up(set())
    assert len(commands) == 1


def test_failed_install_leaves_no_stamp(
    set_up: ModuleType, project: Path, commands: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(set_up, "runs_here", lambda command: False)
    monkeypatch.setattr(set_up, "run", lambda command: sys.exit("This did not work"))
    with pytest.raises(SystemExit, match="did not work"):
        set_up.set_up(set())
    assert not (project / ".venv" / set_up.STAMP).exists()


def test_missing_libraries_become_packages(set_up: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(set_up, "can_load", lambda library: library != "libEGL.so.1")
    monkeypatch.setattr(set_up.shutil, "which", lambda name: None)
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert set_up.missing_packages() == ["xvfb", "libegl1"]
    monkeypatch.setenv("DISPLAY", ":0")
    assert set_up.missing_packages() == ["libegl1"]
    monkeypatch.setattr(sys, "platform", "darwin")
    assert set_up.missing_packages() == []


def test_without_root_packages_are_named_in_one_line(
    set_up: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(set_up, "missing_packages", lambda: ["xvfb", "libgl1"])
    monkeypatch.setattr(set_up, "can_use_apt", lambda: False)
    set_up.set_up_window()
    assert "sudo apt-get install -y xvfb libgl1" in capsys.readouterr().out.splitlines()[-1]


def test_packages_are_installed_where_that_is_allowed(
    set_up: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    done: list[Any] = []
    monkeypatch.setattr(set_up, "missing_packages", lambda: ["xvfb"])
    monkeypatch.setattr(set_up, "can_use_apt", lambda: True)
    monkeypatch.setattr(set_up, "apt_install", lambda packages: done.append(packages) or True)
    set_up.set_up_window()
    assert done == [["xvfb"]]
    assert "sudo" not in capsys.readouterr().out


def test_constraints_are_plain_versions_of_known_names() -> None:
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    names = [line.split("==")[0] for line in lines]
    assert all(line.count("==") == 1 and "+" not in line and ";" not in line and "/" not in line for line in lines)
    assert len(names) == len(set(names))
    assert {"napari", "torch", "pyqt5", "pytest", "ruff"} <= set(names)


def test_script_is_readable_by_old_pythons() -> None:
    """The sentence about the version must come before a syntax error would."""
    import ast

    ast.parse((ROOT / "scripts" / "set_up.py").read_text(), feature_version=(3, 7))


@pytest.mark.skipif(os.name == "nt", reason="a shell script")
def test_ci_calls_the_two_commands() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    lines = [line for line in script.read_text().splitlines() if line.startswith("make")]
    assert lines == ["make test", "make lint"]
    assert subprocess.run(["bash", "-n", str(script)]).returncode == 0
