"""Names of persons: anything is allowed, one spelling each, remembered."""

from __future__ import annotations

import pytest

from napari_cellstage.core.people.names import (
    PeopleError,
    clean_name,
    known_spelling,
    remember_name,
    remembered_name,
)


@pytest.mark.parametrize("name", ["Ada", 'O\'Hara "x"', "a/b\\c", "=1+1", "<b>Ada</b>", "🔬 Ängström", "x" * 200])
def test_a_name_may_hold_anything(name):
    assert clean_name(f"  {name}\n") == name


def test_line_breaks_and_control_signs_become_spaces():
    assert clean_name("Ada\n\tLovelace\x00!") == "Ada Lovelace !"


def test_no_name_and_a_very_long_one_are_refused():
    with pytest.raises(PeopleError, match=r"'  ' is no name. Type who labels"):
        clean_name("  ")
    with pytest.raises(PeopleError, match=r"has 201 characters; 200 are allowed"):
        clean_name("x" * 201)


def test_a_person_is_spelt_as_before():
    assert known_spelling("ada  LOVELACE", ("Bob", "Ada Lovelace")) == "Ada Lovelace"
    assert known_spelling("ada", ("Ada", "ada")) == "ada"
    assert known_spelling("Eve", ("Ada",)) == "Eve"


def test_a_name_is_remembered_and_a_damaged_file_is_nobody(tmp_path, monkeypatch):
    monkeypatch.setenv("NAPARI_CELLSTAGE_CONFIG", str(tmp_path / "config"))
    assert remembered_name() == ""
    remember_name('=1+1 "Ünal"')
    assert remembered_name() == '=1+1 "Ünal"'
    for damaged in ("{", "[]", '{"annotator": 3}', '{"annotator": " "}'):
        (tmp_path / "config" / "annotator.json").write_text(damaged)
        assert remembered_name() == ""


def test_where_it_cant_be_remembered_nothing_else_fails(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("NAPARI_CELLSTAGE_CONFIG", str(tmp_path / "file"))
    remember_name("Ada")
    assert remembered_name() == ""
