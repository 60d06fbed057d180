"""Set up what `make` needs: an environment in `.venv` with the pinned versions, and the libraries a window needs.

Only the standard library is used here, and only what old Pythons can read too, so that the wrong one gets a sentence.
"""

import argparse
import ctypes
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OLDEST, NEWEST = (3, 11), (3, 13)
STAMP = "set-up.json"

# Library a window needs -> Debian package it comes in.
LIBRARIES = {
    "libGL.so.1": "libgl1",
    "libEGL.so.1": "libegl1",
    "libX11-xcb.so.1": "libx11-xcb1",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-xinerama.so.0": "libxcb-xinerama0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
}


def fits(version):
    """Return whether this version, such as (3, 12), is one the project runs on."""
    return OLDEST <= tuple(version[:2]) <= NEWEST


def find_python():
    """Return the path of a Python that fits: the running one, else one with its version in its name; or None."""
    if fits(sys.version_info):
        return sys.executable
    for minor in range(NEWEST[1], OLDEST[1] - 1, -1):
        path = shutil.which("python3.%d" % minor)  # noqa: UP031 - old Pythons must get as far as the sentence
        if path and runs([path, "--version"]):
            return path
    return None


def runs(command):
    """Return whether a command can be run and ends well."""
    try:
        return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0
    except OSError:
        return False


def run(command):
    """Run a command that must end well; stop with a sentence when it does not."""
    if subprocess.run(command, cwd=str(ROOT)).returncode != 0:
        sys.exit("This did not work; its own message is above: " + " ".join(map(str, command)))


def python_of(venv):
    """Return the interpreter of an environment."""
    return venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def fingerprint(root):
    """Return a text that changes when the environment has to be set up again."""
    digest = hashlib.sha256()
    for name in ("pyproject.toml", "constraints.txt"):
        digest.update((root / name).read_bytes())
    return digest.hexdigest()


def installed_groups(venv, mark):
    """Return the groups an environment was set up with, or None when it is not up to date."""
    try:
        stamp = json.loads((venv / STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    up_to_date = stamp.get("fingerprint") == mark and runs([python_of(venv), "--version"])
    return set(stamp["groups"]) if up_to_date else None


def requirements(groups):
    """Return what these dependency groups of pyproject.toml ask for."""
    import tomllib  # not there before Python 3.11

    table = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]
    return [requirement for group in sorted(groups) for requirement in table[group]]


def installer(python):
    """Return the command that installs packages: uv, put into the environment, or pip where uv can't be had."""
    pip = [python, "-m", "pip"]
    if not runs([*pip, "--version"]) and not runs([python, "-m", "ensurepip"]):
        sys.exit("The environment in .venv has no pip. Delete the folder .venv and try again.")
    if runs([python, "-m", "uv", "--version"]) or runs([*pip, "install", "--quiet", "uv"]):
        return [python, "-m", "uv", "pip", "install", "--quiet", "--python", python]
    return [*pip, "install", "--quiet"]


def install(python, groups):
    """Install the package, editable, with the extra pyqt5 and these groups, at the pinned versions."""
    wanted = ["--constraint", "constraints.txt", "--editable", ".[pyqt5]", *requirements(groups)]
    command = installer(python)
    if runs_here([*command, *wanted]):
        return
    if "uv" in command:  # uv does not read pip's own settings, such as a company's mirror
        command = [python, "-m", "pip", "install", "--quiet"]
        print("uv could not install everything; trying pip.", flush=True)
    run([*command, *wanted])


def runs_here(command):
    """Run a command in the project's folder, its output shown; return whether it ended well."""
    return subprocess.run(command, cwd=str(ROOT)).returncode == 0


def make_venv(base, venv):
    """Make the environment, with Debian's separate package for that where it is missing and may be installed."""
    command = [base, "-m", "venv", "--clear", str(venv)]
    if runs(command):
        return
    if can_use_apt():
        apt_install(["python3-venv"])
    if not runs(command):
        sys.exit("Python can't make an environment here. On Debian or Ubuntu: sudo apt-get install -y python3-venv")


def set_up(groups):
    """Bring `.venv` up to date; nothing is done when it is."""
    venv = ROOT / ".venv"
    mark = fingerprint(ROOT)
    there = installed_groups(venv, mark)
    if there is not None and groups <= there:
        return
    base = find_python()
    if base is None:
        sys.exit(wrong_python(sys.version_info))
    print("Setting up .venv (a few minutes the first time: torch is large) ...", flush=True)
    if not runs([python_of(venv), "--version"]):
        make_venv(base, venv)
    groups = groups | (there or set())
    install(str(python_of(venv)), groups)
    stamp = {"fingerprint": mark, "groups": sorted(groups)}
    (venv / STAMP).write_text(json.dumps(stamp), encoding="utf-8")


def wrong_python(version):
    """Return the sentence for a Python that does not fit."""
    found = ".".join(map(str, version[:3]))
    return (
        "This is Python " + found + ", but napari-cellstage needs Python 3.11, 3.12 or 3.13. "
        "Install one of them and try again, or name it: make demo PYTHON=/path/to/python3.12"
    )


def can_load(library):
    """Return whether a shared library is installed."""
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def missing_packages():
    """Return the Debian packages that a window still needs here; none on macOS and Windows."""
    if not sys.platform.startswith("linux"):
        return []
    missing = [package for library, package in LIBRARIES.items() if not can_load(library)]
    has_screen = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if not has_screen and not shutil.which("Xvfb"):
        missing.insert(0, "xvfb")
    return missing


def can_use_apt():
    """Return whether packages can be installed here without asking anybody."""
    return bool(shutil.which("apt-get")) and hasattr(os, "geteuid") and os.geteuid() == 0


def apt_install(packages):
    """Install Debian packages; return whether that worked."""
    quiet = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    install_them = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages]
    for command in (["apt-get", "update", "-qq"], install_them):
        done = subprocess.run(command, env=quiet, stdout=subprocess.DEVNULL)
    return done.returncode == 0


def set_up_window():
    """Install the libraries a window needs, or name them in one line to paste."""
    missing = missing_packages()
    if not missing:
        return
    print("Missing for a window: " + " ".join(missing), flush=True)
    if not (can_use_apt() and apt_install(missing)):
        print("Install them with this line, then try again:\n  sudo apt-get install -y " + " ".join(missing))


def main(arguments=None):
    """Set up what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--group", action="append", default=[], help="a dependency group of pyproject.toml")
    parser.add_argument("--window", action="store_true", help="also the system libraries a window needs")
    chosen = parser.parse_args(arguments)
    set_up(set(chosen.group))
    if chosen.window:
        set_up_window()


if __name__ == "__main__":
    main()
