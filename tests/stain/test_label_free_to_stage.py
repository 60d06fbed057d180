"""From label-free to stage, with the public API: phase contrast, predicted DNA, nuclei found, cells staged.

The images are the synthetic sample's. Networks see some fields, a person labels cells of others, and all figures are of
a field that no model has seen.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from napari_cellstage.core.segment import SegmentSettings, find_cells_in_stack
from napari_cellstage.learn.job import train_and_predict
from napari_cellstage.learn.recipe import Recipe
from napari_cellstage.sample_data import SampleField
from napari_cellstage.sample_stained import stained_field, unstained
from napari_cellstage.session import Session
from napari_cellstage.stain.job import StainTrained, train_stain
from napari_cellstage.stain.matched_cells import matches
from napari_cellstage.stain.model import StainModel
from napari_cellstage.stain.pairs import pairs_of_images
from napari_cellstage.stain.predict import predict_stains
from napari_cellstage.stain.recipe import StainRecipe

pytestmark = pytest.mark.timeout(600)

DNA = "DNA (predicted)"
STAGES = ("interphase", "mitosis")
# A predicted stain is patchier than a true one: smoother, nothing small, and not so readily split.
PATCHY: dict[str, Any] = {"smoothing": 2, "min_diameter": 14, "split": 0.8, "sensitivity": 0.8}
# A small network and few steps: seconds on one core. The recipe's own choices take minutes and do better.
SMALL = {
    "filters": 8, "levels": 4, "batch_size": 16, "epochs": 8, "patches": 240, "learning_rate": 6e-3, "average": 0.93,
    "rotate": False, "views": 1, "threads": 1, "device": "cpu",
}  # fmt: skip


def result(work: Generator[Any, None, Any]) -> Any:
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value


def learned(folder: Path) -> StainTrained:
    """Learn DNA from fields that have both channels."""
    stained = [stained_field(seed, size=320, cells=24).stack for seed in range(4)]
    pairs = pairs_of_images(stained, ["phase"], ["DNA"])
    made: StainTrained = result(train_stain(pairs, StainRecipe.load("stain-2d").but(**SMALL), lambda: folder))
    assert StainModel.load(folder).reached == {"DNA": pytest.approx(made.scores.stains[0].pearson)}
    return made


def with_nuclei(made: StainTrained, fields: Sequence[SampleField], project: Path) -> Session:
    """Open the fields as if nobody had stained them, predict their DNA, and find nuclei in it."""
    session = Session()
    session.new_project(project)
    session.add_images([unstained(field.stack) for field in fields])
    for image in session.images:
        session.set_current(image.image_id)
        assert session.current is not None
        session.add_stains(image.image_id, result(predict_stains(made.model, session.current)), made.folder)
        session.find_channel = session.channel_names.index(DNA)
        how = SegmentSettings(channel=session.find_channel, **PATCHY)
        session.set_labels(result(find_cells_in_stack(session.current, how)), found_in=DNA)
    return session


def true_stages(session: Session, field: SampleField) -> NDArray[np.str_]:
    """Return which of `STAGES` each cell of the current image is in, empty where there is none."""
    labels = session.labels()
    assert labels is not None
    known = np.array(field.truth_of(labels))
    return np.where(known == "", "", np.where(known == STAGES[0], *STAGES))


def f1(session: Session, field: SampleField) -> float:
    """Compare the nuclei of the current image with the true ones: the same where they overlap by half."""
    labels = session.labels()
    assert labels is not None
    same, true = len(matches(field.labels[0], np.asarray(labels[0]))), len(np.unique(field.labels)) - 1
    return 2 * same / (true + len(session.cells()))


def label_and_train(session: Session, fields: Sequence[SampleField]) -> None:
    """Label the cells of all images but the last, train the quick classifier, predict every cell."""
    for stage in STAGES:
        session.add_class(stage)
    session.network_channels = range(len(session.channel_names))
    for image, field in list(zip(session.images, fields, strict=True))[:-1]:
        session.set_current(image.image_id)
        truth = true_stages(session, field)
        for one in session.scheme:
            session.label_cells(np.flatnonzero(truth == one.name), one.id)
    work = session.snapshot()
    recipe = Recipe.load("quick").but(folds=0, threads=1, device="cpu")
    assert session.project is not None
    answer = result(train_and_predict(work, [recipe], session.project.runs))
    assert session.set_predictions(answer.predictions, work.version)


def test_label_free_to_stage(tmp_path: Path) -> None:
    made = learned(tmp_path / "dna-model")
    assert made.scores is not None
    dna = made.scores.stains[0]
    assert dna.pearson > max(0.5, dna.baseline)  # of a field that was held out; the baseline needs no network

    fields = [stained_field(seed, cells=50) for seed in (10, 11, 12)]
    session = with_nuclei(made, fields, tmp_path / "label-free")
    label_and_train(session, fields)

    unseen, truth = session.images[-1], fields[-1]
    session.set_current(unseen.image_id)
    assert session.channel_names == ("phase", DNA)
    assert session.found_in() == DNA
    assert f1(session, truth) > 0.5
    stages, predicted = true_stages(session, truth), session.table()["predicted"].to_numpy()
    recalls = [float(np.mean(predicted[stages == one] == one)) for one in STAGES]
    assert np.mean(recalls) > 0.65  # 0.5 by chance, whatever is guessed
    session.close()
