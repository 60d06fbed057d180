"""From raw crops to the features that the quick recipe learns from: normalised, measured once, found again."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.feature_cache import cell_keys
from napari_cellstage.core.features import batch_size, feature_batches
from napari_cellstage.core.normalise import Normalisation
from napari_cellstage.learn.cutting import normalisation_of
from napari_cellstage.learn.device import thread_count
from napari_cellstage.learn.events import BatchDone
from napari_cellstage.learn.nets.names import pretrained_as
from napari_cellstage.learn.recipe import Recipe

if TYPE_CHECKING:
    from napari_cellstage.learn.frozen import FrozenNetwork

ShouldStop = Callable[[], bool]
Masks = NDArray[np.bool_]
Values = NDArray[np.float32]


class KnownFeatures(Protocol):
    """Where features measured before are found again, by a key that says what was measured."""

    def get(self, keys: list[bytes]) -> dict[bytes, Values]:
        """Return the features that are known."""
        ...

    def put(self, features: dict[bytes, Values]) -> None:
        """Keep features."""
        ...


class FeaturesInMemory:
    """Features of one piece of work that measures the same cells several times, where no folder is to keep them."""

    def __init__(self) -> None:
        self._known: dict[bytes, Values] = {}

    def get(self, keys: list[bytes]) -> dict[bytes, Values]:
        """Return the features that are known."""
        return {key: self._known[key] for key in keys if key in self._known}

    def put(self, features: dict[bytes, Values]) -> None:
        """Keep features."""
        self._known |= features


@dataclass(frozen=True)
class Measure:
    """How cells are measured.

    Parameters
    ----------
    normalisation
        Of the raw crops.
    recipe
        Its threads and device.
    frozen
        A pretrained network whose features stand beside the classical ones, or None.
    cache
        Where features measured before are found again, or None.
    """

    normalisation: Normalisation
    recipe: Recipe
    frozen: FrozenNetwork | None = None
    cache: KnownFeatures | None = None

    def features(
        self, crops: NDArray[np.generic], masks: Masks | None, should_stop: ShouldStop, what: str
    ) -> Generator[BatchDone, None, Values]:
        """Return features ``(N, F)`` of raw crops ``(N, C, H, W)``, or fewer rows when stopped."""
        keys = cell_keys(crops, masks, self.normalisation, self.settings) if self.cache else []
        known = self.cache.get(keys) if self.cache else {}
        todo = np.array([row for row in range(len(crops)) if not keys or keys[row] not in known], dtype=np.int64)
        parts: list[Values] = []
        try:
            work = self._measure(crops[todo], None if masks is None else masks[todo], should_stop)
            for values in work:
                parts.append(values)
                yield BatchDone(what, len(crops) - len(todo) + sum(map(len, parts)), len(crops))
        finally:
            fresh = np.concatenate(parts) if parts else np.zeros((0, 0), np.float32)
            if self.cache:
                self.cache.put({keys[row]: values for row, values in zip(todo.tolist(), fresh, strict=False)})
        return _in_order(len(crops), todo, fresh, [known.get(key) for key in keys])

    @property
    def settings(self) -> str:
        """What is measured beside the classical features, such as a network's digest."""
        return self.frozen.key if self.frozen else ""

    def _measure(
        self, crops: NDArray[np.generic], masks: Masks | None, should_stop: ShouldStop
    ) -> Generator[Values, None, None]:
        """Yield features of some crops after the other, until stopped."""
        normal = self.normalisation.apply(crops)
        size, start = batch_size(normal.shape), 0
        batches = feature_batches(normal, masks, thread_count(self.recipe.threads))
        try:
            for batch in batches:
                seen = [batch.values]
                if self.frozen:
                    seen.append(self.frozen.features(normal[start : start + size], self.recipe))
                yield np.concatenate(seen, axis=1)
                start += size
                if should_stop():
                    break
        finally:
            batches.close()


def steady_normalisation(crops: NDArray[np.generic], recipe: Recipe) -> Normalisation:
    """Take the data set's intensity range, in coarse steps.

    One more labelled cell then hardly ever changes the range, so features measured before stay valid.
    """
    exact = normalisation_of(crops, recipe)
    if exact.mode != "dataset":
        return exact
    low, high = [], []
    for dark, bright in zip(exact.low, exact.high, strict=True):
        step = 2.0 ** np.floor(np.log2(max(bright - dark, 1e-12)) - 3)  # an 8th to a 16th of the range
        low.append(float(np.floor(dark / step) * step))
        high.append(float(np.ceil(bright / step) * step))
    return Normalisation("dataset", tuple(low), tuple(high))


def pretrained_at_hand(recipe: Recipe) -> bool:
    """Return whether it is worth loading torch to look for weights: a file is named, or some were fetched before."""
    if recipe.weights != "imagenet":
        return recipe.weights != "none"
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    fetched = Path(os.environ.get("TORCH_HOME", cache / "torch")).expanduser() / "hub" / "checkpoints"
    name = pretrained_as(recipe.network)
    return name is not None and any(fetched.glob(f"{name}*.pth"))


def _in_order(count: int, todo: NDArray[np.int64], fresh: Values, known: list[Values | None]) -> Values:
    """Put measured and known features into one table; it ends at the first cell that has none."""
    if not any(one is not None for one in known):
        return fresh
    rows: list[Values | None] = known
    for row, values in zip(todo.tolist(), fresh, strict=False):
        rows[row] = values
    first_missing = next((row for row in range(count) if rows[row] is None), count)
    whole = [one for one in rows[:first_missing] if one is not None]
    return np.stack(whole) if whole else np.zeros((0, 0), np.float32)
