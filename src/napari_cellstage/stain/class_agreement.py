"""The check by task, second part: the classes that cells get from predicted stains against those from true ones."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import asdict, dataclass
from math import nan
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.cells import CellTable
from napari_cellstage.core.errors import ModelError
from napari_cellstage.core.finding.settings import SegmentSettings
from napari_cellstage.core.images import from_array
from napari_cellstage.core.json_values import plain
from napari_cellstage.core.predicted import stain_of
from napari_cellstage.core.scoring.intervals import wilson
from napari_cellstage.core.snapshot import ImageSnapshot
from napari_cellstage.learn.events import BatchDone, Note
from napari_cellstage.stain.downstream import nuclei_of, predicted_parts
from napari_cellstage.stain.pair import StainPair
from napari_cellstage.stain.pair_reading import floats
from napari_cellstage.stain.scored_parts import Parts, parts_for
from napari_cellstage.stain.scores import Interval

if TYPE_CHECKING:
    from napari_cellstage.learn.model import TrainedModel
    from napari_cellstage.stain.model import StainModel
    from napari_cellstage.stain.pair import StainSet
    from napari_cellstage.stain.splits import Region

Floats = NDArray[np.float32]
Crops = tuple[NDArray[np.generic], NDArray[np.bool_]]


@dataclass(frozen=True)
class ClassScores:
    """Classes that a classification model gives cells seen in predicted stain against the same in true stain.

    Parameters
    ----------
    classes
        Their names.
    cells
        How many were judged.
    agreement, kappa
        Share of cells with the same class, and Cohen's kappa; NaN for no cells, kappa also where all are of one class.
    agreement_interval
        95 % (Wilson).
    matrix
        Rows: class from the true stain; columns: from the predicted one.
    notes
        Sentences to show.
    stopped
        True when some images were not reached.
    """

    classes: tuple[str, ...]
    cells: int
    agreement: float
    agreement_interval: Interval
    kappa: float
    matrix: tuple[tuple[int, ...], ...]
    notes: tuple[str, ...] = ()
    stopped: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON; None for what is not known."""
        told: dict[str, Any] = plain(asdict(self))
        return told


def compare_classes(
    model: StainModel,
    data: StainSet,
    judge: TrainedModel,
    regions: Sequence[Region] | None = None,
    settings: SegmentSettings | None = None,
    labels: Sequence[NDArray[Any] | None] | None = None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Generator[Note | BatchDone, None, ClassScores]:
    """Let a classification model judge each cell with its true stain, and again with the predicted one in its place.

    Parameters
    ----------
    model
        Predicts stains.
    data
        Pairs.
    judge
        Looks at one of these stains at least; its other channels are taken from the images as they are.
    regions
        What is looked at; None: every pair, whole.
    settings
        How nuclei are found in the true stain; None: as they are found by default.
    labels
        ``(Z, Y, X)`` or ``(Y, X)`` integers a pair: cells; None, or None for a pair: they are found.
    should_stop
        Asked between batches; images that were not reached are left out.

    Raises
    ------
    ModelError
        If the classification model looks at no predicted stain, or at a channel that is not there.
    """
    parts = parts_for(model, data, regions)
    asked = _Asked.of(parts, judge, settings or SegmentSettings())
    true, predicted, done = list[Crops](), list[Crops](), 0
    for number, said in predicted_parts(model, parts, should_stop):
        both = asked.crops(number, said, None if labels is None else labels[parts.regions[number].pair])
        done += 1
        if both is not None:
            true.append(both[0])
            predicted.append(both[1])
        yield BatchDone("cutting cells", done, len(parts.regions))
    notes = list(parts.notes)
    if done < len(parts.regions):
        notes.append(f"Stopped: {done} of {len(parts.regions)} images were looked at.")
    first = yield from _judged(judge, true)
    second = yield from _judged(judge, predicted)
    scores = _scores(judge.classes.names, first, second, tuple(notes), done < len(parts.regions))
    yield from map(Note, scores.notes)
    return scores


@dataclass(frozen=True, eq=False)
class _Asked:
    """What a classification model is shown of each part."""

    parts: Parts
    judge: TrainedModel
    settings: SegmentSettings
    stains: tuple[int | None, ...]  # by channel of the judge: which of the parts' stains it is, None for none
    nuclei: int

    @classmethod
    def of(cls, parts: Parts, judge: TrainedModel, settings: SegmentSettings) -> _Asked:
        wanted = [stain_of(name) for name in judge.card["channel_names"]]
        known = [name.casefold() for name in parts.data.stain_names]
        stains = tuple(known.index(name.casefold()) if name.casefold() in known else None for name in wanted)
        first = next((name for name, place in zip(wanted, stains, strict=True) if place is not None), None)
        if first is None:
            raise ModelError(
                f"The classification model looks at {', '.join(wanted)}, and none of these is predicted: "
                f"{', '.join(parts.data.stain_names)}. Choose another model."
            )
        return cls(parts, judge, settings, stains, parts.stain(first))

    def crops(self, number: int, said: Floats, labels: NDArray[Any] | None) -> tuple[Crops, Crops] | None:
        """Return crops of a part's cells with true and with predicted stain; None where there are no cells."""
        from napari_cellstage.learn.cutting import cut

        truth = self.parts.truth(number)
        region = self.parts.regions[number]
        pair = self.parts.data.pairs[region.pair]
        if labels is None:
            cells = nuclei_of(truth[self.nuclei], self.settings, pair.targets.pixel_size_um)
        else:
            cells = np.broadcast_to(labels[(..., *region.slices)], truth.shape[1:])
        volume = np.ascontiguousarray(cells)[None]
        table = CellTable.from_labels(volume)
        if not len(table):
            return None
        predicted = said[list(self.parts.stains)]
        made = []
        for stains in (truth, predicted):
            planes = np.stack([self._channel(place, stains, number) for place in range(len(self.stains))])
            stack = from_array(
                planes[None], "TCZYX", pair.name, channel_names=tuple(self.judge.card["channel_names"]),
                pixel_size_um=pair.targets.pixel_size_um,
            )  # fmt: skip
            shown = ImageSnapshot(0, stack, table, volume, np.zeros(len(table), np.int64))
            made.append(cut(shown, np.arange(len(table)), tuple(range(len(planes))), self.judge.cutting))
        return made[0], made[1]

    def _channel(self, place: int, stains: Floats, number: int) -> Floats:
        """Return ``(Zout, h, w)`` of one of the judge's channels."""
        stain = self.stains[place]
        if stain is not None:
            return np.asarray(np.nan_to_num(stains[stain]))
        region = self.parts.regions[number]
        return _other(self.parts.data.pairs[region.pair], self.judge.card["channel_names"][place], region.slices)


def _other(pair: StainPair, name: str, slices: tuple[slice, slice]) -> Floats:
    """Return a channel that is no stain as it is, with the planes that the stain has."""
    for stack in (pair.targets, pair.inputs):
        names = [one.casefold() for one in stack.channel_names]
        if name.casefold() in names:
            volume: Floats = floats(stack, pair.t, (names.index(name.casefold()),), slice(None), *slices)[0]
            if pair.output == "maximum":
                return np.asarray(np.fmax.reduce(volume, axis=0, keepdims=True))
            plane = pair.plane or 0
            one = volume[plane : plane + 1] if pair.output == "plane" and len(volume) > 1 else volume
            return np.asarray(one)
    there = ", ".join(dict.fromkeys((*pair.targets.channel_names, *pair.inputs.channel_names)))
    raise ModelError(
        f"The classification model looks at '{name}', but '{pair.name}' has {there}. Choose another model."
    )


def _judged(judge: TrainedModel, parts: list[Crops]) -> Generator[BatchDone, None, NDArray[np.intp]]:
    """Return the place of each cell's class."""
    from napari_cellstage.learn.predict import predict

    if not parts:
        return np.zeros(0, np.intp)
    crops, masks = (np.concatenate(one) for one in zip(*parts, strict=True))
    probabilities = yield from predict(judge, crops, masks, scaled=True)
    places: NDArray[np.intp] = probabilities.argmax(axis=1)
    return places


def _scores(
    classes: Sequence[str], true: NDArray[np.intp], predicted: NDArray[np.intp], notes: tuple[str, ...], stopped: bool
) -> ClassScores:
    count, same = len(true), int((true == predicted).sum())
    matrix = np.zeros((len(classes), len(classes)), np.int64)
    np.add.at(matrix, (true, predicted), 1)
    if not count:
        notes = (*notes, "There were no cells to judge. Give labels, or other settings for finding nuclei.")
    expected = float(matrix.sum(axis=0) @ matrix.sum(axis=1)) / count**2 if count else nan
    agreement = same / count if count else nan
    kappa = (agreement - expected) / (1 - expected) if count and expected < 1 else nan
    table = tuple(tuple(int(n) for n in row) for row in matrix)
    return ClassScores(tuple(classes), count, agreement, wilson(same, count), kappa, table, notes, stopped)
