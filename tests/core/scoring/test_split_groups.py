"""Groups that a split must not cut."""

from __future__ import annotations

from napari_cellstage.core.image_facts import ImageFacts
from napari_cellstage.core.scoring.split_groups import split_groups

FACTS = {
    1: ImageFacts("P1", "A01"),
    2: ImageFacts("P1", "A01"),
    3: ImageFacts("P1", "A02"),
    4: ImageFacts("P2", "A01"),
}


def test_fields_of_one_well_stay_together_where_each_class_is_in_two_wells():
    groups = split_groups(FACTS, {1: [1], 2: [2], 3: [1], 4: [2], 5: []})
    assert groups == {1: "well P1 A01", 2: "well P1 A01", 3: "well P1 A02", 4: "well P2 A01", 5: "image 5"}


def test_a_class_in_one_well_only_is_split_by_image():
    assert set(split_groups(FACTS, {1: [1], 2: [1], 3: [2], 4: [2]}).values()) == {f"image {i}" for i in FACTS}


def test_the_user_may_choose():
    classes = {i: [1] for i in FACTS}
    assert split_groups(FACTS, classes, "plate") == {1: "plate P1", 2: "plate P1", 3: "plate P1", 4: "plate P2"}
    assert split_groups(FACTS, classes, "image")[4] == "image 4"
    assert split_groups({}, {1: [1]}, "plate") == {1: "image 1"}
    assert split_groups({}, {}) == {}
