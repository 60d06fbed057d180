"""A screen for windows where there is none: Xvfb, started and ended here.

`python -m napari_cellstage.screen SCRIPT.py ...` or `... -m MODULE ...` runs Python on a screen, virtual if need be.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from napari_cellstage.core.errors import CellStageError

SIZE = (1280, 800)


class ScreenError(CellStageError):
    """No window can be shown, and no virtual screen be started."""


def has_screen(environment: Mapping[str, str] = os.environ) -> bool:
    """Return whether a window can be shown; macOS and Windows are taken to have a screen."""
    if not sys.platform.startswith("linux"):
        return True
    if environment.get("WAYLAND_DISPLAY"):
        return True
    display = environment.get("DISPLAY", "")
    if not display.startswith(":"):
        return bool(display)
    # DISPLAY may be left over from a screen that is gone.
    number = display[1:].split(".")[0]
    return _answers(f"/tmp/.X11-unix/X{number}")


@contextmanager
def virtual_screen(size: tuple[int, int] = SIZE) -> Iterator[str]:
    """Start a virtual screen and make it this process's own until the end of the block.

    Parameters
    ----------
    size
        Width and height in pixels.

    Yields
    ------
    str
        Its name, such as ``":99"``.

    Raises
    ------
    ScreenError
        If Xvfb is not installed or does not start.
    """
    server, name = _start(size)
    before = {key: os.environ.get(key) for key in ("DISPLAY", "WAYLAND_DISPLAY", "XDG_RUNTIME_DIR")}
    os.environ["DISPLAY"] = name
    os.environ.pop("WAYLAND_DISPLAY", None)
    try:
        with tempfile.TemporaryDirectory() as folder:
            os.environ.setdefault("XDG_RUNTIME_DIR", folder)  # Qt complains when there is none
            yield name
    finally:
        _restore(before)
        server.terminate()
        server.wait()


def _start(size: tuple[int, int]) -> tuple[subprocess.Popen[bytes], str]:
    program = shutil.which("Xvfb")
    if program is None:
        raise ScreenError(
            "There is no screen here, and 'Xvfb', which makes a virtual one, is not installed. "
            "On Debian or Ubuntu: sudo apt-get install -y xvfb"
        )
    read_end, write_end = os.pipe()
    screen = f"{size[0]}x{size[1]}x24"
    server = subprocess.Popen(
        [program, "-displayfd", str(write_end), "-screen", "0", screen, "-nolisten", "tcp", "+extension", "GLX"],
        pass_fds=(write_end,),
        stderr=subprocess.DEVNULL,
    )
    os.close(write_end)
    with os.fdopen(read_end, "rb") as answer:  # Xvfb writes the number of its display once it is ready, or ends
        number = answer.readline().decode().strip()
    if not number:
        server.wait()
        raise ScreenError(
            f"The virtual screen '{program}' ended with code {server.returncode}. Try it by hand: Xvfb :99"
        )
    return server, f":{number}"


def _restore(before: Mapping[str, str | None]) -> None:
    for key, value in before.items():
        if value is None:
            os.environ.pop(key, None)
        else:
            os.environ[key] = value


def _answers(address: str) -> bool:
    import socket

    with socket.socket(socket.AF_UNIX) as client:
        for name in (address, "\0" + address):
            if name[0] == "/" and not Path(name).exists():
                continue
            try:
                client.connect(name)
            except OSError:
                continue
            return True
    return False


def main(arguments: list[str]) -> int:
    """Run Python with these arguments on a screen; return its exit code."""
    command = [sys.executable, *arguments]
    if has_screen():
        return subprocess.call(command)
    try:
        with virtual_screen():
            return subprocess.call(command)
    except ScreenError as error:
        sys.stderr.write(f"{error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
