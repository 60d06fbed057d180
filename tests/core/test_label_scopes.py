"""Scopes of a class given in one go, and classes made of doses."""

from __future__ import annotations

from napari_cellstage.core.classes import ClassScheme
from napari_cellstage.core.image_facts import ImageFacts
from napari_cellstage.core.label_scopes import Scope, classes_by, scopes_of

FACTS = {
    1: ImageFacts("P1", "A01", "1", "noc", "0.1 µM"),
    2: ImageFacts("P1", "A01", "2", "noc", "0.1 µM"),
    3: ImageFacts("P1", "A02", "1", "noc", "0 µM"),
    4: ImageFacts("P2", "A01", "1", "taxol", "100 nM"),
    5: ImageFacts(),
}
IMAGES = (1, 2, 3, 4, 5, 6)


def test_an_image_is_in_its_well_treatment_dose_and_plate():
    assert scopes_of(1, IMAGES, FACTS) == (
        Scope("this image", (1,), "image"),
        Scope("well A01 of P1", (1, 2), "well"),
        Scope("noc 0.1 µM", (1, 2), "well"),
        Scope("treatment noc", (1, 2, 3), "well"),
        Scope("dose 0.1 µM", (1, 2, 4), "well"),
        Scope("plate P1", (1, 2, 3), "well"),
        Scope("all images", IMAGES, "image"),
    )


def test_the_plate_is_named_only_where_there_are_several():
    assert scopes_of(1, (1,), {1: FACTS[1]})[1].text == "well A01"


def test_of_an_image_nothing_is_known_of_there_are_itself_and_all():
    assert [one.text for one in scopes_of(5, IMAGES, FACTS)] == ["this image", "all images"]
    assert [one.text for one in scopes_of(6, IMAGES, {})] == ["this image", "all images"]


def test_classes_of_doses_are_in_order_and_the_same_amount_is_one_class():
    made = classes_by("dose", FACTS, ClassScheme.from_template("cell cycle"), labelled=False)
    assert made.names == made.scheme.names == ("0 µM", "0.1 µM")
    assert made.scheme.kind == "ordered"
    assert made.scheme.ids == (7, 8)  # ids of classes that are gone are not used again
    assert made.class_of == {3: 7, 1: 8, 2: 8, 4: 8}


def test_classes_that_cells_have_stay():
    before = ClassScheme.from_names(["metaphase", "noc"])
    made = classes_by("treatment", FACTS, before, labelled=True)
    assert made.scheme.names == ("metaphase", "noc", "taxol")
    assert made.names == ("noc", "taxol")
    assert made.class_of == {1: 2, 2: 2, 3: 2, 4: 3}


def test_classes_that_fit_already_are_used_as_they_are():
    before = ClassScheme.from_names(["0 µM", "0.1 µM", "1 µM"], "ordered")
    assert classes_by("dose", FACTS, before, labelled=False).scheme == before
    assert classes_by("dose", {}, before, labelled=False).class_of == {}
