"""The work of predicting stains for images, by one model or several, for a worker. No widgets."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_cellstage.core.errors import CellStageError
from napari_cellstage.core.reading.gather import Gathered, gather
from napari_cellstage.core.steps import relayed
from napari_cellstage.learn.events import BatchDone, Note
from napari_cellstage.ui.opening_work import counted
from napari_cellstage.ui.workers import ShouldStop

if TYPE_CHECKING:
    from napari_cellstage.core.image_stack import ImageStack
    from napari_cellstage.core.stain_files import KeptPrediction
    from napari_cellstage.core.stain_snapshot import StainImage, StainSnapshot
    from napari_cellstage.stain.model import StainModel

Work = Callable[[ShouldStop], Generator[Any, None, Any]]
_STEPS = 1000


@dataclass(frozen=True)
class Stained:
    """Stains of one image by one model: predictions on disk, or why there are none."""

    image_id: int
    name: str
    run: Path
    kept: KeptPrediction | None = None
    problem: str = ""


def applying(snapshot: StainSnapshot, runs: Sequence[Path]) -> Work:
    """Return the work of predicting the stains of all images of a snapshot by these models; it yields `Stained`."""

    def work(should_stop: ShouldStop) -> Generator[Any, None, None]:
        from threadpoolctl import threadpool_limits

        import napari_cellstage.learn.torch_start  # noqa: F401 - torch, in the way that survives an open viewer
        from napari_cellstage.learn.device import cpu_count
        from napari_cellstage.stain.model import StainModel

        yield BatchDone("loading the model", 0, 0)
        models = [StainModel.load(run) for run in runs]
        with threadpool_limits(max(1, cpu_count() - 1)):
            for place, image in enumerate(snapshot.images):
                for number, (run, model) in enumerate(zip(runs, models, strict=True)):
                    if should_stop():
                        return
                    part = _Part(place * len(runs) + number, len(snapshot.images) * len(runs), image.name)
                    yield from _one(snapshot, image, run, model, part, should_stop)

    return work


@dataclass(frozen=True)
class _Part:
    """Which part of the whole work some progress is of."""

    place: int
    count: int
    name: str

    def of(self, event: BatchDone) -> BatchDone:
        done = self.place * _STEPS + _STEPS * event.done // max(1, event.total)
        return BatchDone(f"predicting {self.name}", done, self.count * _STEPS)


def _one(
    snapshot: StainSnapshot, image: StainImage, run: Path, model: StainModel, part: _Part, should_stop: ShouldStop
) -> Generator[Any, None, None]:
    """Predict one image by one model; what is wrong with it does not keep the others from theirs."""
    stack = image.opened()
    if stack is None:
        yield Stained(image.image_id, image.name, run, problem="its file can't be opened.")
        return
    try:
        prediction = yield from _predicted(model, stack, part, should_stop)
        if prediction.stopped:
            yield Note(f"Stopped: '{image.name}' keeps what it had.")
            return
        kept = snapshot.keep(image.image_id, prediction)
        yield Stained(image.image_id, image.name, run, kept)
    except CellStageError as error:
        yield Stained(image.image_id, image.name, run, problem=str(error))


def _predicted(model: StainModel, stack: ImageStack, part: _Part, should_stop: ShouldStop) -> Generator[Any, None, Any]:
    from napari_cellstage.stain.predict import predict_stains

    steps = predict_stains(model, stack, should_stop=should_stop)
    return (yield from relayed(steps, lambda event: part.of(event) if isinstance(event, BatchDone) else event))


def opening(files: Sequence[Path], answers: Mapping[str, str]) -> Work:
    """Return the work of opening image files, whose result is a `Gathered`: empty where it was stopped.

    The answers are axes that were given before to files that do not say, as for `gather`.
    """

    def work(should_stop: ShouldStop) -> Generator[Any, None, Gathered]:
        opened = yield from counted(gather(files, answers, should_stop, with_series=False))
        return Gathered() if should_stop() else opened

    return work
