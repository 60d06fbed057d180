"""Wells and treatments out of file names."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_cellstage.core.errors import PlateError
from napari_cellstage.core.image_facts import MAX_COLUMNS, MAX_ROWS, ImageFacts, well_at
from napari_cellstage.core.plates import READY, NamePattern, guess, read_names, source_names

EXAMPLES = {
    "Images/r02c03f04p01-ch1sk1fk1fl1": ImageFacts(well="B03", field="4"),
    "Images/002003-4-001001001": ImageFacts(well="B03", field="4"),
    "exp/plate1_B03_s1_w1": ImageFacts(plate="plate1", well="B03", field="1"),
    "x/Assay_#655090_C02_T0001F012L01A01Z01C01": ImageFacts(plate="Assay_#655090", well="C02", field="12"),
    "f/B03--W00015--P00001--Z00000--T00000--dapi": ImageFacts(well="B03", field="1"),
    "f/B - 03(fld 1 wv UV - DAPI)": ImageFacts(well="B03", field="1"),
    "d/plate1_B03_f1": ImageFacts(plate="plate1", well="B03", field="1"),
    "d/B03_nocodazole_0.1uM": ImageFacts(well="B03", treatment="nocodazole", dose="0.1 µM"),
    "plate/B/03/0": ImageFacts(plate="plate", well="B03", field="0"),
    "screens/plate/B3-1": ImageFacts(plate="plate", well="B03", field="1"),
    "p1/B03/image1": ImageFacts(plate="p1", well="B03"),
    "plate1/B3": ImageFacts(plate="plate1", well="B03"),
    "d/B03_tubulin": ImageFacts(well="B03"),
    "d/tubulin_B03": ImageFacts(well="B03"),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_names_of_the_usual_microscopes_are_guessed(name):
    text = guess([name])
    assert text in {one.text for one in READY}
    assert NamePattern(text).read(name).facts == EXAMPLES[name]


@pytest.mark.parametrize("name", ["f/mitocheck_incenp_t1", "f/dsb2018/00071198", "jurkat/Anaphase/Anaphase_0001", ""])
def test_nothing_is_guessed_from_names_without_wells(name):
    assert guess([name]) == ""
    assert guess([]) == ""


@pytest.mark.data
def test_no_well_is_guessed_for_real_fields(data_dir):
    files = sorted((data_dir / "fields").rglob("*.tif"))
    assert guess(source_names({i: (f, "") for i, f in enumerate(files)}).values()) == ""


def test_donors_are_read_from_names():
    found = NamePattern("{donor}_{well}_*").read("exp/patient 7_B3_1")
    assert found.facts == ImageFacts(well="B03", donor="patient 7")


def test_a_folder_for_each_plate_is_guessed_when_there_are_several():
    assert guess(["p1/B03_f1", "p2/B03_f1"]) == "{plate}/{well}_f{field}*"
    assert guess(["p1/B03_f1", "p1/B04_f1"]) == "{well}_f{field}*"


def test_one_strange_file_does_not_hinder_a_guess():
    assert guess([*(f"p/B{i:02d}_f1" for i in range(1, 5)), "p/overview"]) == "{well}_f{field}*"


@settings(deadline=None)
@given(st.integers(1, MAX_ROWS), st.integers(1, MAX_COLUMNS), st.integers(1, 999))
def test_any_well_and_field_come_back(row, column, site):
    found = NamePattern("{plate}_{well}_f{field}*").read(f"run/my_plate_{well_at(row, column)}_f{site:03d}_w1")
    assert found.facts == ImageFacts(plate="my_plate", well=well_at(row, column), field=str(site))


@settings(deadline=None)
@given(st.text(max_size=40), st.text(max_size=40))
def test_any_text_is_a_pattern_or_a_sentence(text, name):
    with suppress(PlateError):
        NamePattern(text).read(name)


def test_the_file_counts_before_its_folders():
    found = NamePattern("{well}_*").read("A01_old/B03_new")
    assert found.facts.well == "B03"
    assert NamePattern("{treatment}/{dose}/*").read("base/noc/high/image").facts == ImageFacts(
        treatment="noc", dose="high"
    )


def test_parts_are_shown_where_they_were_found():
    found = NamePattern("{well}_{treatment}_{dose}.tif").read("d/B03_noc_0p1uM")
    assert found.spans == (("well", 2, 5), ("treatment", 6, 9), ("dose", 10, 15))
    assert found.facts.dose == "0.1 µM"


def test_stars_beside_a_well_are_fine():
    assert NamePattern("**{well}**").read("d/image of B03, new").facts.well == "B03"


def test_a_dose_does_not_cut_a_word():
    assert NamePattern("{treatment}{dose}").read("d/noc0.1uM").facts == ImageFacts(treatment="noc", dose="0.1 µM")


def test_names_that_do_not_fit_or_have_no_such_well_are_left_out():
    pattern = NamePattern(r"(?P<well>[A-Z]\d+)_")
    readings = read_names(pattern, {1: "d/B03_x", 2: "d/Q99_x", 3: "d/none"})
    assert list(readings) == [1]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "The pattern is empty"),
        ("plate1", "'plate1' names no part"),
        ("{wel}_*", "has a part {wel}. Parts are {plate}, {well}"),
        ("(?P<wel>B03)", "has a part named 'wel'"),
        ("r{row}", "only one of {row} and {column}"),
        ("(?P<well>[A-H", "can't be read: unterminated character set"),
        ("{well}_{well}", "has {well} twice"),
        ("{plate}*_{well}", "In '{plate}*' nobody can tell where one ends and the next begins. Put what stands"),
        ("*{treatment}_{well}", "In '*{treatment}' nobody can tell"),
        ("{well}_{dose}*", "In '{dose}*' nobody can tell"),
    ],
)
def test_a_pattern_that_cannot_be_is_a_sentence(text, said):
    with pytest.raises(PlateError, match=re.escape(said)):
        NamePattern(text)


def test_names_are_the_way_from_the_common_folder_with_its_own_name_and_the_scene():
    places = {
        1: (Path("/data/run 1/p1/B03.ome.tif"), ""),
        2: (Path("/data/run 1/p2/all.czi"), "B04"),
        3: (None, ""),
    }
    assert source_names(places) == {1: "run 1/p1/B03", 2: "run 1/p2/all/B04", 3: ""}
    assert source_names({1: (Path("/data/p1/B03.tif"), "")}) == {1: "p1/B03"}
    assert source_names({}) == {}
    assert source_names({1: (Path("/B03.tif"), "")}) == {1: "B03"}
