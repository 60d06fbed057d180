"""Every cell of one image judged by a model, a few thousand crops in memory at a time."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.images import ImageStack
from napari_cellstage.core.snapshot import ImageSnapshot
from napari_cellstage.core.steps import relayed
from napari_cellstage.learn.averaging import judged_by_members
from napari_cellstage.learn.cutting import Cutter
from napari_cellstage.learn.events import BatchDone, counted_from
from napari_cellstage.learn.feature_tables import LARGEST_TABLE, FeatureTables, table_key
from napari_cellstage.learn.measure import KnownFeatures
from napari_cellstage.learn.model import TrainedModel
from napari_cellstage.learn.verdicts import Verdicts

CHUNK = 4096  # cells whose crops are in memory at a time
Rows = NDArray[np.int64]
Values = NDArray[np.float32]
Steps = Generator[BatchDone, None, Any]


@dataclass(frozen=True)
class ImageWork:
    """What it takes to judge the cells of one image.

    Parameters
    ----------
    model
        Of any kind.
    image, channels, plate
        What is looked at; see `Cutter`.
    should_stop
        Asked every batch; the cells not reached stay NaN.
    cache
        Where features of single cells are found again, or None.
    tables
        Where features of whole images are found again, or None.
    """

    model: TrainedModel
    image: ImageSnapshot
    channels: tuple[int, ...]
    plate: tuple[ImageStack, ...]
    should_stop: Callable[[], bool]
    cache: KnownFeatures | None = None
    tables: FeatureTables | None = None

    def judge(self) -> Generator[BatchDone, None, Verdicts]:
        """Judge every cell; progress is counted in this image's cells."""
        count = len(self.image.cells)
        if not count:
            return Verdicts(np.zeros((0, len(self.model.classes)), np.float32))
        if self.model.members:
            return (yield from judged_by_members(self.model, lambda one: replace(self, model=one).judge()))
        if self.model.kind == "quick":
            return (yield from self._quick())
        from napari_cellstage.learn.network_predict import NetworkJudge

        whole, judge = _Whole(count), NetworkJudge(self.model, self.should_stop)
        for done, rows, crops, _ in self._cut():
            whole.put(rows, (yield from relayed(judge.judge(crops), counted_from(done, count))))
        return whole.verdicts(len(self.model.classes))

    def _quick(self) -> Generator[BatchDone, None, Verdicts]:
        from napari_cellstage.learn.quick import judged, measure_of

        model, count = self.model, len(self.image.cells)
        measure, uses_masks = measure_of(model, self.cache), bool(model.card["uses_masks"])
        key = (
            table_key(self.image, self.channels, model.cutting, measure, uses_masks, self.plate) if self.tables else ""
        )
        known = self.tables.get(key, count) if self.tables and key else None
        whole = _Whole(count)
        if known is not None:
            for done, rows in _chunks(np.arange(count)):
                if self.should_stop():
                    break
                whole.put(rows, judged(model, np.asarray(known[rows]), len(rows)))
                yield BatchDone("predicting", done + len(rows), count)
            return whole.verdicts(len(model.classes))
        measured = _Measured(count)
        for done, rows, crops, masks in self._cut():
            work = measure.features(crops, masks if uses_masks else None, self.should_stop, "predicting")
            features = yield from relayed(work, counted_from(done, count))
            whole.put(rows, judged(model, features, len(rows)))
            measured.put(rows, features)
        if self.tables and key and measured.complete is not None:
            self.tables.put(key, measured.complete)
        return whole.verdicts(len(model.classes))

    def _cut(self) -> Iterable[tuple[int, Rows, NDArray[np.generic], NDArray[np.bool_]]]:
        """Yield how many cells came before, rows, crops and masks, until stopped."""
        cutter = Cutter(self.image, self.channels, self.model.cutting, self.plate)
        for done, rows in _chunks(cutter.in_order()):
            if self.should_stop():
                return
            yield done, rows, *cutter.cut(rows)


class _Whole:
    """Verdicts of an image, chunk by chunk."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._values: dict[str, NDArray[Any]] = {}

    def put(self, rows: Rows, some: Verdicts) -> None:
        for name in ("probabilities", "embedding", "unlike"):
            values = getattr(some, name)
            if values is not None:
                whole = self._values.setdefault(
                    name, np.full((self._count, *values.shape[1:]), np.nan, dtype=values.dtype)
                )
                whole[rows] = values

    def verdicts(self, classes: int) -> Verdicts:
        """Return all; NaN where nothing was said."""
        nothing = np.full((self._count, classes), np.nan, dtype=np.float32)
        return Verdicts(**({"probabilities": nothing} | self._values))


class _Measured:
    """Features of an image, chunk by chunk; only kept where they take little memory."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._done = 0
        self._values: Values | None = None

    def put(self, rows: Rows, features: Values) -> None:
        if not len(features) or self._count * features.shape[1] * 4 > LARGEST_TABLE:
            return
        if self._values is None:
            self._values = np.zeros((self._count, features.shape[1]), dtype=np.float32)
        self._values[rows[: len(features)]] = features
        self._done += len(features)

    @property
    def complete(self) -> Values | None:
        """All of them; None where some are not measured."""
        return self._values if self._done == self._count else None


def _chunks(rows: Rows) -> list[tuple[int, Rows]]:
    return [(start, rows[start : start + CHUNK]) for start in range(0, len(rows), CHUNK)]
