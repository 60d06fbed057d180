"""The table of what each person said: names of any kind stay text."""

from __future__ import annotations

import pandas as pd
import pytest

from napari_cellstage.core.exporting.people import COLUMNS
from napari_cellstage.core.exporting.source import ExportError
from napari_cellstage.core.safe_csv import read_csv
from napari_cellstage.learn.exports import ExportChoices, exporting
from napari_cellstage.session import Session
from tests.session.scene import grid, stack_for

NAMES = ('=HYPERLINK("x")', "+1", "-2", "@x", 'O\'Hara, "Bob"', "<b>Ada</b>", "a/b\\c", "🔬")


@pytest.fixture
def session(tmp_path):
    made = Session(tmp_path)
    made.use_template("cell cycle")
    made.add_class("=1+1")
    made.add_image(stack_for(grid()))
    made.set_labels(grid())
    yield made
    made.close()


def written(session, out):
    work = exporting(session.export_source(with_people=True), ExportChoices("people", out))
    try:
        while True:
            next(work)
    except StopIteration as done:
        return done.value


def test_names_stay_text_and_are_read_as_they_were(session, tmp_path):
    for place, name in enumerate(NAMES):
        session.annotator, session.blind = name, place % 2 == 0
        session.label_cells([place], session.scheme.ids[-1])
        session.blind = False

    found = written(session, tmp_path / "said.csv")

    raw = pd.read_csv(tmp_path / "said.csv", encoding="utf-8-sig")
    assert not any(str(one).startswith(("=", "+", "-", "@")) for column in ("who", "class") for one in raw[column])
    table = read_csv(tmp_path / "said.csv")
    assert tuple(table.columns) == COLUMNS
    assert table["who"].tolist() == list(NAMES)
    assert set(table["class"]) == {"=1+1"}
    assert table["cell_id"].tolist() == [str(place + 1) for place in range(len(NAMES))]
    assert found.cells == len(NAMES)
    assert found.notes == (f"{len(NAMES)} labels of {len(NAMES)} persons.",)


def test_blind_one_exports_only_what_one_said(session, tmp_path):
    session.annotator = "Ada"
    session.label_cells([0], 1)
    session.annotator, session.blind = "Bob", True
    session.label_cells([1], 2)

    written(session, tmp_path / "said.csv")

    assert read_csv(tmp_path / "said.csv")["who"].tolist() == ["Bob"]


def test_where_nobody_said_anything_it_is_a_sentence(session, tmp_path):
    session.label_images([1], 1)
    with pytest.raises(ExportError, match="Nobody has labelled a cell here one by one"):
        written(session, tmp_path / "said.csv")
    assert not (tmp_path / "said.csv").exists()
