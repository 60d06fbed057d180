"""Weights of Cohen's kappa for classes that have an order: how bad it is to take one class for another."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

KappaKind = Literal["quadratic", "cyclic", ""]
KINDS: dict[str, KappaKind] = {"ordered": "quadratic", "cyclic": "cyclic", "nominal": ""}
"""Which kappa belongs to which kind of class scheme; none where classes have no order."""


def kappa_weights(kind: KappaKind, classes: int) -> NDArray[np.float64] | None:
    """Return ``(K, K)`` what each mistake costs, or None where kappa says nothing that accuracy doesn't.

    Parameters
    ----------
    kind
        ``"quadratic"``: the squared distance in the list of classes. Of doses only the order counts, as the step from 0
        to 0.1 µM may change a cell more than that from 1 to 10. ``"cyclic"``: the squared distance on the ring, so that
        the last stage of the cell cycle is next to the first.
    classes
        How many there are.
    """
    if not kind:
        return None
    places = np.arange(classes, dtype=np.float64)
    steps = np.abs(places[:, None] - places[None, :])
    if kind == "cyclic":
        steps = np.minimum(steps, classes - steps)
    return (steps / max(float(steps.max(initial=0.0)), 1.0)) ** 2
