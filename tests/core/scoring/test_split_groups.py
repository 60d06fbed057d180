"""Groups that a split must not cut."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_cellstage.core.image_facts import ImageFacts
from napari_cellstage.core.scoring.split_groups import SPLITS, split_groups
from napari_cellstage.core.scoring.splits import holdout, kfold

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


def test_images_of_one_donor_stay_together_over_plates():
    facts = {1: ImageFacts("P1", donor="7"), 2: ImageFacts("P2", donor="7"), 3: ImageFacts("P1", donor="8")}
    groups = split_groups(facts, {i: [1] for i in (1, 2, 3, 4)}, "donor")
    assert groups == {1: "donor 7", 2: "donor 7", 3: "donor 8", 4: "image 4"}


def test_all_frames_of_an_image_are_one_movie():
    assert split_groups(FACTS, {i: [1] for i in FACTS}, "movie") == {i: f"image {i}" for i in FACTS}


SOME = st.sampled_from(["", "1", "2", "3"])
IMAGES = st.lists(st.tuples(SOME, SOME, SOME, st.integers(0, 3)), min_size=2, max_size=14)


@settings(max_examples=60, deadline=None)
@given(IMAGES, st.sampled_from(SPLITS), st.integers(0, 9))
def test_no_split_cuts_what_is_to_stay_together(images, by, seed):
    facts = {i: ImageFacts(plate=p, well=w and f"A0{w}", donor=d) for i, (p, w, d, _) in enumerate(images)}
    groups = split_groups(facts, {i: [label] for i, (*_, label) in enumerate(images)}, by)
    image = np.repeat(np.arange(len(images)), 5)
    labels = np.array([one[3] for one in images])[image]
    held = holdout(labels, np.array([groups[i] for i in image]), 0.3, seed)
    fold = kfold(labels, np.array([groups[i] for i in image]), 4, seed)
    if len(set(groups.values())) == 1:
        return
    shared = {"plate": "plate", "donor": "donor"}.get(by)
    keys = [getattr(facts[i], shared) or f"image {i}" for i in range(len(images))] if shared else range(len(images))
    for key in set(keys):
        rows = np.isin(image, [i for i, one in enumerate(keys) if one == key])
        assert len(set(held[rows])) == len(set(fold[rows])) == 1
