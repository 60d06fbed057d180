"""Features of whole images: found again where nothing has changed, measured anew where anything has."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_cellstage.core.snapshot import ImageSnapshot
from napari_cellstage.learn import feature_tables, predict_image
from napari_cellstage.learn.data import TrainingSet
from napari_cellstage.learn.feature_tables import FeatureTables, table_key
from napari_cellstage.learn.fit import fit
from napari_cellstage.learn.predict import predict_snapshot
from napari_cellstage.learn.quick import measure_of
from napari_cellstage.learn.recipe import Recipe
from napari_cellstage.sample_data import cell_cycle_field
from napari_cellstage.session import Session

QUICK = Recipe.load("quick").but(crop_size=32, threads=1, weights="none")


@pytest.fixture
def session(tmp_path):
    made = Session(home=tmp_path / "home")
    field = cell_cycle_field(size=256, cells=14)
    made.add_image(field.stack)
    made.set_labels(field.labels)
    made.use_template("cell cycle")
    for row in range(len(made.cells())):
        made.label_cells([row], 1 + row % 2)
    yield made
    made.close()


@pytest.fixture
def model(session, run):
    return run(fit(TrainingSet.from_snapshot(session.snapshot(), QUICK), QUICK))[1]


@pytest.fixture
def tables(tmp_path):
    return FeatureTables(tmp_path / "cache")


def predicted(model, session, tables, run):
    answers = run(predict_snapshot(model, session.snapshot(), tables=tables))[1]
    return answers[session.current_id]


def test_what_was_measured_needs_no_pixel_the_second_time(model, session, tables, run, monkeypatch):
    first = predicted(model, session, tables, run)

    class NoKnife:
        def __init__(self, *_):
            raise RuntimeError("cells were cut again")

    monkeypatch.setattr(predict_image, "Cutter", NoKnife)
    again = predicted(model, session, tables, run)
    assert np.allclose(first.probabilities, again.probabilities, atol=1e-6)
    assert np.array_equal(first.embedding, again.embedding)
    session.label_cells([0], 2)  # labels are no pixels
    predicted(model, session, tables, run)
    session.add_cell(0, 0, 5, 5)
    with pytest.raises(RuntimeError, match="cut again"):
        predicted(model, session, tables, run)
    session.undo()  # painted and painted back: nobody looks whether the pixels are as they were
    with pytest.raises(RuntimeError, match="cut again"):
        predicted(model, session, tables, run)


def test_other_cells_are_measured_anew(model, session, tables, run):
    predicted(model, session, tables, run)
    session.set_labels(np.roll(session.labels()[:], 3, axis=3))
    moved = predicted(model, session, tables, run)
    fresh = predicted(model, session, None, run)
    assert np.allclose(moved.probabilities, fresh.probabilities, atol=1e-6)


def test_the_key_is_another_with_anything_that_decides(model, session):
    image: ImageSnapshot = session.snapshot().images[0]
    measure = measure_of(model)
    key = table_key(image, (0,), model.cutting, measure, True)
    others = [
        table_key(replace(image, content="x"), (0,), model.cutting, measure, True),
        table_key(image, (1,), model.cutting, measure, True),
        table_key(image, (0,), model.cutting.but(crop_size=48), measure, True),
        table_key(image, (0,), model.cutting.but(surroundings="masked"), measure, True),
        table_key(
            image,
            (0,),
            model.cutting,
            replace(measure, normalisation=replace(measure.normalisation, high=(9.0,))),
            True,
        ),
        table_key(image, (0,), model.cutting, measure, False),
        table_key(image, (0,), model.cutting, measure, True, (image.stack,)),
    ]
    assert len({key, *others}) == 1 + len(others)
    assert table_key(image, (0,), model.cutting.but(seed=5), measure, True) == key
    assert table_key(replace(image, content=""), (0,), model.cutting, measure, True) == ""


def test_damaged_files_and_other_counts_are_as_none(tables, tmp_path):
    tables.put("k", np.ones((3, 2), np.float32))
    assert np.array_equal(tables.get("k", 3), np.ones((3, 2)))
    assert tables.get("k", 4) is None
    assert tables.get("other", 3) is None
    (tmp_path / "cache" / "features" / "k.npy").write_bytes(b"\x93NUMPY broken")
    assert tables.get("k", 3) is None


def test_a_folder_that_can_not_be_written_costs_nothing_but_time(tmp_path):
    (tmp_path / "cache").write_text("a file where the folder is to be")
    tables = FeatureTables(tmp_path / "cache")
    tables.put("k", np.ones((3, 2), np.float32))
    assert tables.get("k", 3) is None


def test_the_oldest_make_room(tables, tmp_path, monkeypatch):
    import os

    monkeypatch.setattr(feature_tables, "LARGEST_FOLDER", 3000)
    for number, name in enumerate("abc"):
        tables.put(name, np.ones((3, 100), np.float32))
        os.utime(tmp_path / "cache" / "features" / f"{name}.npy", (number, number))
    tables.put("d", np.ones((3, 100), np.float32))
    assert tables.get("a", 3) is None
    assert tables.get("d", 3) is not None
