"""`napari-cellstage stain predict`: stains of images, by one model or several, each image into a file of its own."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from napari_cellstage.cli.answers import write_json
from napari_cellstage.cli.progress import Reporter, stop_on_interrupt
from napari_cellstage.cli.segmenting import chosen_scenes
from napari_cellstage.cli.stain_pairs import load_stain_model
from napari_cellstage.cli.writing import safe_name
from napari_cellstage.core.errors import CellStageError, ImageError, ModelError
from napari_cellstage.core.images import ImageStack, find_images
from napari_cellstage.core.label_companions import find_companions
from napari_cellstage.stain.channel_axes import with_channels
from napari_cellstage.stain.files import Answer, Predicted, check_place, verdict_lines, write_predicted
from napari_cellstage.stain.model import StainModel
from napari_cellstage.stain.predict import predict_many

SOME_NOT_USED = 3  # exit code


@dataclass(frozen=True)
class PredictChoices:
    """What `stain predict` is asked for, besides models and images.

    Parameters
    ----------
    out
        File; of several images a folder.
    uncertainty
        Whether it is written, too.
    inputs
        Channels, with commas between; None: those of the model.
    axes, scene
        Of the image, where its file does not say them; which of its scenes.
    device
        Where to predict; None: the best there is.
    overwrite
        Whether files that are there may be replaced.
    """

    out: Path
    uncertainty: bool = False
    inputs: str | None = None
    axes: str | None = None
    scene: str | None = None
    device: str | None = None
    overwrite: bool = False


@dataclass(frozen=True)
class _Models:
    """Models by the names of their runs."""

    names: tuple[str, ...]
    models: tuple[StainModel, ...]

    @property
    def stains(self) -> str:
        return ", ".join(name for model in self.models for name in model.stain_names)


def predict_stain_files(
    runs: Sequence[Path], images: Sequence[Path], choices: PredictChoices, *, as_json: bool
) -> None:
    """Predict the stains of images and write them; exit with 3 where some could not be used and the others were.

    Parameters
    ----------
    runs
        Run folders: all models look at each image.
    images
        Files, or folders of files.
    choices
        What is written, and where.
    as_json
        Whether to end with a line of JSON.

    Raises
    ------
    CellStageError
        If nothing could be written; of the only image the reason, of several the first one's.
    """
    models = _load(runs, choices.device)
    files = _files(images)
    many = len(files) > 1 or (choices.out.is_dir() and choices.out.suffix != ".zarr")
    places = _Places(choices.out, many, choices.overwrite)
    if not many:
        check_place(choices.out, choices.overwrite)
    reporter, start = Reporter(), time.perf_counter()
    done: list[dict[str, Any]] = []
    failed: list[tuple[Path, CellStageError]] = []
    with stop_on_interrupt(reporter.say) as should_stop:
        for file in files:
            if should_stop():
                break
            try:
                # What was written stays in the list where a later scene of the file fails.
                done.extend(_one_file(file, models, choices, places, reporter, should_stop))
            except CellStageError as error:
                failed.append((file, error))
                if many:
                    reporter.say(f"Not used: {file.name}: {error}")
    if failed and not done:
        raise failed[0][1]
    if as_json:
        left = [{"image": str(file), "why": str(error)} for file, error in failed]
        about = {"images": done, "not_used": left, "stains": models.stains.split(", "), "runs": list(map(str, runs))}
        write_json({"predicted": True, **about, "seconds": round(time.perf_counter() - start, 3)})
    if failed:
        raise typer.Exit(SOME_NOT_USED)


def _load(runs: Sequence[Path], device: str | None) -> _Models:
    names = tuple(run.resolve().name for run in runs)
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise ModelError(
            f"Two of the models are in folders named '{twice}'. Rename one, so that both can be told apart."
        )
    return _Models(names, tuple(load_stain_model(run, device) for run in runs))


def _files(images: Sequence[Path]) -> list[Path]:
    """Return the images that are named or lie in folders that are named, but for those of cells beside them."""
    found: list[Path] = []
    for image in images:
        files = find_images(image)
        if not files:
            raise ImageError(f"There is no image in '{image}'. Name an image, or a folder of images.")
        found += files if files == [image] else find_companions(files)[1]
    return list(dict.fromkeys(found))


def _one_file(
    file: Path, models: _Models, choices: PredictChoices, places: _Places, reporter: Reporter, should_stop: Any
) -> Iterator[dict[str, Any]]:
    """Predict each scene of a file; yields what JSON says of it."""
    stacks = chosen_scenes(file, choices.axes, choices.scene)
    for stack in stacks:
        place = places.of(file, stack, len(stacks))
        yield _one_image(stack, place, models, choices, reporter, should_stop)


class _Places:
    """Where each image of a call is written: no two at the same place, also where they lie in folders under one name.

    Parameters
    ----------
    out
        File; of several images a folder.
    many
        Whether there are several files.
    overwrite
        Whether files of an earlier call may be replaced.
    """

    def __init__(self, out: Path, many: bool, overwrite: bool) -> None:
        self._out, self._many, self._overwrite = out, many, overwrite
        self._taken: set[Path] = set()

    def of(self, file: Path, stack: ImageStack, scenes: int) -> Path:
        """Return the place of one image, which is free or may be replaced."""
        if not self._many and scenes == 1:
            return self._out
        if self._out.is_file() or self._out.suffix:
            raise ImageError(f"There are several images, but --out '{self._out}' names one file. Name a folder.")
        place = next(one for one in self._names(file, stack) if one not in self._taken)
        self._taken.add(place)
        check_place(place, self._overwrite)
        return place

    def _names(self, file: Path, stack: ImageStack) -> Iterator[Path]:
        stem = safe_name(stack.name.rpartition("/")[2]).removesuffix(".tif").removesuffix(".ome")
        for name in (
            stem,
            f"{safe_name(file.parent.name)}_{stem}",
            *(f"{stem}_{number}" for number in range(2, 10_000)),
        ):
            yield self._out / f"{name}_predicted.ome.tif"


def _one_image(
    stack: ImageStack, place: Path, models: _Models, choices: PredictChoices, reporter: Reporter, should_stop: Any
) -> dict[str, Any]:
    inputs = None if choices.inputs is None else [one.strip() for one in choices.inputs.split(",")]
    stack = with_channels(stack, [inputs or model.input_names for model in models.models])
    reporter.say(f"{stack.name}: {models.stains}")
    found = reporter.follow(predict_many(models.models, stack, inputs=inputs, should_stop=should_stop), "predicting")
    answers = [
        Answer(name, one, model.input_names)
        for name, one, model in zip(models.names, found, models.models, strict=False)
    ]
    predicted = Predicted(stack, answers, uncertainty=choices.uncertainty)
    write_predicted(predicted, place, choices.overwrite)
    for answer in answers:
        for line in verdict_lines(answer):
            reporter.say(f"  {answer.run}: {line}")
    reporter.say(f"  {', '.join(predicted.names)}, predicted and not measured, saved in {place}")
    return _answer(stack, place, predicted)


def _answer(stack: ImageStack, place: Path, predicted: Predicted) -> dict[str, Any]:
    verdicts = {
        one.run: [
            {"t": t} | said.to_dict() for t, said in zip(one.prediction.times, one.prediction.verdicts, strict=True)
        ]
        for one in predicted.answers
    }
    notes = [note for one in predicted.answers for note in one.prediction.notes]
    about = {"image": stack.name, "file": str(place), "channels": list(predicted.names), "shape": list(predicted.shape)}
    return about | {"verdicts": verdicts, "notes": notes, "times": list(predicted.times)}
