"""Stains predicted for an image, block by block, with their uncertainty and where not to trust them. Loads no torch."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.errors import ImageError
from napari_cellstage.core.image_stack import ImageStack
from napari_cellstage.core.steps import relayed
from napari_cellstage.learn.events import BatchDone, Note
from napari_cellstage.stain.bring_back import BroughtBack
from napari_cellstage.stain.matching import check_planes, input_channels, plane_notes, size_notes
from napari_cellstage.stain.place_looks import STEP
from napari_cellstage.stain.prediction import StainPrediction
from napari_cellstage.stain.prediction_store import Target
from napari_cellstage.stain.resample import differs, resampled
from napari_cellstage.stain.verdicts import Verdict

if TYPE_CHECKING:
    from napari_cellstage.stain.model import StainModel
    from napari_cellstage.stain.one_image import Work

__all__ = ["StainPrediction", "predict_many", "predict_stains"]


def predict_stains(
    model: StainModel,
    stack: ImageStack,
    *,
    inputs: Sequence[str | int] | None = None,
    times: Sequence[int] | None = None,
    into: Path | str | None = None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Generator[Note | BatchDone, None, StainPrediction]:
    """Predict the stains of an image.

    Parameters
    ----------
    model
        From `fit_stain` or `StainModel.load`.
    stack
        Read block by block, never as a whole where it is large.
    inputs
        Channels to look at, by name or number, in the order of the model's; None: those with the model's names, else
        the only ones there can be.
    times
        Time points; None: all.
    into
        Folder to make for a Zarr group with the arrays ``mean``, ``uncertainty`` and ``unlike``, there whole or not at
        all; None: memory, or a temporary folder that goes with the prediction where it is larger than 512 MB.
    should_stop
        Asked between batches. Time points that are whole by then are kept, the others left out.

    Yields
    ------
    Note
        A sentence to show: resampled, another channel taken, stopped.
    BatchDone
        How much of all time points is done.

    Raises
    ------
    ModelError
        If the image's channels or planes do not fit the model.
    ImageError
        If it can't be read, there is no such time point, or the folder can't be written.
    """
    channels, notes = input_channels(model, stack, inputs)
    check_planes(model, stack)
    chosen = _times(stack, times)
    notes = (*notes, *plane_notes(model, stack), *size_notes(model, stack))
    yield from map(Note, notes)
    from napari_cellstage.learn.device import cpu_threads

    with cpu_threads(model.recipe.threads):
        job = _Job.of(model, stack, channels, chosen, None if into is None else Path(into), should_stop)
        try:
            found = yield from job.run()
        except BaseException:  # also GeneratorExit: a closed window leaves no half folder
            job.target.drop()
            raise
    if found.stopped:
        yield Note(found.notes[-1])
    return replace(found, notes=(*notes, *found.notes))


def predict_many(
    models: Sequence[StainModel],
    stack: ImageStack,
    *,
    inputs: Sequence[str | int] | None = None,
    times: Sequence[int] | None = None,
    into: Path | str | None = None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Generator[Note | BatchDone, None, tuple[StainPrediction, ...]]:
    """Predict with several models on one image, one after the other; see `predict_stains`.

    `into` is a folder that gets one Zarr group a model, named ``0.zarr``, ``1.zarr`` ... After a stop there is a
    prediction for each model that had begun, the last one with the time points that are whole.
    """
    made = list[StainPrediction]()
    for number, model in enumerate(models):
        if should_stop():
            break
        place = None if into is None else Path(into) / f"{number}.zarr"
        work = predict_stains(model, stack, inputs=inputs, times=times, into=place, should_stop=should_stop)
        made.append((yield from relayed(work, partial(_among, number, len(models)))))
    return tuple(made)


@dataclass(eq=False)
class _Job:
    """The time points of one image, one after the other."""

    work: Work
    stack: ImageStack
    seen: ImageStack  # the same in the model's pixel size
    channels: tuple[int, ...]
    times: tuple[int, ...]
    target: Target
    should_stop: Callable[[], bool]
    verdicts: list[Verdict] = field(default_factory=list)

    @classmethod
    def of(
        cls,
        model: StainModel,
        stack: ImageStack,
        channels: tuple[int, ...],
        times: tuple[int, ...],
        into: Path | None,
        should_stop: Callable[[], bool],
    ) -> _Job:
        from napari_cellstage.stain.one_image import Work

        work, seen, size = Work.of(model), stack, model.pixel_size_um
        if size is not None and differs(stack.pixel_size_um, size):
            seen = resampled(stack, size[1:])
        shape = (len(times), len(model.stain_names), work.cut.depth_out(stack.shape[2]), *stack.shape[3:])
        coarse = (-(-seen.shape[3] // STEP), -(-seen.shape[4] // STEP))
        return cls(work, stack, seen, channels, times, Target(shape, coarse, into), should_stop)

    def run(self) -> Generator[BatchDone, None, StainPrediction]:
        """Predict them all, until stopped."""
        layout = self.work.layout(self.seen.shape[2], self.seen.shape[3:])
        done, total = 0, layout.count * len(self.times)
        for number, t in enumerate(self.times):
            field = self.work.field(self.seen, t, self.channels)
            back = BroughtBack(partial(self.target.put, number), self._shape, self.stack.shape[3:])
            with closing(back):
                steps = self.work.predict(field, layout, back.put, self.should_stop)
                widths = yield from _counted(steps, done, total)
                if widths is None:
                    break
                back.finish()
            done += layout.count
            unlike, verdict = self.work.judge(field, widths)
            self.target.put_unlike(number, unlike)
            self.verdicts.append(verdict)
        return self._made()

    @property
    def _shape(self) -> tuple[int, int, int, int]:
        """S, Zout, Y, X as the model sees the image."""
        stains = len(self.work.model.stain_names)
        return (stains, self.work.cut.depth_out(self.seen.shape[2]), *self.seen.shape[3:])

    def _made(self) -> StainPrediction:
        count, names = len(self.verdicts), self.work.model.stain_names
        step = tuple(STEP * own / other for own, other in zip(self.stack.shape[3:], self.seen.shape[3:], strict=True))
        times = self.times[:count]
        facts: dict[str, Any] = {"stains": list(names), "times": list(times), "step": list(step)}
        made = self.target.finish(count, facts)
        notes = () if count == len(self.times) else (_stopped(count, len(self.times)),)
        return StainPrediction(
            names, made.mean, made.uncertainty, made.unlike, (step[0], step[1]), tuple(self.verdicts), times, notes,
            bool(notes), made.keep,
        )  # fmt: skip


def _counted(
    steps: Generator[int, None, NDArray[np.float32] | None], done: int, total: int
) -> Generator[BatchDone, None, NDArray[np.float32] | None]:
    while True:
        try:
            done += next(steps)
        except StopIteration as end:
            widths: NDArray[np.float32] | None = end.value
            return widths
        yield BatchDone("predicting", done, total)


def _times(stack: ImageStack, times: Sequence[int] | None) -> tuple[int, ...]:
    count = stack.shape[0]
    chosen = tuple(range(count) if times is None else times)
    wrong = [t for t in chosen if not 0 <= t < count]
    if wrong or not chosen:
        what = f"no time point {wrong[0]}" if wrong else "to be predicted, but no time points were chosen"
        raise ImageError(f"'{stack.name}' has {what}. Choose from 0 to {count - 1}.")
    return chosen


def _stopped(count: int, total: int) -> str:
    if total == 1 or not count:
        return "Stopped before a time point was whole, so nothing was kept."
    return f"Stopped after {count} of {total} time points; these are whole and were kept."


def _among(number: int, count: int, event: Note | BatchDone) -> Note | BatchDone:
    """Tell a step of one of several models as part of all."""
    if isinstance(event, Note):
        return event
    return BatchDone(event.what, number * event.total + event.done, count * event.total)
