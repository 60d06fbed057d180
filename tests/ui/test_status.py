"""What the status bar says about a cell."""

from dataclasses import replace

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_cellstage.core.image_facts import ImageFacts
from napari_cellstage.core.predictions import Predictions
from napari_cellstage.session import Session
from napari_cellstage.ui.status import describe_cell
from napari_cellstage.ui.viewer_link import ViewerLink


def give(session: Session, *row: float) -> None:
    table = np.full((len(session.cells()), 6), np.nan, dtype=np.float32)
    table[0] = row
    answer = Predictions(table, session.scheme.ids, np.zeros(len(table), dtype=np.uint8))
    session.set_predictions({session.current_id: answer}, session.snapshot().version)


def test_predicted_and_labelled(session: Session) -> None:
    give(session, 0.01, 0.0, 0.01, 0.93, 0.05, 0.0)
    session.label_cells([0], session.scheme.by_name("metaphase").id)
    assert describe_cell(session, 0) == "cell 1: metaphase 0.93, then anaphase 0.05 · labelled metaphase"


def test_without_prediction_or_label(session: Session) -> None:
    assert describe_cell(session, 1) == "cell 2 · not labelled"
    give(session, 0.6, 0.4, 0, 0, 0, 0)
    assert describe_cell(session, 1) == "cell 2 · not labelled"
    assert describe_cell(session, 0) == "cell 1: interphase 0.60, then prophase 0.40 · not labelled"


def test_napari_s_text_for_a_position_gives_way_and_messages_stay(
    model: ViewerModel, session: Session, link: ViewerLink, mouse
) -> None:
    mouse.move(4, 16)
    model.status = {"layer_base": "field", "coordinates": "[4 16]"}
    assert model.status == "cell 2 · not labelled"
    model.status = "a message"
    assert model.status == "a message"
    mouse.move(0, 0)
    model.status = {"layer_base": "field"}
    assert model.status == {"layer_base": "field"}


def test_the_status_bar_is_given_back(model: ViewerModel, session: Session, mouse) -> None:
    link = ViewerLink(model, session)
    mouse.move(4, 16)
    link.close()
    model.status = {"layer_base": "field"}
    assert model.status == {"layer_base": "field"}


@pytest.mark.parametrize(
    ("origin", "said"),
    [
        ("hand", ""),
        ("image", ", given to the image"),
        ("well", ", given to well B03"),
        ("track", ", given to its track"),
        ("folder", ", from its folder"),
        ("import", ", imported"),
        ("accepted", ", as the model had it"),
    ],
)
def test_where_a_label_came_from_is_said(session: Session, origin: str, said: str) -> None:
    session.set_facts({session.current_id: ImageFacts(well="B03")})
    session.label_cells([0], 1, origin=origin)
    assert describe_cell(session, 0) == f"cell 1 · labelled interphase{said}"


def test_a_cell_unlike_the_training_cells_is_not_named(session: Session) -> None:
    give(session, 0.01, 0.0, 0.01, 0.93, 0.05, 0.0)
    found = session.predictions()
    unlike = np.zeros(len(session.cells()), dtype=np.float32)
    unlike[0] = 1.7
    answer = replace(found, unlike=unlike)
    session.set_predictions({session.current_id: answer}, session.snapshot().version)
    said = "cell 1: unlike the cells it was trained on (nearest: metaphase 0.93) · not labelled"
    assert describe_cell(session, 0) == said


def test_a_cell_that_is_set_aside_says_so(session: Session) -> None:
    session.set_audit(len(session.cells()) - 1)
    told = [describe_cell(session, row) for row in range(len(session.cells()))]
    assert [one.endswith("set aside for the final check") for one in told] == session.audit_mask().tolist()
