"""`pseudotime`: cells put into an order by what a model sees of them, without being told the order of the classes.

Alike cells are joined to a graph, and a walk from cell to cell is looked at: the slowest ways in which it mixes are the
diffusion components (Coifman & Lafon 2006, density taken out; Haghverdi et al. 2016 for cells). Of cells along an open
line the first component goes from one end to the other, and the second is a function of the first. Around a ring
neither is: then the angle of both is the place on the ring.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.errors import CellStageError
from napari_cellstage.core.review.space import Space

Floats = NDArray[np.float32]
Shape = Literal["open", "cyclic"]
NEIGHBOURS = 30
LANDMARKS = 5000  # cells that the graph is made of, at most
FEWEST = 20  # of fewer cells a graph says nothing
LINE = 0.5  # share of the second component that follows from the first, from which cells lie on an open line
WHOLE = 0.95  # share of the cells that must hang together
BESIDE = 5  # neighbours by which the other cells get their place


class PseudotimeError(CellStageError):
    """Cells can't be put into an order."""


@dataclass(frozen=True, eq=False)
class Pseudotime:
    """Places of ``N`` cells along a line or a ring.

    Parameters
    ----------
    time
        ``(N,)`` float32 from 0 to 1: which share of the cells comes before this one. NaN for a cell without a place in
        the model's space. Of a ring, 0 and 1 are the same place. Direction, and of a ring the start, mean nothing.
    components
        ``(N, 2)`` float32, the first two diffusion components, each of spread 1.
    shape
        ``"open"`` or ``"cyclic"``.
    likeness
        Share of the second component that follows from the first: about 1 on an open line, 0 on a ring.
    given
        The shape was asked for; else it is what `likeness` says.
    fitted
        How many cells the graph was made of.
    """

    time: Floats
    components: Floats
    shape: Shape
    likeness: float
    given: bool
    fitted: int

    @property
    def why(self) -> str:
        """Which shape, and by whose word, in a sentence."""
        name = {"open": "an open line", "cyclic": "a ring"}
        share = f"{100 * max(self.likeness, 0):.0f} % of the second diffusion component follows from the first"
        if self.given:
            return f"Cells are put along {name[self.shape]}, as asked for ({share})."
        return f"Cells lie along {name[self.shape]}: {share}."


def order_features(embedded: NDArray[Any], space: Space | None) -> Floats:
    """Return ``(N, D)`` features that cells are ordered by: embeddings turned to where the model's classes differ.

    The turn is learnt from which cells are of one class; in which order the classes come is not in it.
    """
    values = np.asarray(embedded, dtype=np.float32)
    fits = space is not None and space.turn.shape[0] == values.shape[1]
    return values @ space.turn if space is not None and fits else values


def pseudotime(features: NDArray[Any], shape: Shape | None = None, seed: int = 0) -> Pseudotime:
    """Put cells into an order.

    Parameters
    ----------
    features
        ``(N, D)``; rows with NaN have no place. Of more than 5,000 so many are drawn, and the others put between their
        nearest.
    shape
        None: decided by the cells.
    seed
        Chooses the cells that are drawn.

    Raises
    ------
    PseudotimeError
        If there are too few cells, or all are alike.
    """
    known = np.flatnonzero(np.isfinite(features).all(axis=1))
    values = np.asarray(features, dtype=np.float64)[known]
    if len(known) < FEWEST or not np.ptp(values, axis=0).any():
        alike = len(known) >= FEWEST
        raise PseudotimeError(
            f"{len(known):,} cells have a place in what the model sees"
            + (", but all the same one, so they have no order. Train longer, or with other settings." if alike else "")
            + ("" if alike else f"; an order needs {FEWEST} or more. Predict more cells.")
        )
    components, fitted = _components(values, seed)
    likeness = _likeness(components) if values.shape[1] > 1 else 1.0  # along one axis there is no ring
    found: Shape = shape or ("open" if likeness >= LINE else "cyclic")
    along = components[:, 0] if found == "open" else np.arctan2(components[:, 1], components[:, 0])
    time = np.full(len(features), np.nan, dtype=np.float32)
    time[known] = _shares(along)
    placed = np.full((len(features), 2), np.nan, dtype=np.float32)
    placed[known] = components
    return Pseudotime(time, placed, found, likeness, shape is not None, fitted)


def _shares(values: NDArray[np.float64]) -> NDArray[np.float64]:
    from scipy.stats import rankdata

    shares: NDArray[np.float64] = (rankdata(values) - 0.5) / len(values)
    return shares


def _likeness(components: NDArray[np.float64]) -> float:
    """Return the share of the second component that is a parabola over the first, as on an open line."""
    first, second = components.T
    terms = np.stack([np.ones_like(first), first, first**2], axis=1)
    rest = second - terms @ np.linalg.lstsq(terms, second, rcond=None)[0]
    return float(1 - rest.var() / max(float(second.var()), 1e-30))


def _components(values: NDArray[np.float64], seed: int) -> tuple[NDArray[np.float64], int]:
    """Return ``(n, 2)`` diffusion components of spread 1, and how many cells they were computed of."""
    from sklearn.manifold import spectral_embedding
    from sklearn.neighbors import KNeighborsRegressor

    rng = np.random.default_rng(seed)
    drawn = np.sort(rng.choice(len(values), min(LANDMARKS, len(values)), replace=False))
    graph, kept = _graph(values[drawn])
    drawn = drawn[kept]
    found = spectral_embedding(graph, n_components=2, eigen_solver="arpack", random_state=seed)
    found = (found - found.mean(axis=0)) / np.maximum(found.std(axis=0), 1e-30)
    if len(drawn) == len(values):
        return found, len(drawn)
    beside = KNeighborsRegressor(BESIDE, weights="distance").fit(values[drawn], found)
    components: NDArray[np.float64] = beside.predict(values)
    components[drawn] = found
    return components, len(drawn)


def _graph(values: NDArray[np.float64]) -> tuple[Any, NDArray[np.intp]]:
    """Return how alike neighbours are, and of which rows: those that hang together.

    Neighbours are looked for further and further away, until nearly all cells hang together.
    """
    from scipy.sparse.csgraph import connected_components

    count = len(values)
    neighbours = min(NEIGHBOURS, count - 1)
    while True:
        graph = _alike(values, neighbours)
        _, part = connected_components(graph, directed=False)
        kept = np.flatnonzero(part == np.bincount(part).argmax())
        if len(kept) >= WHOLE * count or neighbours == count - 1:
            return graph[kept][:, kept], kept
        neighbours = min(2 * neighbours, count - 1)


def _alike(values: NDArray[np.float64], neighbours: int) -> Any:
    """Return a Gaussian of the distances, as wide as cells lie apart there, with the density of cells taken out."""
    from scipy.sparse import csr_array, diags_array
    from sklearn.neighbors import NearestNeighbors

    count = len(values)
    distances, places = NearestNeighbors(n_neighbors=neighbours + 1).fit(values).kneighbors(values)
    width = np.maximum(distances[:, -1], 1e-12)  # Zelnik-Manor & Perona 2004: a scale of its own for each cell
    weights = np.exp(-(distances**2) / (width[:, None] * width[places]))
    rows = np.repeat(np.arange(count, dtype=np.int32), neighbours + 1)  # scikit-learn takes no longer ones
    graph = csr_array((weights.ravel(), (rows, places.ravel().astype(np.int32))), shape=(count, count))
    graph = graph.maximum(graph.T)
    rare = diags_array(1 / np.asarray(graph.sum(axis=1)).ravel())
    return csr_array(rare @ graph @ rare)
