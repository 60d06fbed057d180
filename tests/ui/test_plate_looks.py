"""How wells look."""

from __future__ import annotations

from napari_cellstage.core.classes import ClassScheme
from napari_cellstage.core.image_facts import ImageFacts
from napari_cellstage.ui.plate_looks import legend, looks, plates_of, summary, wells_of

FACTS = {
    1: ImageFacts("P1", "A01", "1", "noc", "0.1 µM"),
    2: ImageFacts("P1", "A01", "2", "noc", "0.1 µM"),
    3: ImageFacts("P1", "B02", "", "DMSO", "0"),
    4: ImageFacts("P2", "A01", "", "taxol", "100 nM"),
    5: ImageFacts(treatment="noc"),
    6: ImageFacts("P1", "B03"),
}
SCHEME = ClassScheme.from_names(["round", "flat"])
COUNTS = {1: {0: 3, 1: 2}, 2: {0: 0, 2: 1}, 3: {0: 4}}


def look(by: str):
    return looks(by, wells_of(FACTS, "P1"), FACTS, COUNTS, SCHEME)


def test_wells_hold_the_images_of_their_plate():
    assert wells_of(FACTS, "P1") == {(1, 1): [1, 2], (2, 2): [3], (2, 3): [6]}
    assert plates_of(FACTS) == ["P1", "P2"]


def test_treatments_have_colours_and_the_same_amount_has_one():
    wells = look("treatment")
    assert wells[1, 1].text == "noc"
    assert wells[1, 1].tip == "A01 · noc 0.1 µM · 2 images"
    assert wells[1, 1].color != wells[2, 2].color
    assert wells[2, 3].color is None
    assert wells[2, 3].tip == "B03 · no treatment known · 1 image"
    other = looks("dose", wells_of(FACTS, "P2"), FACTS, {}, SCHEME)
    assert other[1, 1].color == look("dose")[1, 1].color


def test_more_is_darker():
    wells = look("dose")
    assert wells[1, 1].color.lightness() < wells[2, 2].color.lightness()


def test_classes_show_the_one_that_most_cells_have_and_say_all():
    well = look("class")[1, 1]
    assert (well.color.name(), well.text) == (SCHEME.classes[0].color, "round")
    assert well.tip.endswith("2 images · round 2, flat 1")
    assert look("class")[2, 2].tip.endswith("no cell labelled")


def test_cells_are_counted():
    assert look("cells")[1, 1].text == "6"
    assert look("cells")[2, 3].tip.endswith("no cells yet")


def test_what_is_known_is_said_in_a_line():
    assert summary(FACTS, 7) == "4 wells, 2 plates, 3 treatments, doses 0 to 0.1 µM; nothing known of 1 image"
    assert summary({1: ImageFacts(dose="5 nM")}, 1) == "dose 5 nM"
    assert summary({}, 3) == ""


def test_the_legend_names_the_colours_in_order():
    wells = look("dose")
    text = legend("dose", wells)
    assert text.index("&nbsp;0 ") < text.index("0.1&nbsp;µM")
    assert wells[2, 2].color.name() in text
    assert legend("cells", look("cells")) == ""
    many = {i: ImageFacts(well=f"A{i:02d}", treatment=f"<{i}>") for i in range(1, 16)}
    said = legend("treatment", looks("treatment", wells_of(many, ""), many, {}, SCHEME))
    assert "&lt;1&gt;" in said
    assert said.endswith("and 3 more")
