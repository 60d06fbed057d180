"""What trained networks of other packages share: pixels from 0 to 1, sentences when something is missing, sizes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from threading import RLock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.errors import CellsError
from napari_cellstage.core.finding.method import METHODS, Levels
from napari_cellstage.core.finding.settings import SegmentSettings
from napari_cellstage.core.finding.shapes import keep_wanted, numbered
from napari_cellstage.core.finding.values import check_contrast, volume_of

# Blocks are found side by side, but there is one network, and one card for it.
ONE_AT_A_TIME = RLock()
# Networks see far around a cell; so much is the field of view of the larger ones.
_FIELD = 128


def measured(sample: Sequence[NDArray[Any]], settings: SegmentSettings) -> Levels:
    """Return the range of light: the 1st and the 99.8th percentile of the sample, so that every block gets the same."""
    require(settings.method)
    check_contrast([part[0] for part in sample])
    values = np.concatenate([volume_of(part, 0).ravel()[:: max(1, part[0].size >> 18)] for part in sample])
    low, high = np.percentile(values, (1, 99.8))
    return Levels(dark=float(low), cut=float(max(high, low + 1e-6 * max(1.0, abs(float(low))))))


def from_0_to_1(block: NDArray[Any], levels: Levels) -> NDArray[np.float32]:
    """Return the first channel of a block, its range of light from 0 to 1; a single plane without its axis."""
    return (volume_of(block, 0) - np.float32(levels.dark)) / np.float32(levels.cut - levels.dark)


def margin(settings: SegmentSettings, _levels: Levels) -> int:
    """Return the overlap a block needs; see `method.Code`."""
    return int(max(_FIELD, settings.max_diameter, 3 * settings.diameter))


def finished(labels: Any, settings: SegmentSettings, shape: tuple[int, ...]) -> NDArray[np.int32]:
    """Return a network's labels with the wanted sizes, numbered, in the shape of the block."""
    found = np.asarray(labels).astype(np.int32)
    return numbered(keep_wanted(found, settings)).reshape(shape[1:])


def require(name: str) -> None:
    """Raise `CellsError` when the package of a method is not installed."""
    method = METHODS[name]
    if not method.installed:
        raise CellsError(
            f"{method.extra} is not installed. Install it with: pip install 'napari-cellstage[{method.extra}]', "
            "then start again; or choose another method."
        )


def own_model(model: str) -> Path | None:
    """Return the file or folder that a model's name is, None when it is the name of one that is fetched.

    Raises
    ------
    CellsError
        If it looks like a file or folder, but there is none.
    """
    path = Path(model).expanduser()
    if path.exists() and model:
        return path
    if any(sign in model for sign in "/\\~"):
        raise CellsError(f"There is no model at '{model}'. Give the file or folder of a trained model, or its name.")
    return None


def told(what: str, advice: str, work: Callable[[], Any]) -> Any:
    """Do what other people's code does, which raises whatever it likes, and make a sentence of that.

    Raises
    ------
    CellsError
        With what went wrong, why, and what to do.
    """
    try:
        return work()
    except CellsError:
        raise
    except Exception as error:
        raise CellsError(f"{what}: {error or type(error).__name__}. {advice}") from error
