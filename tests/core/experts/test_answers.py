"""Tables of experts' answers: read in any form, and what can't be used named, never guessed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_cellstage.core.classes import UNLABELLED, ClassScheme
from napari_cellstage.core.experts.cell_names import NamedImage, project_names
from napari_cellstage.core.experts.checking import AMBIGUOUS, check_answers, names_of
from napari_cellstage.core.experts.lines import AnswerLine, AnswerLines, AnswersError, read_answers
from tests.session.scene import grid

DOSES = ClassScheme.from_names(("0", "0.1", "1"))
CELLS = {"a.tif": 0, "b.tif": 1, "c.tif": 2, "twin.tif": AMBIGUOUS}


def lines(*rows: tuple[str, str, str]) -> AnswerLines:
    return AnswerLines(tuple(AnswerLine(f"t.csv, line {n}", *row) for n, row in enumerate(rows, 2)))


def table(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_any_separator_encoding_and_capitals(tmp_path, separator, encoding):
    rows = [("CELL", "Person", " answer "), ("a.tif", "Zoë", "0.1"), ("b.tif", "Zoë", ""), ("", "", "")]
    file = table(tmp_path / "t.csv", "\r\n".join(separator.join(row) for row in rows), encoding)
    found = read_answers([file])
    assert found.lines == (AnswerLine("t.csv, line 2", "a.tif", "Zoë", "0.1"),)
    assert found.empty == 1


def test_the_columns_of_an_export_name_image_time_and_cell(tmp_path):
    file = table(tmp_path / "p.csv", "image,image_id,t,cell_id,who,class,at\nf.tif,3,0,12,Ada,G1,2026\n")
    assert read_answers([file]).lines[0].cell == "3/0/12"
    without_t = table(tmp_path / "q.csv", "image;cell_id;who;class\nf.tif;12;Ada;G1\n")
    assert read_answers([without_t]).lines[0].cell == "f.tif/12"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cell,answer\na,0\n", "has no column 'person'. Its first line has: cell, answer"),
        ("person,answer\nAda,0\n", "has no column 'cell'"),
        ("cell,person\na,Ada\n", "has no column 'answer'"),
        ("", "is empty. Choose a table with the columns cell, person, answer"),
        ("cell,person,answer\na,Ada,\n", "hold no answer: the column 'answer' is empty"),
    ],
)
def test_tables_that_can_not_be_used_are_said(tmp_path, text, message):
    with pytest.raises(AnswersError) as error:
        read_answers([table(tmp_path / "t.csv", text)])
    assert message in str(error.value)
    assert "t.csv" in str(error.value)


def test_a_spreadsheet_and_a_missing_file_are_said_as_answers_not_as_plate_maps(tmp_path):
    (tmp_path / "t.csv").write_bytes(b"PK\x03\x04rest")
    for file in (tmp_path / "t.csv", tmp_path / "none.csv"):
        with pytest.raises(AnswersError) as error:
            read_answers([file])
        assert "plate" not in str(error.value)


def test_what_is_amiss_is_counted_and_named_with_its_line():
    found = check_answers(
        lines(
            ("a.tif", "Ada", "0"),
            ("x.tif", "Ada", "0"),
            ("b.tif", "Ada", "2"),
            ("b.tif", "", "0"),
            ("twin.tif", "Ada", "0"),
            ("c.tif", "Ada", "1"),
            ("c.tif", "ada ", "1"),
            ("a.tif", "Bo", "0"),
            ("a.tif", "Bo", "1"),
            ("b.tif", "Bo", "0.1"),
        ),
        CELLS, 3, DOSES,
    )  # fmt: skip
    assert found.names == ("Ada", "Bo")
    assert found.class_ids.tolist() == [[1, 0], [0, 2], [3, 0]]
    text = "\n".join(found.sentences)
    assert "3 answers of 2 persons to 3 cells: Ada 2, Bo 1." in text
    assert "'x.tif' (t.csv, line 3)" in text
    assert "with none of the classes 0, 0.1, 1: '2' (t.csv, line 4)" in text
    assert "without a person: t.csv, line 5" in text
    assert "by a name that several have: 'twin.tif' (t.csv, line 6)" in text
    assert "given twice in the same way, counted once: 'c.tif' by Ada (t.csv, line 7; t.csv, line 8)" in text
    assert "none of them counts: 'a.tif' by Bo (t.csv, line 9; t.csv, line 10): '0' and '1'" in text
    assert "'ada ' is taken for 'Ada'" in text
    assert "lacking are of: Ada 1, Bo 2" in text


def test_a_person_of_the_project_is_spelt_as_there():
    assert check_answers(lines(("a.tif", "ADA", "0")), CELLS, 3, DOSES, ["Ada"]).names == ("Ada",)


def test_when_nothing_can_be_used_it_says_why():
    with pytest.raises(AnswersError, match=r"No answer can be used\. Not taken: 1 answer .* 'x.tif' \(t.csv, line 2\)"):
        check_answers(lines(("x.tif", "Ada", "0")), CELLS, 3, DOSES)


ROW = st.tuples(st.sampled_from(["a.tif", "b.tif", "c.tif"]), st.sampled_from(["Ada", "Bo"]), st.sampled_from("01"))


@settings(deadline=None)
@given(st.lists(ROW, min_size=1, max_size=20))
def test_an_answer_counts_where_a_person_says_one_thing_of_a_cell_and_only_there(rows):
    said: dict[tuple[str, str], set[str]] = {}
    for cell, person, answer in rows:
        said.setdefault((cell, person), set()).add(answer)
    expected = {key: next(iter(one)) for key, one in said.items() if len(one) == 1}
    if not expected:
        with pytest.raises(AnswersError):
            check_answers(lines(*rows), CELLS, 3, DOSES)
        return
    found = check_answers(lines(*rows), CELLS, 3, DOSES)
    names = {place: name for name, place in CELLS.items()}
    id_of = {one.id: one.name for one in DOSES}
    got = {
        (names[cell], found.names[who]): id_of[found.class_ids[cell, who]]
        for cell, who in zip(*np.nonzero(found.class_ids != UNLABELLED), strict=True)
    }
    assert got == expected


def test_cells_of_a_project_are_called_as_its_exports_call_them():
    from napari_cellstage.core.cells import CellTable

    cells = CellTable.from_labels(grid(side=1, frames=2))
    twice = (NamedImage(1, "f.tif", cells), NamedImage(4, "f.tif", cells))
    at = names_of(project_names(twice))
    assert at["1/0/1"] == 0
    assert at["4/1/2"] == 3
    assert at["f.tif/0/1"] == AMBIGUOUS  # two images of one name
    assert at["f_t001_c00002.tif"] == 1
    assert at["f (2)_t000_c00001"] == 2
    files = np.array(["0/x.tif", "1/x.tif"])
    assert names_of(project_names([NamedImage(1, "s", cells, files)]))["x.tif"] == AMBIGUOUS
