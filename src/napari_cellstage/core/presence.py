"""Which files are there, asked of each folder once, and of a drive that does not answer only for a moment."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from threading import Thread

PATIENCE_S = 2.0


def present(paths: Iterable[Path]) -> set[Path]:
    """Return which of many files or folders exist.

    Each drive (or top folder) is asked in a thread of its own; what has not answered after `PATIENCE_S` seconds counts
    as not there, so that a network drive that is gone holds nothing up for long.
    """
    groups: dict[tuple[str, ...], dict[Path, list[Path]]] = {}
    for path in paths:
        groups.setdefault(path.parts[:3], {}).setdefault(path.parent, []).append(path)
    found: set[Path] = set()
    askers = [Thread(target=_ask, args=(folders, found), daemon=True) for folders in groups.values()]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join(PATIENCE_S)
    return set(found)


def _ask(folders: dict[Path, list[Path]], found: set[Path]) -> None:
    for folder, paths in folders.items():
        try:
            names = set(os.listdir(folder))  # noqa: PTH208 - names only, which costs no look at each file
        except OSError:
            continue
        # A file system may write names another way than they were given, so ask again for what is not listed.
        found.update(path for path in paths if path.name in names or path.exists())
