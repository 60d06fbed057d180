"""One writer at a time: the lock of a project, and who holds it."""

from __future__ import annotations

import contextlib
import getpass
import json
import os
import socket
from pathlib import Path

import filelock

from napari_cellstage.core.whole_files import reason_of


class ProjectLock:
    """The right to write to a project; the system gives it back when the process ends, however it ends.

    Parameters
    ----------
    folder
        The project's folder.
    """

    def __init__(self, folder: Path) -> None:
        self._lock = filelock.FileLock(folder / "project.lock", timeout=0)
        self._holder = folder / "project.lock.json"

    def acquire(self) -> str:
        """Take the lock; return why that can't be, as a sentence, empty when it was taken."""
        advice = "You can look at everything; to label,"
        try:
            self._lock.acquire()
        except filelock.Timeout:
            return f"{self._who()} has it open. {advice} close it there first."
        except OSError as error:
            return f"its folder can't be written ({reason_of(error)}). {advice} save it under another name."
        holder = {"user": current_user(), "host": socket.gethostname(), "pid": os.getpid()}
        with contextlib.suppress(OSError):  # a full disk; only the name in the other window's sentence is lost
            self._holder.write_text(json.dumps(holder), encoding="utf-8")
        return ""

    def release(self) -> None:
        """Give the lock back, if it is held."""
        if self._lock.is_locked:
            with contextlib.suppress(OSError):
                self._holder.unlink(missing_ok=True)
            self._lock.release()

    def _who(self) -> str:
        try:
            who = json.loads(self._holder.read_text(encoding="utf-8"))
            return f"{who['user']} on {who['host']} (process {who['pid']})"
        except (OSError, ValueError, KeyError):
            return "another window"


def current_user() -> str:
    """Return the login name of whoever labels, ``"unknown"`` where the system has none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return "unknown"
