"""What a choice between small classifiers comes to, what is known of an earlier one, and scores as probabilities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from napari_cellstage.learn.boosting import BoostedHead
from napari_cellstage.learn.kernel_head import KernelHead
from napari_cellstage.learn.linear_head import LinearHead
from napari_cellstage.learn.pair_head import Pair, PairHead
from napari_cellstage.learn.recipe import Recipe

Values = NDArray[np.float32]
Rows = NDArray[np.bool_]


class Head(Protocol):
    """Scores classes from features."""

    def scores(self, features: Values) -> NDArray[np.float64]:
        """Return ``(N, K)`` scores, whose softmax over `temperature` is the probability."""
        ...


@dataclass(frozen=True)
class Chosen:
    """The head that did best, and how its scores become probabilities.

    Parameters
    ----------
    head
        Trained on all the cells given.
    temperature
        Scores are divided by it, so that the confidence is right on unseen cells (Guo et al. 2017).
    report
        In words: how the candidates did.
    """

    head: LinearHead | KernelHead | PairHead | BoostedHead
    temperature: float
    report: str

    def to_dict(self) -> dict[str, Any]:
        """Return what a later training may take over, as plain JSON values."""
        pair = self.head.pair.to_dict() if isinstance(self.head, PairHead) else None
        return {"trees": isinstance(self.head, BoostedHead), "temperature": self.temperature, "pair": pair}


@dataclass(frozen=True)
class KnownChoice:
    """What was chosen at an earlier training on nearly the same cells, so that it need not be looked for again.

    Parameters
    ----------
    trees
        Boosted trees.
    temperature
        That was found then.
    labels
        How many labelled cells each class had then.
    reused
        The how manyth training this is that takes it over.
    held_out
        ``(N,)``; the cells that measured the score then, and others of their groups. They measure it again: cells that
        had a say in the choice would flatter it. None where nothing was held out.
    pair
        How a linear and a kernel classifier were put together; None where they were not.
    """

    trees: bool
    temperature: float
    labels: dict[str, int]
    reused: int
    held_out: Rows | None = None
    pair: Pair | None = None

    def fits(self, recipe: Recipe) -> bool:
        """Return whether it is a choice that this recipe makes; the quickest are made anew each time."""
        return self.trees if recipe.classifier == "trees" else recipe.classifier == "auto" and self.pair is not None

    @classmethod
    def of(cls, choice: dict[str, Any], held_out: Rows | None = None) -> Self:
        """Make it from what a run's card says of its choice.

        Raises
        ------
        KeyError, TypeError, ValueError
            If the card is damaged, or of an earlier version.
        """
        return cls(
            trees=bool(choice["trees"]),
            temperature=float(choice["temperature"]),
            labels=dict(choice["labels"]),
            reused=int(choice["reused"]),
            held_out=held_out,
            pair=Pair.from_dict(choice["pair"]) if choice["pair"] else None,
        )


def probabilities(scores: NDArray[np.float64], temperature: float) -> Values:
    """Return ``(N, K)`` float32 that sum to 1."""
    values: Values = softmax(scores / temperature, axis=1).astype(np.float32)
    return values
