"""Plate maps as people save them, and what they say of images."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from napari_cellstage.core.errors import PlateError
from napari_cellstage.core.image_facts import ImageFacts, row_name, well_at
from napari_cellstage.core.plate_map import PlateMap, read_plate_map
from napari_cellstage.core.plate_placing import place_on

LIST = "well,treatment,dose\nA1,DMSO,0\nB03,nocodazole,0.1 µM\n"
READ = {
    ("", "A01"): ImageFacts(well="A01", treatment="DMSO", dose="0"),
    ("", "B03"): ImageFacts(well="B03", treatment="nocodazole", dose="0.1 µM"),
}


@pytest.fixture
def saved(tmp_path: Path):
    """Return a function that saves text as a plate map and reads it."""

    def save(text: str | bytes, name: str = "map.csv") -> PlateMap:
        raw = text if isinstance(text, bytes) else text.encode()
        (tmp_path / name).write_bytes(raw)
        return read_plate_map(tmp_path / name)

    return save


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "latin-1", "cp1252"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_any_encoding_and_separator_is_read(saved, encoding, separator):
    found = saved(LIST.replace(",", separator).encode(encoding))
    assert found.wells == READ
    assert found.problems == ()


@pytest.mark.parametrize("ends", ["\r\n", "\r"])
def test_any_line_ending_is_read(saved, ends):
    assert saved(LIST.replace("\n", ends)).wells == READ


def test_headers_go_by_many_names_and_bring_their_unit(saved):
    found = saved("Run of 12 May\n\nPosition;Compound;Conc. [nM];Rep;Barcode\nb-3;noc;0,5;2;P1\nA1;DMSO;0;1;P1\n")
    assert found.wells["P1", "B03"] == ImageFacts("P1", "B03", "", "noc", "0.5 nM", "2")
    assert found.wells["P1", "A01"].dose == "0 nM"
    assert found.plates == ("P1",)


@pytest.mark.parametrize("head", ["dose_uM", "Dose (µM)", "concentration, uM", "dose [uM]"])
def test_a_unit_is_found_in_the_title(saved, head):
    assert saved(f'well,"{head}"\nA1,2\n').wells["", "A01"].dose == "2 µM"


def test_a_column_of_units_and_rows_and_columns_apart(saved):
    found = saved("row,column,dose,unit\nB,3,2,nM\n2,4,1 µM,nM\n")
    assert {well: facts.dose for (_plate, well), facts in found.wells.items()} == {"B03": "2 nM", "B04": "1 µM"}


GRID = "plate: P1\ntreatment,1,2,3\nA,DMSO,noc,noc\nB,,noc,tax\n\ndose (nM),1,2,3\nA,0,100,1000\nB,,10,1e3\n"


def test_grids_are_read_one_below_the_other(saved):
    found = saved(GRID)
    assert found.wells["P1", "B02"] == ImageFacts("P1", "B02", "", "noc", "10 nM")
    assert found.wells["P1", "B03"].dose == "1000 nM"
    assert ("P1", "B01") not in found.wells
    assert found.problems == ()


def test_a_grid_without_a_title_is_of_doses_when_all_are_numbers(saved):
    assert saved(",1,2\nA,0,10\nB,1,2\n").wells["", "A02"].dose == "10"
    assert saved(",1,2\nA,DMSO,10\nB,1,2\n").wells["", "A01"].treatment == "DMSO"
    assert saved("replicate,,\n,1,2\nA,1,2\n").wells["", "A02"].replicate == "2"
    assert saved("donor,,\n,1,2\nA,p7,p8\n").wells["", "A02"].donor == "p8"


def test_a_column_of_patients_is_of_donors(saved):
    assert saved("well;Patient ID\nB3;p 7\n").wells["", "B03"] == ImageFacts(well="B03", donor="p 7")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20, deadline=None)
@given(st.sampled_from([(8, 12), (16, 24), (32, 48)]), st.data())
def test_every_well_of_a_grid_comes_back(saved, shape, data):
    rows, columns = shape
    doses = data.draw(st.lists(st.integers(0, 999), min_size=rows * columns, max_size=rows * columns))
    lines = [",".join(["dose", *map(str, range(1, columns + 1))])]
    lines.extend(
        ",".join([row_name(row + 1), *map(str, doses[row * columns : (row + 1) * columns])]) for row in range(rows)
    )
    found = saved("\n".join(lines))
    wanted = {("", well_at(i // columns + 1, i % columns + 1)): str(dose) for i, dose in enumerate(doses)}
    assert {place: facts.dose for place, facts in found.wells.items()} == wanted


BAD_ROWS = {
    "Q77,noc,1": "row 4: there is no well 'Q77', so the row is left out. Write a letter and a number, such as B03.",
    ",noc,1": "row 4: the well is missing, so the row is left out.",
    "A1,noc,0": "row 4: well A01 has treatment 'noc' here and 'DMSO' in row 2; the first is used. Delete one",
    "A2,noc,=A1*2": "row 4: '=A1*2' in 'dose' is a formula, not its result, and stays text. Save the table as CSV",
    "A2,#N/A,1": "row 4: '#N/A' in 'treatment' is an error of the spreadsheet and is left empty. Mend it there.",
    'A2,noc,"1,000"': "row 4: '1,000' in 'dose' may be a thousand or one and stays text. Write 1000 or 1.",
    "A2,noc,": "'map.csv': no dose for 1 well: A02. Fill the cells in if there was one.",
}


@pytest.mark.parametrize("row", BAD_ROWS)
def test_each_bad_row_is_a_sentence_and_the_rest_goes_on(saved, row):
    found = saved(LIST + row + "\nC1,tax,5\n")
    assert any(BAD_ROWS[row] in said and "'map.csv'" in said for said in found.problems), found.problems
    assert found.wells["", "C01"] == ImageFacts(well="C01", treatment="tax", dose="5")
    assert found.wells["", "A01"] == READ["", "A01"]


def test_the_same_row_twice_is_no_problem(saved):
    assert saved(LIST + "A01,DMSO,0.0\n").problems == ()


def test_columns_that_are_not_used_are_named(saved):
    assert saved("well,dose,who\nA1,1,me\n").problems == ("'map.csv', row 1: columns that are not used: who.",)


BAD_FILES = {
    b"": "is empty. Choose a table that has a column 'well'",
    b"\n ,,\n": "is empty",
    b"PK\x03\x04rest": "is a spreadsheet file, whatever its ending. In Excel or LibreOffice save the sheet as CSV",
    b"\xd0\xcf\x11\xe0rest": "is a spreadsheet file",
    b"\x00\x01\x02\x00\x81": "is no text, so it is no plate map. Choose a CSV or TSV file.",
    b"name,dose\nx,1\n": "has no column 'well' and is no grid of wells. Its first row is: name, dose.",
    b"well,dose\nZZ99,1\n": "No row of the plate map",
    b"well,dose\n": "No row of the plate map",
}


@pytest.mark.parametrize("raw", BAD_FILES)
def test_a_file_that_is_no_plate_map_is_a_sentence_with_its_name(saved, raw):
    with pytest.raises(PlateError, match=re.escape(BAD_FILES[raw])) as caught:
        saved(raw)
    assert "map.csv" in str(caught.value)


def test_a_missing_file_and_a_huge_one_are_sentences(tmp_path):
    with pytest.raises(PlateError, match=r"none\.csv' can't be read: no such file"):
        read_plate_map(tmp_path / "none.csv")
    with (tmp_path / "huge.csv").open("wb") as file:
        file.truncate(30_000_000)
    with pytest.raises(PlateError, match="has 30,000,000 bytes, far more than a plate map"):
        read_plate_map(tmp_path / "huge.csv")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@example(b"\x0b")
@given(st.binary(max_size=200) | st.text(alphabet='A1B2,;\t\n"=#well dose', max_size=200).map(str.encode))
def test_any_bytes_are_read_or_a_sentence(tmp_path, raw):
    (tmp_path / "any.csv").write_bytes(raw)
    try:
        found = read_plate_map(tmp_path / "any.csv")
    except PlateError as error:
        found = None
        said = str(error)
    assert "any.csv" in said if found is None else found.wells


def placed(wells: dict, images: dict[int, ImageFacts]):
    return place_on(PlateMap(Path("map.csv"), wells), images, {i: f"image {i}" for i in images})


def test_images_find_their_wells_and_what_is_missing_is_said():
    images = {1: ImageFacts(well="A01", field="2"), 2: ImageFacts(), 3: ImageFacts(well="H12")}
    found = placed(READ, images)
    assert found.facts == {1: ImageFacts(well="A01", field="2", treatment="DMSO", dose="0")}
    assert found.problems == (
        "No well yet for 1 image: image 2. Read wells from the file names first.",
        "Imaged, but not in the map: 1 well: H12. Add them to it, or leave their images without treatment.",
        "In the map, but without images: 1 well: B03.",
    )


def test_one_plate_on_each_side_is_the_same_plate():
    wells = {("P1", "A01"): ImageFacts("P1", "A01", dose="1")}
    found = placed(wells, {1: ImageFacts(plate="run 3", well="A01")})
    assert found.facts == {1: ImageFacts("run 3", "A01", dose="1")}
    assert found.problems == ("The map's plate 'P1' is taken to be the images' plate 'run 3'.",)
    assert placed(wells, {1: ImageFacts(well="A01")}).facts == {1: ImageFacts("P1", "A01", dose="1")}


def test_of_several_plates_each_image_needs_its_own():
    wells = {(p, "A01"): ImageFacts(p, "A01", dose=d) for p, d in (("P1", "1"), ("P2", "2"))}
    images = {1: ImageFacts("p2", "A01"), 2: ImageFacts(well="A01"), 3: ImageFacts("P3", "A01")}
    found = placed(wells, images)
    assert found.facts == {1: ImageFacts("p2", "A01", dose="2")}
    assert found.problems[0].startswith("No plate yet for 1 image: image 2, and the map has several.")
    assert "not in the map: 1 well: P3 A01" in found.problems[1]
    assert "without images: 1 well: P1 A01" in found.problems[2]
