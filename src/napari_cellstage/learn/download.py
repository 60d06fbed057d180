"""Fetch one file with progress, so that a stop is heard at once and nothing half-done stays behind."""

from __future__ import annotations

import hashlib
import re
import socket
import threading
import urllib.request
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path

from napari_cellstage.learn.events import BatchDone

BLOCK = 1 << 18
TIMEOUT = 15.0  # seconds without an answer


class DownloadError(Exception):
    """The file can't be had; the text says why, in a few words."""


@dataclass
class _Progress:
    """What the downloading thread tells, and is told."""

    done: int = 0
    total: int = 0
    error: str = ""
    stop: threading.Event = field(default_factory=threading.Event)


def download(url: str, file: Path, what: str, should_stop: Callable[[], bool]) -> Generator[BatchDone, None, None]:
    """Fetch a file, telling bytes as it goes.

    Parameters
    ----------
    url
        The name may hold the first digits of the content's SHA-256, as ``resnet34-b627a593.pth`` does; it is checked.
    file
        Where it goes; made only when whole.
    what
        The work in words, for the events.
    should_stop
        Asked ten times a second, also while no bytes come.

    Raises
    ------
    DownloadError
        If there is no network, the download breaks off, the content is not what it should be, or it was stopped.
        What was fetched is removed.
    """
    progress = _Progress()
    part = file.with_name(f"{file.name}.part")
    # A thread that dies with the process: the system's name look-up can hang for many seconds and can't be stopped.
    worker = threading.Thread(target=_fetch, args=(url, file, part, progress), daemon=True)
    worker.start()
    while worker.is_alive():
        worker.join(0.1)
        if should_stop():
            progress.stop.set()
            raise DownloadError("the download was stopped")
        yield BatchDone(what, progress.done, max(progress.total, 1))
    if progress.error:
        raise DownloadError(progress.error)
    yield BatchDone(what, progress.done, max(progress.total, 1))  # a fast one may not have told anything yet


def _fetch(url: str, file: Path, part: Path, progress: _Progress) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        digest = _copy(url, part, progress)
        wanted = re.search(r"-([0-9a-f]{8,})\.\w+$", url)
        if progress.done < progress.total:
            progress.error = f"the download broke off after {progress.done} of {progress.total} bytes"
        elif wanted and not digest.startswith(wanted.group(1)):
            progress.error = "what came is not the file that was asked for"
        elif not progress.stop.is_set():
            part.replace(file)
    except (OSError, HTTPException) as e:
        progress.error = _why(getattr(e, "reason", None) or e)
    finally:
        part.unlink(missing_ok=True)


def _why(reason: object) -> str:
    if isinstance(reason, socket.gaierror):  # its own text, of names and services, helps nobody
        return "there is no network connection"
    return f"no download: {reason}"


def _copy(url: str, part: Path, progress: _Progress) -> str:
    """Copy the content to a file; return its SHA-256."""
    digest = hashlib.sha256()
    with urllib.request.urlopen(url, timeout=TIMEOUT) as answer, part.open("wb") as out:
        progress.total = int(answer.headers.get("Content-Length") or 0)
        while not progress.stop.is_set() and (block := answer.read(BLOCK)):
            out.write(block)
            digest.update(block)
            progress.done += len(block)
    return digest.hexdigest()
