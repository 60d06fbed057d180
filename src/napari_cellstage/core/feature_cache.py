"""Features measured before, kept on disk: a project's cells are measured once, not at every press of Train.

The key is a digest of the very pixels, mask and settings that were measured, so nothing stale is ever found. The
cache may be deleted at any time; where it can't be read or written, work goes on without it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.normalise import Normalisation

FEATURE_VERSION = 2  # one more whenever `features` measures anything differently
LARGEST_FILE = 2 * 1024**3
AT_A_TIME = 500
Values = NDArray[np.float32]


def cell_keys(
    crops: NDArray[np.generic], masks: NDArray[np.bool_] | None, normalisation: Normalisation, beside: str = ""
) -> list[bytes]:
    """Return a digest of each cell: of its pixels, its mask, and how they are measured.

    Parameters
    ----------
    crops
        ``(N, C, H, W)`` raw intensities.
    masks
        ``(N, H, W)`` or None.
    normalisation
        How they will be normalised.
    beside
        What else is measured of them, such as a network's digest.
    """
    how = f"{FEATURE_VERSION} {crops.shape[1:]} {crops.dtype} {normalisation!r} {masks is not None} {beside}"
    settings = how.encode()
    return [_digest(settings, crops[row], None if masks is None else masks[row]) for row in range(len(crops))]


def _digest(settings: bytes, crop: NDArray[Any], mask: NDArray[np.bool_] | None) -> bytes:
    digest = blake2b(settings, digest_size=16)
    digest.update(np.ascontiguousarray(crop).tobytes())
    if mask is not None:
        digest.update(np.packbits(mask).tobytes())
    return digest.digest()


class FeatureCache:
    """Features by key, in one SQLite file of a folder.

    Parameters
    ----------
    folder
        The project's cache folder; made when needed.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / "features.sqlite"

    def get(self, keys: list[bytes]) -> dict[bytes, Values]:
        """Return the features that are known, ``(F,)`` float32 by key."""
        if not self._file.is_file():
            return {}
        try:
            with closing(self._open()) as store:
                return {key: np.frombuffer(blob, dtype=np.float32) for key, blob in _read(store, keys)}
        except (sqlite3.Error, OSError, ValueError):
            return {}  # a damaged cache is worth nothing, and costs nothing but time

    def put(self, features: dict[bytes, Values]) -> None:
        """Keep features; a file that has grown too large is begun anew."""
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            if self._file.is_file() and self._file.stat().st_size > LARGEST_FILE:
                self._file.unlink()
            with closing(self._open()) as store, store:
                rows = ((key, values.astype(np.float32).tobytes()) for key, values in features.items())
                store.executemany("INSERT OR REPLACE INTO feature VALUES (?, ?)", rows)
        except (sqlite3.Error, OSError):
            self._discard()

    def _open(self) -> sqlite3.Connection:
        store = sqlite3.connect(self._file, timeout=2)
        try:
            store.execute("PRAGMA synchronous=OFF")
            store.execute("CREATE TABLE IF NOT EXISTS feature (key BLOB PRIMARY KEY, value BLOB) WITHOUT ROWID")
        except sqlite3.Error:
            store.close()
            raise
        return store

    def _discard(self) -> None:
        try:
            self._file.unlink(missing_ok=True)
        except OSError:
            return


def _read(store: sqlite3.Connection, keys: list[bytes]) -> Iterator[tuple[bytes, bytes]]:
    for start in range(0, len(keys), AT_A_TIME):
        some = keys[start : start + AT_A_TIME]
        marks = ",".join("?" * len(some))
        yield from store.execute(f"SELECT key, value FROM feature WHERE key IN ({marks})", some)
