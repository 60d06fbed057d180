"""Class schemes: they never change in place, ids are for good, and each refusal says what to do."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_cellstage.core.classes import MAX_CLASSES, OKABE_ITO, TEMPLATES, ClassScheme, palette_color
from napari_cellstage.core.errors import ClassSchemeError


def test_templates_hold_what_their_names_say() -> None:
    assert ClassScheme.from_template("cell cycle").names == (
        "interphase",
        "prophase",
        "prometaphase",
        "metaphase",
        "anaphase",
        "telophase",
    )
    assert len(ClassScheme.from_template("Jurkat 7 stages")) == 7
    assert ClassScheme.from_template("exposure").names == ("0", "0.1", "1")
    assert ClassScheme.from_template("exposure").kind == "ordered"
    assert ClassScheme.from_template("cell cycle").kind == "cyclic"
    assert len(ClassScheme.from_template("empty")) == 0


def test_unknown_template_lists_those_there_are() -> None:
    with pytest.raises(ClassSchemeError, match=r"no template 'mitosis'.*cell cycle") as caught:
        ClassScheme.from_template("mitosis")
    assert all(name in str(caught.value) for name in TEMPLATES)


def test_colours_are_apart_for_two_hundred_classes() -> None:
    colors = [palette_color(i) for i in range(MAX_CLASSES)]
    assert len(set(colors)) == MAX_CLASSES
    assert tuple(colors[: len(OKABE_ITO)]) == OKABE_ITO


def test_changes_return_new_schemes() -> None:
    old = ClassScheme.from_names(["a", "b", "c"])
    new = old.rename(1, "A").recolor(2, "#ABCDEF").move(3, 0).remove(2)
    assert old.names == ("a", "b", "c")
    assert new.names == ("c", "A")
    assert new.ids == (3, 1)
    assert old.recolor(2, "#ABCDEF").by_id(2).color == "#abcdef"


def test_ids_are_never_given_again() -> None:
    scheme = ClassScheme.from_names(["a", "b"]).remove(2).add("c")
    assert scheme.by_name("c").id == 3


def test_a_freed_colour_is_given_again() -> None:
    scheme = ClassScheme.from_names(["a", "b"])
    assert scheme.remove(1).add("c").by_name("c").color == scheme.by_id(1).color


def test_keys_are_the_first_nine() -> None:
    scheme = ClassScheme.from_names([str(i) for i in range(12)])
    assert scheme.key_of(9) == "9"
    assert scheme.key_of(10) is None
    assert scheme.for_key("3") == scheme.by_id(3)
    assert ClassScheme.from_names(["a"]).for_key("2") is None


@pytest.mark.parametrize(("place", "names"), [(-5, ("c", "a", "b")), (1, ("a", "c", "b")), (99, ("a", "b", "c"))])
def test_move_stays_within_the_list(place: int, names: tuple[str, ...]) -> None:
    assert ClassScheme.from_names(["a", "b", "c"]).move(3, place).names == names


@pytest.mark.parametrize("name", ["", "  "])
def test_a_class_needs_a_name(name: str) -> None:
    with pytest.raises(ClassSchemeError, match="needs a name"):
        ClassScheme().add(name)


def test_names_are_unique() -> None:
    scheme = ClassScheme.from_names(["G1", "G2"])
    with pytest.raises(ClassSchemeError, match=r"already a class 'G1'.*another name"):
        scheme.add(" G1 ")
    with pytest.raises(ClassSchemeError, match="already a class 'G1'"):
        scheme.rename(2, "G1")
    assert scheme.rename(1, "G1") == scheme


@pytest.mark.parametrize("color", ["red", "#12345", "#1234567", "#gggggg"])
def test_colours_are_checked(color: str) -> None:
    with pytest.raises(ClassSchemeError, match=rf"'{color}' is no colour.*#rrggbb"):
        ClassScheme().add("a", color)


def test_two_hundred_classes_and_no_more() -> None:
    scheme = ClassScheme.from_names([f"class {i}" for i in range(MAX_CLASSES)])
    with pytest.raises(ClassSchemeError, match=r"already 200 classes.*Delete one"):
        scheme.add("one more")


def test_unknown_classes_are_named() -> None:
    with pytest.raises(ClassSchemeError, match=r"no class with number 7.*a, b"):
        ClassScheme.from_names(["a", "b"]).by_id(7)
    with pytest.raises(ClassSchemeError, match=r"no class 'x'.*none yet"):
        ClassScheme().by_name("x")


@given(st.lists(st.text(min_size=1).filter(lambda s: s.strip() == s), unique=True, max_size=20))
def test_dict_and_back(names: list[str]) -> None:
    scheme = ClassScheme.from_names(names, "ordered")
    assert ClassScheme.from_dict(scheme.to_dict()) == scheme


def test_classes_are_called_as_in_a_later_scheme():
    first = ClassScheme.from_names(["a", "b", "c"])
    later = first.rename(1, "d").remove(2).add("e").move(3, 0)
    assert first.named_as(later).names == ("d", "b", "c")
    assert first.named_as(later).ids == first.ids
