"""The check by task: nuclei found, and classes given, from predicted stains against those from the true ones."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from math import nan
from statistics import fmean
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.errors import CellsError
from napari_cellstage.core.finding.settings import SegmentSettings
from napari_cellstage.core.json_values import plain
from napari_cellstage.core.scoring.intervals import RESAMPLES, percentiles
from napari_cellstage.core.segment import find_cells
from napari_cellstage.learn.events import BatchDone, Note
from napari_cellstage.stain.matched_cells import matches
from napari_cellstage.stain.scored_parts import Parts, parts_for
from napari_cellstage.stain.scores import Interval
from napari_cellstage.stain.tallies import cell_correlations

if TYPE_CHECKING:
    from napari_cellstage.stain.model import StainModel
    from napari_cellstage.stain.pair import StainSet
    from napari_cellstage.stain.splits import Region

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class FoundInImage:
    """Nuclei of one image: in the true stain, in the predicted one, and how many are the same (IoU >= 0.5)."""

    name: str
    true: int
    predicted: int
    matched: int

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; NaN where both images are empty."""
        return _f1(self.true, self.predicted, self.matched)


@dataclass(frozen=True)
class FoundScores:
    """Nuclei found in predicted against true stain, over all images.

    Parameters
    ----------
    stain
        In which they were found.
    images
        One each.
    cells_pearson
        Mean over the nuclei of the true stain: r of predicted and true pixels within each; NaN without any.
    notes
        Sentences to show, such as where nothing was found.
    stopped
        True when some images were not reached.
    """

    stain: str
    images: tuple[FoundInImage, ...]
    cells_pearson: float = nan
    notes: tuple[str, ...] = ()
    stopped: bool = False

    @property
    def counts(self) -> tuple[int, int, int]:
        """Nuclei of all images: true, predicted, the same in both."""
        each = [(one.true, one.predicted, one.matched) for one in self.images]
        true, predicted, matched = (sum(column) for column in zip(*each, strict=True)) if each else (0, 0, 0)
        return true, predicted, matched

    @property
    def precision(self) -> float:
        """Share of the predicted nuclei that are true."""
        _, predicted, matched = self.counts
        return matched / predicted if predicted else nan

    @property
    def recall(self) -> float:
        """Share of the true nuclei that were predicted."""
        true, _, matched = self.counts
        return matched / true if true else nan

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall, of all nuclei."""
        return _f1(*self.counts)

    @property
    def f1_interval(self) -> Interval:
        """95 %, by bootstrap over images; NaN for one image only."""
        each = np.array([(one.true, one.predicted, one.matched) for one in self.images], np.float64)
        if len(each) < 2:
            return (nan, nan)
        times = np.random.default_rng(0).multinomial(len(each), np.full(len(each), 1 / len(each)), RESAMPLES)
        true, predicted, matched = (times @ each).T
        with np.errstate(invalid="ignore"):
            return percentiles(2 * matched / (true + predicted), len(each))

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON; None for what is not known."""
        true, predicted, matched = self.counts
        images = [
            {"image": one.name, "true": one.true, "predicted": one.predicted, "matched": one.matched, "f1": one.f1}
            for one in self.images
        ]
        found = {"stain": self.stain, "true": true, "predicted": predicted, "matched": matched, "images": images}
        figures = {name: getattr(self, name) for name in ("precision", "recall", "f1", "f1_interval", "cells_pearson")}
        told: dict[str, Any] = plain(found | figures | {"notes": self.notes, "stopped": self.stopped})
        return told


def compare_found(
    model: StainModel,
    data: StainSet,
    stain: str,
    regions: Sequence[Region] | None = None,
    settings: SegmentSettings | None = None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Generator[Note | BatchDone, None, FoundScores]:
    """Find nuclei in the predicted and in the true stain of each pair, and match them.

    Parameters
    ----------
    model
        Predicts the stain.
    data
        Pairs.
    stain
        In which nuclei are found.
    regions
        What is looked at; None: every pair, whole.
    settings
        How nuclei are found, in both alike; None: as they are found by default.
    should_stop
        Asked between batches; images that were not reached are left out.

    Raises
    ------
    ModelError
        If the model or the pairs do not have the stain.
    TrainingError
        If there is nothing to look at.
    """
    parts = parts_for(model, data, regions)
    place = parts.stain(stain)
    how = settings or SegmentSettings()
    images, notes, of_cells = list[FoundInImage](), list(parts.notes), list[float]()
    for number, said in predicted_parts(model, parts, should_stop):
        name = parts.name(number)
        size = parts.data.pairs[parts.regions[number].pair].targets.pixel_size_um
        truth, guess = parts.truth(number)[place], said[parts.stains[place]]
        true, found = (nuclei_of(one, how, size) for one in (truth, guess))
        of_cells += cell_correlations(truth, guess, true).tolist()
        for labels, kind in ((true, "true"), (found, "predicted")):
            if not labels.any():
                notes.append(f"No nuclei were found in the {kind} {stain} of '{name}'.")
        images.append(FoundInImage(name, int(true.max()), int(found.max()), len(matches(true, found))))  # ids are 1..n
        yield BatchDone("finding nuclei", number + 1, len(parts.regions))
    stopped = len(images) < len(parts.regions)
    if stopped:
        notes.append(f"Stopped: {len(images)} of {len(parts.regions)} images were looked at.")
    yield from map(Note, notes)
    return FoundScores(stain, tuple(images), fmean(of_cells) if of_cells else nan, tuple(notes), stopped)


def predicted_parts(
    model: StainModel, parts: Parts, should_stop: Callable[[], bool]
) -> Generator[tuple[int, Floats], None, None]:
    """Yield the place of each part and its predicted stains ``(S, Zout, h, w)`` in their own units."""
    from napari_cellstage.learn.device import cpu_threads
    from napari_cellstage.stain.one_image import Work

    stains = len(model.stain_names)
    with cpu_threads(model.recipe.threads):
        for number, answer in parts.answers(Work.of(model), should_stop):
            yield number, model.scaling.to_stain(answer[:stains])


def nuclei_of(
    stain: Floats, settings: SegmentSettings, pixel_size_um: tuple[float, float, float] | None
) -> NDArray[np.int32]:
    """Return labels ``(Z, h, w)`` of nuclei in a stain, ids 1..n; all 0 where there are none."""
    try:
        return find_cells(stain, settings.fitted(pixel_size_um))
    except CellsError:  # no contrast, or nothing that looks like a nucleus
        return np.zeros(stain.shape, np.int32)


def _f1(true: int, predicted: int, matched: int) -> float:
    both = true + predicted
    return 2 * matched / both if both else nan
