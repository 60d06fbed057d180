"""What runs in a process of its own: t-SNE or UMAP of a file. ``python -m napari_cellstage.core.review.projecting``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

from napari_cellstage.core.review.projections import ITERATIONS, Floats, principal_places

PERPLEXITY = 30
NEIGHBOURS = 15


def compute(kind: str, embedded: Floats, seed: int) -> Floats:
    """Return ``(N, 2)``; begins with the PCA, so that left and right stay about the same."""
    start = principal_places(embedded)
    start /= max(float(start[:, 0].std()), 1e-12)
    made = _t_sne(len(embedded), start, seed) if kind == "t-SNE" else _umap(len(embedded), start, seed)
    places: Floats = np.asarray(made.fit_transform(embedded), dtype=np.float32)
    return places


def _t_sne(count: int, start: Floats, seed: int) -> Any:
    from sklearn.manifold import TSNE

    perplexity = min(PERPLEXITY, (count - 1) / 3)
    return TSNE(perplexity=perplexity, init=start * 1e-4, max_iter=ITERATIONS, random_state=seed, verbose=2)


def _umap(count: int, start: Floats, seed: int) -> Any:
    import umap

    neighbours = min(NEIGHBOURS, count - 1)
    return umap.UMAP(n_neighbors=neighbours, init=start * 5, random_state=seed, n_jobs=1, verbose=True)


def main(kind: str, folder: Path, seed: int) -> None:
    """Read ``embedded.npy`` of a folder, write ``places.npy`` there."""
    np.save(folder / "places.npy", compute(kind, np.load(folder / "embedded.npy"), seed))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
