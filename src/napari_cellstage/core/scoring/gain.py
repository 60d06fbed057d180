"""What more labels would bring: a power law through the scores that parts of the labels reach.

Errors of classifiers fall with the number of labels like ``floor + scale * n ** -power`` (Hestness et al. 2017).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
DRAWS = 200  # of the bootstrap
MORE = 100  # labels
HARDLY = 0.005  # of accuracy: what is below can't be told from nothing


@dataclass(frozen=True)
class Gain:
    """What so many more labels of the same kind would bring.

    Parameters
    ----------
    now
        Accuracy on unseen cells that all the labels reach.
    balanced
        The same, each class counting alike.
    gain, low, high
        Accuracy that is won, with its 95 % interval; bootstrap over groups.
    more
        How many labels more.
    labels
        How many there are.
    """

    now: float
    balanced: float
    gain: float
    low: float
    high: float
    more: int = MORE
    labels: int = 0

    @property
    def text(self) -> str:
        """One sentence for whoever labels."""
        if self.gain < HARDLY:
            return f"More labels of the same kind will hardly help (now {self.now:.2f}); look at the errors."
        span = f"{self.low:+.2f} to {self.high:+.2f}"
        return f"About {self.gain:+.2f} ({span}) from {self.more} more labels (now {self.now:.2f})."


def estimate_gain(
    counts: Floats, right: Floats, labels: NDArray[Any], groups: NDArray[Any], more: int = MORE, seed: int = 0
) -> Gain:
    """Estimate the gain from more labels.

    Parameters
    ----------
    counts
        ``(S,)`` labels that models learned from, rising; the last is all of them.
    right
        ``(S, N)``; how often models of so many labels were right about each cell, which they had not seen.
    labels, groups
        ``(N,)``; class and group of each cell. A single group is taken apart into cells.
    more
        How many labels more.
    seed
        Of the bootstrap.
    """
    names = np.asarray(groups)
    _, group = np.unique(names, return_inverse=True)
    if group.max(initial=0) == 0:
        group = np.arange(len(names))
    gains = [_gain(counts, 1 - right @ weight, more) for weight in _weights(group, seed)]
    low, high = np.quantile(gains, (0.025, 0.975)).tolist()
    whole = _gain(counts, 1 - right.mean(axis=1), more)
    balanced = np.mean([right[-1, labels == one].mean() for one in np.unique(labels)])
    now = float(right[-1].mean())
    return Gain(now, float(balanced), whole, min(low, whole), max(high, whole), more, round(float(counts[-1])))


def _weights(group: NDArray[Any], seed: int) -> list[Floats]:
    """Return weights ``(N,)`` of cells, that sum to 1, for each draw of groups with replacement."""
    rng = np.random.default_rng(seed)
    count = int(group.max()) + 1
    drawn = [np.bincount(rng.integers(0, count, count), minlength=count)[group] for _ in range(DRAWS)]
    return [one / one.sum() for one in drawn if one.sum()]


def _gain(counts: Floats, errors: Floats, more: int) -> float:
    """Return by how much the error falls."""
    floor, scale, power = _law(counts, errors)
    before, after = (floor + scale * n**-power for n in (counts[-1], counts[-1] + more))
    return float(np.clip(before - after, 0.0, max(errors[-1], 0.0)))


def _law(counts: Floats, errors: Floats) -> tuple[float, float, float]:
    """Return floor, scale and power of the law nearest to the errors, by each floor that is worth a try.

    With a floor given the law is a line of logarithms. Errors that do not fall give a flat one; a fall that is steeper
    than one by the number of labels is not believed to go on.
    """
    best = (np.inf, float(errors[-1]), 0.0, 1.0)
    logs = np.log(counts)
    for floor in np.linspace(0, 1, 21)[:-1] * max(float(errors.min()), 0.0):
        above = np.log(np.maximum(errors - floor, 1e-6))
        slope, start = np.polyfit(logs, above, 1)
        if slope >= 0:
            continue
        power = min(-float(slope), 1.0)
        scale = float(np.exp(start if power < 1 else (above + logs).mean()))
        miss = float(((floor + scale * counts**-power - errors) ** 2).sum())
        if miss < best[0]:
            best = (miss, float(floor), scale, power)
    return best[1:]
