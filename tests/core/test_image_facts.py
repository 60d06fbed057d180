"""Wells and doses, however they are written."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_cellstage.core.image_facts import (
    MAX_COLUMNS,
    MAX_ROWS,
    Amount,
    ImageFacts,
    amount_of,
    dose_name,
    is_ambiguous,
    row_name,
    row_number,
    same_doses,
    well_at,
    well_name,
    well_place,
)

wells = st.tuples(st.integers(1, MAX_ROWS), st.integers(1, MAX_COLUMNS))


@pytest.mark.parametrize("text", ["A1", "a01", "a-1", "A 1", "A_01", "A001", "r01c01", "R1C1", "row 1 col 1", " A01 "])
def test_a_well_has_one_name_however_it_is_written(text):
    assert well_name(text) == "A01"


@pytest.mark.parametrize("text", ["", "A0", "A49", "AG1", "1A", "A", "12", "well", "A1B2", "A1.tif", "r00c01"])
def test_what_is_no_well_has_no_name(text):
    assert well_name(text) == ""


@settings(deadline=None)
@given(wells)
def test_each_well_of_the_largest_plate_is_found_again(place):
    name = well_at(*place)
    assert well_place(name) == place
    assert well_name(name.lower()) == well_name(f"r{place[0]}c{place[1]}") == name
    assert row_number(row_name(place[0])) == row_number(str(place[0])) == place[0]


def test_a_place_off_every_plate_is_none():
    assert well_at(33, 1) == well_at(1, 49) == well_at(0, 1) == ""
    assert well_place("nowhere") is None
    assert row_number("?") == 0


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("0,10 uM", "0.1 µM"),
        ("0.1\u03bcM", "0.1 µM"),
        ("10um", "10 µM"),
        ("480 nm", "480 nm"),
        ("1e-3 mg/mL", "0.001 mg/ml"),
        ("5 %", "5%"),
        ("0p1uM", "0.1 µM"),
        ("10pM", "10 pM"),
        ("100_nM", "100 nM"),
        ("DMSO", "DMSO"),
        ("  high   dose ", "high dose"),
        ("1 2", "1 2"),
        ("", ""),
    ],
)
def test_a_dose_has_one_name_however_it_is_written(text, name):
    assert dose_name(text) == name
    assert dose_name(name) == name


def test_a_thousand_that_may_be_one_is_left_as_it_is():
    assert is_ambiguous("1,000 nM")
    assert not is_ambiguous("0,100")
    assert dose_name("1,000 nM") == "1,000 nM"
    assert amount_of("1,000 nM") is None


def test_doses_are_numbers_with_a_unit():
    assert amount_of("1 mg/ml") == Amount("g/l", 1.0)
    assert amount_of("0 µM") == amount_of("0") == Amount("", 0.0)
    assert amount_of("100 nM").value == pytest.approx(amount_of("0.1 µM").value)
    assert amount_of("2 wibbles") == Amount("wibbles", 2.0)
    assert amount_of("vehicle") is None


def test_doses_go_from_none_to_most_and_the_same_amount_is_one():
    doses = ["1 µM", "0", "100 nM", "vehicle", "0.1 µM", "", "10 µM", "0 µM", "1 µM"]
    assert same_doses(doses) == (("0", "0 µM"), ("100 nM", "0.1 µM"), ("1 µM",), ("10 µM",), ("vehicle",))


@settings(deadline=None)
@given(st.lists(st.integers(0, 10**6).map(str), unique=True))
def test_doses_without_unit_are_sorted_as_numbers(doses):
    assert [group[0] for group in same_doses(doses)] == sorted(doses, key=int)


def test_facts_fill_each_other_and_read_as_a_line():
    name = ImageFacts(well="B03", field="2")
    plate_map = ImageFacts(well="B03", treatment="nocodazole", dose="0.1 µM", replicate="1")
    both = plate_map.over(name)
    assert both.text == "B03 · field 2 · nocodazole 0.1 µM · replicate 1"
    assert both
    assert not ImageFacts()
    assert ImageFacts().text == ""
