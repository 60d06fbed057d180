"""What is wrong with pairs: what stops training as an error, what is left out or doubtful as sentences."""

from __future__ import annotations

from collections.abc import Callable

from napari_cellstage.stain.pair import StainSet


def checked(data: StainSet, should_stop: Callable[[], bool] = lambda: False) -> StainSet:
    """Return the pairs that can be used, with what was found in their notes."""
    raise NotImplementedError
