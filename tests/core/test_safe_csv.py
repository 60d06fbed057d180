from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_cellstage.core.plate_map import read_plate_map
from napari_cellstage.core.safe_csv import plain_text, read_csv, safe_text, without_formulas, write_csv

STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "\nx", "＝1+1"])
def test_text_that_a_spreadsheet_would_run_is_made_text(text: str) -> None:
    safe = without_formulas(pd.DataFrame({"a": [text, "b=1"], text: [1.0, -2.0]}))
    assert safe.iloc[0, 0] == f"'{text}"
    assert safe.iloc[1].tolist() == ["b=1", -2.0]
    assert safe.columns[1] == f"'{text}"


@given(st.text(alphabet="'=+-@\t\r＝ax", max_size=5))
def test_any_text_comes_back_and_never_runs(text: str) -> None:
    safe = safe_text(text)
    assert not safe.startswith(STARTS)
    assert plain_text(safe) == text


def test_a_table_comes_back_as_text(tmp_path: Path) -> None:
    names = ["=1+1", "'=1+1", 'quote " and, comma', "1.0", "1", "NA", ""]
    table = pd.DataFrame({"label": names, "@who": ["-x"] * len(names), "share": 0.5})
    write_csv(table, tmp_path / "a.csv")
    again = read_csv(tmp_path / "a.csv")
    assert again.columns.tolist() == ["label", "@who", "share"]
    assert again["label"].tolist() == names
    assert set(again["@who"]) == {"-x"}
    assert set(again["share"].astype(float)) == {0.5}


def test_two_columns_of_one_name_are_both_made_safe() -> None:
    frame = pd.DataFrame([["=a", "=b"]], columns=["x", "x"])
    assert without_formulas(frame).iloc[0].tolist() == ["'=a", "'=b"]
    assert frame.iloc[0].tolist() == ["=a", "=b"]


def test_a_plate_map_made_of_an_export_has_the_names_as_they_are(tmp_path: Path) -> None:
    write_csv(pd.DataFrame({"well": ["B02"], "treatment": ["@drug"]}), tmp_path / "map.csv")
    assert "@drug" in repr(read_plate_map(tmp_path / "map.csv"))
