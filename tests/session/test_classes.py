"""Classes: templates, changes, deletion with labels."""

from __future__ import annotations

import pytest

from napari_cellstage.core.errors import ClassSchemeError
from napari_cellstage.session import Session
from tests.session.scene import grid, stack_for, watch


def test_templates_replace_unused_classes_only(ready: Session) -> None:
    first = ready.scheme.ids
    ready.use_template("exposure")
    assert ready.scheme.names == ("0", "0.1", "1")
    assert ready.scheme.kind == "ordered"
    assert not set(first) & set(ready.scheme.ids), "ids are never given again"
    ready.label_cells([0, 1], ready.scheme.ids[0])
    with pytest.raises(ClassSchemeError, match=r"2 cells already labelled.*0, 0\.1, 1.*clear the labels first"):
        ready.use_template("cell cycle")
    ready.undo()
    ready.undo()
    assert ready.scheme.ids == first


def test_deleting_a_class_clears_its_labels_everywhere_and_undo_brings_both_back(ready: Session) -> None:
    second = ready.add_image(stack_for(grid(2), "second", seed=3))
    ready.set_labels(grid(2))
    ready.label_cells([0, 1], 3)
    ready.label_cells([5], 3, image_id=1)
    ready.label_cells([6], 4, image_id=1)
    assert ready.labels_with(3) == 3
    heard = watch(ready, "scheme_changed", "labels_changed")
    ready.delete_class(3)
    assert sorted(h[0] for h in heard) == ["labels_changed", "labels_changed", "scheme_changed"]
    assert 3 not in ready.scheme.ids
    assert ready.labels_with(3) == 0
    assert ready.class_ids(1)[6] == 4
    ready.undo()
    assert ready.labels_with(3) == 3
    assert ready.scheme.by_id(3).name == "prometaphase"
    assert ready.class_ids(second).tolist() == [3, 3, 0, 0]


def test_classes_are_edited_and_undone(ready: Session) -> None:
    assert ready.add_class("dead", "#000000") == 7
    ready.rename_class(1, "G1")
    ready.recolor_class(1, "#ffffff")
    ready.move_class(7, 0)
    ready.rename_class(1, "G1")  # nothing changes, so nothing to undo
    assert ready.scheme.names[:2] == ("dead", "G1")
    for _ in range(4):
        ready.undo()
    assert ready.scheme.names == (
        "interphase",
        "prophase",
        "prometaphase",
        "metaphase",
        "anaphase",
        "telophase",
    )
