"""Maps of cells: embeddings brought to two dimensions, and which cells lie where on them. No Qt.

PCA takes milliseconds and is computed here. t-SNE and UMAP take a minute and can't be interrupted, so they are computed
in a process of their own, which a Stop ends; `projecting.py` is what runs there.
"""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.errors import CellStageError, MissingExtraError

Floats = NDArray[np.float32]
Kind = Literal["PCA", "t-SNE", "UMAP"]
KINDS: tuple[Kind, ...] = ("PCA", "t-SNE", "UMAP")
MOST_SHOWN = 50_000
MOST_OF: dict[str, int] = {"PCA": MOST_SHOWN, "t-SNE": 20_000, "UMAP": MOST_SHOWN}
FEWEST = 5  # of fewer cells t-SNE and UMAP say no more than PCA does
POLL = 0.1  # seconds
SHARE_OF_100 = 100
ITERATIONS = 750  # of t-SNE
_STEP = re.compile(r"(?:Iteration |Epochs completed: +)(\d+)(%?)")


class ProjectionError(CellStageError):
    """A map can't be computed."""


def principal_places(embedded: Floats) -> Floats:
    """Return ``(N, 2)`` along the two axes in which cells differ most; the same input gives the same signs."""
    values = np.asarray(embedded, dtype=np.float64)
    if not len(values):
        return np.zeros((0, 2), dtype=np.float32)
    values = values - values.mean(axis=0)
    _, axes = np.linalg.eigh(values.T @ values)
    two = np.zeros((values.shape[1], 2))
    two[:, : min(2, axes.shape[1])] = axes[:, ::-1][:, :2]
    strongest = two[np.abs(two).argmax(axis=0), [0, 1]]
    places: Floats = (values @ (two * np.where(strongest < 0, -1, 1))).astype(np.float32)
    return places


def shown_rows(embedded: Floats, most: int = MOST_SHOWN, seed: int = 0) -> NDArray[np.intp]:
    """Return the rows that have a place on a map, in order; drawn at random where there are more than `most`."""
    known = np.flatnonzero(np.isfinite(embedded).all(axis=1))
    if len(known) <= most:
        return known
    return np.sort(np.random.default_rng(seed).choice(known, most, replace=False))


def check_installed(kind: Kind) -> None:
    """Raise `MissingExtraError` when the package that a map needs is not installed."""
    if kind == "UMAP" and importlib.util.find_spec("umap") is None:
        raise MissingExtraError(
            "umap-learn is not installed. Install it with: pip install 'napari-cellstage[umap]', then start again; "
            "or choose t-SNE."
        )


def project(
    embedded: Floats, kind: Kind, should_stop: Callable[[], bool], seed: int = 0
) -> Generator[tuple[int, int], None, Floats | None]:
    """Compute a map; yields how much of it is done, of 100.

    Parameters
    ----------
    embedded
        ``(N, E)`` without NaN.
    kind
        Which map.
    should_stop
        Asked ten times a second.
    seed
        The same seed gives the same map.

    Returns
    -------
    Floats | None
        ``(N, 2)``; None when stopped.

    Raises
    ------
    MissingExtraError
        If a package is missing.
    ProjectionError
        If the computation fails.
    """
    check_installed(kind)
    if kind == "PCA" or len(embedded) < FEWEST:
        return principal_places(embedded)
    with tempfile.TemporaryDirectory(prefix="cellstage-map-", ignore_cleanup_errors=True) as folder:
        return (yield from _beside(Path(folder), embedded, kind, should_stop, seed))


def _beside(
    folder: Path, embedded: Floats, kind: Kind, should_stop: Callable[[], bool], seed: int
) -> Generator[tuple[int, int], None, Floats | None]:
    np.save(folder / "embedded.npy", embedded.astype(np.float32))
    module = "napari_cellstage.core.review.projecting"
    with (folder / "said.txt").open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", module, kind, str(folder), str(seed)],
            stdout=said,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    try:
        while process.poll() is None:
            if should_stop():
                return None
            yield _share_done((folder / "said.txt").read_text(errors="replace")), SHARE_OF_100
            time.sleep(POLL)
    finally:
        _end(process)
    if process.returncode:
        raise ProjectionError(_why(kind, (folder / "said.txt").read_text(errors="replace")))
    places: Floats = np.load(folder / "places.npy")
    return places


def _end(process: subprocess.Popen[Any]) -> None:
    if process.poll() is None:
        process.kill()
        process.wait()


def _share_done(said: str) -> int:
    """Return per cent, from what the library says while it computes."""
    steps = _STEP.findall(said)
    if not steps:
        return 0
    number, is_share = int(steps[-1][0]), bool(steps[-1][1])
    share = number if is_share else number * SHARE_OF_100 // ITERATIONS
    return min(share, SHARE_OF_100 - 1)


def _why(kind: Kind, said: str) -> str:
    lines = [line for line in said.splitlines() if line.strip()]
    reason = lines[-1] if lines else "the process was ended"
    return f"{kind} could not be computed: {reason}. Close other programs if memory is short, or look at PCA."


def inside(places: NDArray[np.floating[Any]], outline: NDArray[np.floating[Any]]) -> NDArray[np.bool_]:
    """Return ``(N,)``: which places are inside a closed line ``(M, 2)``; none when it has fewer than 3 corners."""
    found = np.zeros(len(places), dtype=bool)
    if len(outline) < 3:
        return found
    from skimage.measure import points_in_poly

    near = ((places >= outline.min(axis=0)) & (places <= outline.max(axis=0))).all(axis=1)
    if near.any():
        found[near] = points_in_poly(places[near], outline)  # type: ignore[no-untyped-call]
    return found


def nearest_place(
    places: NDArray[np.floating[Any]], point: tuple[float, float], pixel: tuple[float, float], reach: float = 12
) -> int | None:
    """Return which place is nearest to a point, within so many pixels; `pixel` is the size of one."""
    if not len(places):
        return None
    offsets = (places - np.asarray(point)) / np.maximum(np.abs(pixel), 1e-30)
    distances = (offsets**2).sum(axis=1)
    best = int(distances.argmin())
    return best if distances[best] <= reach**2 else None
