"""Cells in order over all images: by which model, whose labels count, which cells are scored."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file
from scipy.stats import spearmanr

from napari_cellstage.core.errors import ModelError
from napari_cellstage.core.image_facts import ImageFacts
from napari_cellstage.core.predictions import NEITHER, TRAINED, Predictions
from napari_cellstage.core.review.pseudotime import PseudotimeError
from napari_cellstage.core.review.space import Space
from napari_cellstage.learn.spaces import read_space
from napari_cellstage.session import Session
from tests.session.scene import grid, stack_for

EACH = 9  # cells of an image


@pytest.fixture
def four(session: Session) -> Session:
    """Four images of nine cells, on an arc in the order of images and rows; all labelled, by three classes."""
    session.use_template("exposure")
    for image in range(4):
        image_id = session.add_image(stack_for(grid(), f"image {image}", image))
        session.set_labels(grid(), image_id)
        for row in range(EACH):
            session.label_cells([row], 1 + (image * EACH + row) * 3 // (4 * EACH), image_id)
    return session


def place(session: Session, part: int = NEITHER, run: str = "r", width: int = 4) -> np.ndarray:
    """Predict all cells; return where each is on the arc."""
    places = np.arange(4 * EACH) / (4 * EACH)
    embedding = np.random.default_rng(0).normal(0, 0.02, (len(places), width)).astype(np.float16)
    embedding[:, 0] += np.cos(2 * places).astype(np.float16)
    embedding[:, 1] += np.sin(2 * places).astype(np.float16)
    chances = np.full((EACH, 3), 1 / 3, dtype=np.float32)
    for number, one in enumerate(session.images):
        session.set_current(one.image_id)
        mine = embedding[number * EACH : (number + 1) * EACH]
        said = Predictions(chances, session.scheme.ids, np.full(EACH, part, np.uint8), run, mine)
        assert session.set_predictions({one.image_id: said}, session.snapshot().version)
    return places


def test_without_a_prediction_there_is_no_order(four: Session) -> None:
    with pytest.raises(PseudotimeError, match="Train once"):
        four.cell_order()


def test_cells_of_all_images_are_ordered_and_scored_by_image(four: Session) -> None:
    places = place(four)
    found = four.cell_order()()
    assert spearmanr(found.time, places).statistic > 0.98
    assert found.score is not None
    assert (found.score.n, found.score.groups, found.score.seen) == (36, 4, False)
    assert found.score.order.names == ("0", "0.1", "1")


def test_cells_that_the_model_was_trained_on_are_scored_with_a_caution(four: Session) -> None:
    place(four, TRAINED)
    score = four.cell_order()().score
    assert score is not None
    assert score.seen


def test_cells_set_aside_have_a_place_and_no_say(four: Session) -> None:
    place(four)
    aside = four.set_audit(8)
    found = four.cell_order()()
    assert np.isfinite(found.time).all()
    assert found.score is not None
    assert found.score.n == 36 - len(aside)


def test_an_order_that_is_known_is_scored_again_only(four: Session) -> None:
    place(four)
    first = four.cell_order()()
    four.label_cells([0, 1, 2], 0, four.images[0].image_id)
    again = four.cell_order(first.found)()
    assert again.found is first.found
    assert again.score is not None
    assert again.score.n == 33


def test_cells_are_turned_to_where_the_runs_classes_differ(four: Session) -> None:
    assert four.project is not None
    places = place(four, run="the run")
    table = four.review_table()
    assert table.embedding is not None
    # A run whose classes differ along the second axis only.
    labels = (places > 0.4).astype(int) + (places > 0.7)
    noise = np.random.default_rng(1).normal(0, 0.1, (36, 4)).astype(np.float32)
    noise[:, 1] += labels
    space = Space.fit(noise, np.arange(36), labels=labels)
    folder = four.project.runs / "the run"
    folder.mkdir(parents=True)
    save_file({name: np.ascontiguousarray(a) for name, a in space.arrays().items()}, folder / "weights.safetensors")
    plain = four.cell_order()().found
    (folder / "weights.safetensors").unlink()
    other = four.cell_order()().found
    assert not np.allclose(plain.time, other.time)


def test_a_space_is_read_without_its_network_and_a_damaged_file_is_said(tmp_path: Path) -> None:
    features = np.random.default_rng(0).normal(size=(30, 5)).astype(np.float32)
    space = Space.fit(features, np.arange(30))
    arrays = {**space.arrays(), "layer.weight": np.ones((3, 3), np.float32)}
    assert read_space(tmp_path) is None
    save_file({name: np.ascontiguousarray(a) for name, a in arrays.items()}, tmp_path / "weights.safetensors")
    found = read_space(tmp_path)
    assert found is not None
    assert np.array_equal(found.turn, space.turn)
    (tmp_path / "weights.safetensors").write_bytes(b"not whole")
    with pytest.raises(ModelError, match="damaged or cut short"):
        read_space(tmp_path)


def test_asking_for_the_order_leaves_a_training_that_is_under_way_its_answers(four: Session) -> None:
    place(four)
    training, image_id = four.snapshot(), four.images[0].image_id
    answer = four.predictions(image_id)
    assert answer is not None
    for _ in range(10):
        four.cell_order()
    assert four.set_predictions({image_id: answer}, training.version)


def test_cells_of_one_movie_are_drawn_together_and_classes_left_out_have_no_say(four: Session) -> None:
    place(four)
    four.set_facts({one.image_id: ImageFacts(plate="P", well=f"A0{1 + n // 2}") for n, one in enumerate(four.images)})
    four.split_by = "well"
    score = four.cell_order()().score
    assert score is not None
    assert score.groups == 2
    four.left_out = (four.scheme.ids[2],)
    fewer = four.cell_order()().score
    assert fewer is not None
    assert fewer.n == 24
