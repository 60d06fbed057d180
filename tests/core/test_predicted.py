"""Names, colours and verdicts of predicted stains."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_cellstage.core.predicted import (
    COLOURS,
    PredictedStain,
    colour_of,
    free_name,
    is_predicted,
    predicted_among,
    predicted_name,
    stain_of,
    worst,
)
from napari_cellstage.stain.verdicts import Verdict


@given(st.text(), st.one_of(st.just(""), st.text(alphabet="abc-_0 ", min_size=1)))
def test_a_name_says_that_it_is_predicted_and_of_what(stain: str, run: str) -> None:
    name = predicted_name(stain, run)
    assert is_predicted(name)
    assert stain_of(name) == stain


@pytest.mark.parametrize("name", ["DNA", "predicted", "(predicted)", "DNA (predicted) 2", "DNA (predictedly)"])
def test_other_names_do_not(name: str) -> None:
    assert not is_predicted(name)
    assert stain_of(name) == name


def test_the_run_is_named_where_the_plain_name_is_taken() -> None:
    assert free_name("DNA", "r", ["DNA"]) == "DNA (predicted)"
    assert free_name("DNA", "r", ["DNA (predicted)"]) == "DNA (predicted by r)"
    names = ["DNA (predicted)", "DNA (predicted by r)", "DNA (predicted by r 2)"]
    assert free_name("DNA", "r", names) == "DNA (predicted by r 3)"


def test_colours_differ_until_there_are_no_more_and_nuclei_are_blue() -> None:
    taken: list[str] = []
    for stain in ("MAP2", "DAPI", "NFH", "actin", "tubulin", "golgi"):
        taken.append(colour_of(stain, taken))
    assert sorted(taken) == sorted(COLOURS)
    assert taken[1] == COLOURS[0]
    assert colour_of("one more", taken) in COLOURS


def test_the_worst_verdict_counts() -> None:
    told = [Verdict("like", "fine", 0, 0), Verdict("doubtful", "hm", 0.3, 0), Verdict("like", "fine", 0, 0)]
    assert worst(told) == ("doubtful", "hm")
    assert worst([]) == ("", "")


def test_it_says_what_it_is() -> None:
    note = PredictedStain("DNA (predicted)", "DNA", "run-1", "unlike").note
    assert "no measured stain" in note
    assert "run-1" in note
    assert "unlike" in note
    assert predicted_among(["BF", "DNA (predicted)", "MAP2 (predicted by x)"]) == (
        "DNA (predicted), MAP2 (predicted by x)"
    )
