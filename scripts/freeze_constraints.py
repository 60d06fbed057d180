"""Rewrite constraints.txt: what is installed in this environment, checked to resolve on every Python and system.

Run it with the environment's own Python after `scripts/set_up.py` with all groups:
`.venv/bin/python scripts/freeze_constraints.py`
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from importlib.metadata import distributions
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# 3.11.5: a library of the bench group asks for that.
PYTHONS = ("3.11.5", "3.12", "3.13")
GROUPS = ("test", "lint", "bench")
EXTRAS = ("pyqt5", "pyqt6")
# Not pinned: its newest build for Windows is older than the one for Linux and macOS.
FREE = {"pyqt5-qt5"}
HEADER = "# Versions that `make` installs. Written by scripts/freeze_constraints.py; do not edit.\n"


def plain_name(name: str) -> str:
    """Return a distribution's name in the one spelling that counts as its name."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pin(name: str, version: str) -> str:
    """Return `name==version` without the local part of the version, such as ``+cu130``."""
    return f"{plain_name(name)}=={version.split('+')[0]}"


def installed() -> list[str]:
    """Return the pins of what is installed here."""
    pins = {pin(one.metadata["Name"], one.version) for one in distributions()}
    return sorted(p for p in pins if p.split("==")[0] not in FREE | {"napari-cellstage"})


def resolve(pins: list[str], python: str, platform: str) -> list[str]:
    """Return what would be installed under these pins on another Python and system."""
    with tempfile.TemporaryDirectory() as folder:
        held = Path(folder) / "held.txt"
        held.write_text("\n".join(pins), encoding="utf-8")
        command = [sys.executable, "-m", "uv", "pip", "compile", "pyproject.toml", "--quiet", "--no-header"]
        command += ["--no-annotate", "--constraints", str(held), "--python-version", python]
        command += ["--python-platform", platform]
        command += [part for extra in EXTRAS for part in ("--extra", extra)]
        command += [part for group in GROUPS for part in ("--group", group)]
        # torch has no build for an older macOS.
        settings = os.environ | {"MACOSX_DEPLOYMENT_TARGET": "14.0"}
        done = subprocess.run(command, cwd=ROOT, env=settings, check=True, stdout=subprocess.PIPE, text=True)
    return [line for line in done.stdout.splitlines() if re.match(r"^[\w.-]+==", line)]


def needed(pins: list[str]) -> list[str]:
    """Return the pins that some Python on Linux needs, in the order of their names."""
    lines = {line for python in PYTHONS for line in resolve(pins, python, "linux")}
    wanted = {pin(*line.split("==")) for line in lines}
    return sorted(p for p in wanted if p.split("==")[0] not in FREE)


def main() -> None:
    """Write the file, and resolve for the other systems to see that it does no harm there."""
    pins = needed(installed())
    for platform in ("macos", "windows"):
        resolve(pins, PYTHONS[0], platform)
    (ROOT / "constraints.txt").write_text(HEADER + "\n".join(pins) + "\n", encoding="utf-8")
    print(f"constraints.txt: {len(pins)} versions")


if __name__ == "__main__":
    main()
