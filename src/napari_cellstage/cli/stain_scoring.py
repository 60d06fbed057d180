"""`napari-cellstage stain evaluate`: a model's score on images with true stains that it was not trained on."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

from napari_cellstage.cli.answers import write_json
from napari_cellstage.cli.progress import Reporter, stop_on_interrupt
from napari_cellstage.cli.stain_answers import figures, score_lines
from napari_cellstage.cli.stain_pairs import PairChoices, load_stain_model
from napari_cellstage.cli.stain_tasks import Tasks
from napari_cellstage.stain.evaluate import evaluate_stain
from napari_cellstage.stain.learned_from import Fresh, fresh
from napari_cellstage.stain.model import StainModel
from napari_cellstage.stain.pairs import StainSet
from napari_cellstage.stain.registration import registered
from napari_cellstage.stain.splits import whole

_NAMED = 4
NO_TASKS = Tasks()


def evaluate_stains(
    run: Path, pairs: PairChoices, tasks: Tasks = NO_TASKS, *, device: str | None, as_json: bool
) -> None:
    """Score a model on the images that it has not learned from.

    Where it has learned from all of them, all are scored, and that is said.

    Parameters
    ----------
    run
        Run folder.
    pairs
        Images with their true stains.
    tasks
        What else is checked, on the same images.
    device
        Where to predict; None: the best there is.
    as_json
        Whether to end with a line of JSON.
    """
    model, judge, reporter = load_stain_model(run, device), tasks.judge(device), Reporter()
    wanted = pairs.for_model(model)
    data = wanted.read(reporter)
    if model.recipe.register:
        data = _moved(data, reporter)
    new = fresh(model.card["split"], data, by_group=wanted.group_from is not None)
    told = _told(new, data, model)
    for line in told:
        reporter.say(line)
    start = time.perf_counter()
    regions = new.regions or whole(data)
    tasks.check(model, data, regions)
    with stop_on_interrupt(reporter.say) as should_stop:
        work = evaluate_stain(model, data, regions, should_stop, train=new.train or None)
        scores = reporter.follow(work, "scoring")
        seconds = time.perf_counter() - start
        title = "on images not trained on" if new.regions else "on images that the model WAS trained on"
        for line in score_lines(scores, title):
            reporter.say(line)
        done = tasks.answer(model, data, regions, judge, reporter, should_stop)
    if as_json:
        counts = {
            "n_train": len({one["image"] for one in model.card["split"]["train"]}),
            "n_test": len({region.pair for region in regions}),
            "n_left_out": len(new.left_out) if new.regions else 0,
            "trained_on": not new.regions,
        }
        scores = replace(scores, notes=(*told, *scores.notes))
        write_json(figures(scores) | counts | done | {"seconds": round(seconds, 3), "run": str(run)})


def _moved(data: StainSet, reporter: Reporter) -> StainSet:
    """Return the stains moved as they were for the training."""
    moved = registered(data)
    for note in moved.notes[len(data.notes) :]:
        reporter.say(note)
    return moved


def _told(new: Fresh, data: StainSet, model: StainModel) -> list[str]:
    """Return what to say of images that the model has learned from."""
    if not new.regions:
        images = "The image is one" if len(data) == 1 else f"All {len(data)} images are ones"
        return [
            f"{images} that the model was trained on: the figures say how well it remembers, not how well it predicts. "
            "Give images that it has not seen."
        ]
    told = []
    if new.left_out:
        named = ", ".join(new.left_out[:_NAMED])
        more = f" and {len(new.left_out) - _NAMED} more" if len(new.left_out) > _NAMED else ""
        told.append(
            f"Left out {len(new.left_out)} of {len(data)} images: the model was trained on them or on their group "
            f"({named}{more})."
        )
    if parts := [one for one in new.regions if one.size != data.pairs[one.pair].shape[1:]]:
        images = "1 image is" if len(parts) == 1 else f"{len(parts)} images are"
        told.append(f"{images} scored on the part alone that the training of '{model.recipe.name}' held out.")
    return told
