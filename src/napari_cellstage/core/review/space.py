"""`Space`: where a model sees each cell, and whether a cell is like any that the model was trained on.

A classifier gives every cell one of its classes, also a cell of a kind that it has never met. How far that cell is from
the training cells says so. Two distances are looked at, as each misses what the other finds: the plain one finds noise,
empty crops and other microscopes; the angle, after the axes were turned to where classes differ, finds cells that are
well imaged and of no known class.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.errors import ModelError
from napari_cellstage.core.review.neighbours import BLOCK, TINY, directions, group_codes, nearest

Floats = NDArray[np.float32]
PREFIX = "space_"
STAYS_UNDER = (0.999, 0.99)  # share of training cells, their own group left out, by plain distance and by angle
FURTHEST = 10.0  # standard deviations at which a feature is cut off
SHRINKAGE = 0.2  # of the covariance within classes
FEWEST = 20  # of fewer cells nobody can say what is unlike them
FOLDS = 5


@dataclass(frozen=True, eq=False)
class Space:
    """Principal axes of the training cells' features, and some of these cells as references.

    Parameters
    ----------
    mean, weight
        ``(F,)``; features are brought to mean 0 and spread 1; weight 0 where a feature says nothing.
    axes
        ``(F, E)`` principal axes.
    turn
        ``(E, D)`` from there to where classes differ most.
    references, reference_groups
        ``(R, E)`` embedded training cells, and ``(R,)`` a number of the group that each is from.
    limits
        ``(2,)``; what distance and angle stay under; NaN where cells were too few.
    """

    mean: Floats
    weight: Floats
    axes: Floats
    turn: Floats
    references: Floats
    reference_groups: Floats
    limits: Floats

    @classmethod
    def fit(
        cls,
        features: Floats,
        groups: NDArray[Any],
        seed: int = 0,
        dims: int = 64,
        references: int = 2000,
        labels: NDArray[Any] | None = None,
    ) -> Self:
        """Learn the space of training cells.

        Parameters
        ----------
        features
            ``(N, F)`` of the training cells only; NaN counts as the mean.
        groups
            ``(N,)``; image, well, movie ... so that cells are not compared with their own neighbours.
        seed
            Chooses the references.
        dims
            Length of an embedding, at most.
        references
            How many cells are kept, at most; of each class as many as of any other, where there are so many.
        labels
            ``(N,)`` class of each cell. Give it wherever it is known: cells of an unknown class are found far better.
        """
        mean, weight = _scaling(features)
        values = _standard(features, mean, weight)
        axes = _principal_axes(values, dims, seed)
        embedded = values @ axes
        turn = _turn(embedded, labels)
        names = np.asarray(groups).astype(str)
        if len(np.unique(names)) < 2:
            names = np.arange(len(names)).astype(str)  # each cell is a group of its own
        kept = _spread(len(embedded), labels, references, seed)
        limits = _limits(embedded, names, labels, kept)
        return cls(mean, weight, axes, turn, embedded[kept], group_codes(names[kept]), limits)

    def embed(self, features: Floats) -> Floats:
        """Return ``(N, E)`` of features ``(N, F)``.

        Raises
        ------
        ModelError
            If there are more or fewer features than the training cells had.
        """
        if features.shape[1] != len(self.mean):
            raise ModelError(
                f"The model was made for {len(self.mean)} features a cell, here are {features.shape[1]}. "
                "Train a new model."
            )
        blocks = [features[start : start + BLOCK] for start in range(0, len(features), BLOCK)]
        parts = [_standard(block, self.mean, self.weight) @ self.axes for block in blocks]
        return np.concatenate(parts) if parts else np.zeros((0, self.axes.shape[1]), dtype=np.float32)

    def unlike(self, embedded: NDArray[np.floating[Any]], but: NDArray[Any] | None = None) -> Floats:
        """Return ``(N,)``: how far from the training cells each cell is, over 1 for a cell that is unlike them.

        Parameters
        ----------
        embedded
            ``(N, E)`` as `embed` gives it; NaN rows give NaN.
        but
            ``(N,)`` group of each cell, whose references it is not compared with; for cells of the training itself.
        """
        found = np.full(len(embedded), np.nan, dtype=np.float32)
        known = np.isfinite(embedded).all(axis=1)
        if known.any() and np.isfinite(self.limits).all() and len(self.references):
            plain, angle = self._distances(embedded[known].astype(np.float32), None if but is None else but[known])
            found[known] = np.maximum(plain / self.limits[0], angle / self.limits[1])
        return found

    def arrays(self) -> dict[str, Floats]:
        """Return all that a model's file has to hold, float32."""
        return {f"{PREFIX}{one.name}": getattr(self, one.name) for one in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray[Any]]) -> Self | None:
        """Make what `arrays` gave, out of arrays that may hold others too; None where it is not among them."""
        names = [f"{PREFIX}{one.name}" for one in fields(cls)]
        if any(name not in arrays for name in names):
            return None
        return cls(*(np.asarray(arrays[name], dtype=np.float32) for name in names))

    def _distances(self, embedded: Floats, but: NDArray[Any] | None) -> tuple[Floats, Floats]:
        codes = None if but is None else group_codes(np.asarray(but).astype(str))
        return _distances(embedded, self.references, self.turn, codes, self.reference_groups)


def _limits(embedded: Floats, names: NDArray[np.str_], labels: NDArray[Any] | None, kept: NDArray[np.intp]) -> Floats:
    """Return what most training cells stay under when axes and references are found without their group."""
    from sklearn.model_selection import GroupKFold

    if len(embedded) < FEWEST:
        return np.full(2, np.nan, dtype=np.float32)
    found = []
    for others, held in GroupKFold(min(FOLDS, len(np.unique(names)))).split(embedded, groups=names):
        turn = _turn(embedded[others], None if labels is None else np.asarray(labels)[others])
        references = embedded[np.intersect1d(others, kept)]
        if len(references):
            found.append(np.stack(_distances(embedded[held], references, turn)))
    both = np.concatenate(found, axis=1)
    limits = [np.quantile(values, share) for values, share in zip(both, STAYS_UNDER, strict=True)]
    return np.maximum(limits, TINY).astype(np.float32)


def _distances(
    embedded: Floats, references: Floats, turn: Floats, codes: Floats | None = None, but: Floats | None = None
) -> tuple[Floats, Floats]:
    """Return mean distances to the nearest references, and the same of directions after the turn."""
    plain = nearest(embedded, references, codes, but)
    return plain, nearest(directions(embedded @ turn), directions(references @ turn), codes, but)


def _scaling(features: Floats) -> tuple[Floats, Floats]:
    values = np.where(np.isfinite(features), features, np.nan).astype(np.float64)
    counts = np.maximum(np.isfinite(values).sum(axis=0), 1)
    mean = np.nansum(values, axis=0) / counts
    spread = np.sqrt(np.nansum((values - mean) ** 2, axis=0) / counts)
    weight = np.where(spread > TINY * np.maximum(1.0, np.abs(mean)), 1 / np.maximum(spread, 1e-30), 0.0)
    return mean.astype(np.float32), weight.astype(np.float32)


def _standard(features: Floats, mean: Floats, weight: Floats) -> Floats:
    with np.errstate(invalid="ignore", over="ignore"):  # infinite features are cut off, or say nothing
        values = np.nan_to_num((features - mean) * weight, nan=0.0, posinf=FURTHEST, neginf=-FURTHEST)
    standard: Floats = np.clip(values, -FURTHEST, FURTHEST).astype(np.float32)
    return standard


def _principal_axes(values: Floats, dims: int, seed: int) -> Floats:
    """Return ``(F, E)`` axes of centred values, scaled so that a cell is about 1 from the centre."""
    from sklearn.decomposition import PCA

    count = min(dims, len(values) - 1, values.shape[1])
    if count < 1 or not values.any():
        return np.zeros((values.shape[1], 1), dtype=np.float32)
    solver = "randomized" if min(values.shape) > 4 * count else "full"
    found = PCA(count, svd_solver=solver, random_state=seed).fit(values)
    size = np.sqrt(max(float(found.explained_variance_.sum()), TINY))
    axes: Floats = (found.components_.T / size).astype(np.float32)
    return axes


def _turn(embedded: Floats, labels: NDArray[Any] | None) -> Floats:
    """Return the discriminant axes of the classes; all axes as they are where there are no classes to tell apart."""
    from scipy.linalg import eigh

    classes, places = np.unique(np.zeros(len(embedded)) if labels is None else labels, return_inverse=True)
    width = embedded.shape[1]
    if len(classes) < 2 or not embedded.any():
        return np.eye(width, dtype=np.float32)
    values = embedded.astype(np.float64)
    centres = np.stack([values[places == place].mean(axis=0) for place in range(len(classes))])
    within = np.cov(values - centres[places], rowvar=False, ddof=0).reshape(width, width)
    even = np.eye(width) * max(float(np.trace(within)) / width, TINY)
    between = np.cov(centres[places], rowvar=False, ddof=0).reshape(width, width)
    _, axes = eigh(between, (1 - SHRINKAGE) * within + SHRINKAGE * even)
    turn: Floats = axes[:, ::-1][:, : len(classes) - 1].astype(np.float32)
    return turn


def _spread(count: int, labels: NDArray[Any] | None, most: int, seed: int) -> NDArray[np.intp]:
    """Return rows at random, rare classes first kept whole."""
    mixed = np.random.default_rng(seed).permutation(count)
    if labels is not None and count > most:
        rank = np.zeros(count, dtype=np.int64)
        for label in np.unique(labels):
            rank[labels[mixed] == label] = np.arange(np.count_nonzero(labels == label))
        mixed = mixed[np.argsort(rank, kind="stable")]
    return np.sort(mixed[:most])
