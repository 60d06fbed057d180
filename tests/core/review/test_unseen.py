from __future__ import annotations

import numpy as np
import pytest

from napari_cellstage.core.classes import ClassScheme
from napari_cellstage.core.errors import ModelError
from napari_cellstage.core.review.cell_refs import CellRefs
from napari_cellstage.core.review.unseen import Unseen


def unseen(count: int = 4) -> Unseen:
    chances = np.tile(np.array([0.7, 0.2, 0.1], dtype=np.float32), (count, 1))
    numbers = np.arange(count)
    return Unseen(
        names=np.array([f"a#0/{i}" for i in range(count)]),
        truth=numbers % 3,
        groups=np.full(count, "image 1"),
        fold=numbers % 2,
        probabilities=chances,
        raw=chances,
        classes=ClassScheme.from_names(["a", "b, 'quoted'", "<b>"], "cyclic"),
        how="out of fold",
        cells=CellRefs(np.ones(count, dtype=np.int64), numbers * 0, numbers + 1),
        moment=17,
        embedding=np.ones((count, 2), dtype=np.float32),
    )


def test_what_was_saved_is_read_again(tmp_path):
    made = unseen()

    made.save(tmp_path / "unseen.npz")
    again = Unseen.load(tmp_path / "unseen.npz")

    assert again is not None
    assert (again.classes, again.how, again.moment, again.by_cell) == (made.classes, "out of fold", 17, False)
    assert again.cells == made.cells
    assert np.array_equal(again.truth, made.truth)
    assert again.unlike is None
    assert Unseen.load(tmp_path / "nothing.npz") is None


def test_todays_labels_replace_those_it_was_made_with():
    ids = unseen().classes.ids

    today = unseen().relabelled(np.array([ids[2], 0, ids[0], 99]))

    assert today.truth.tolist() == [2, 0]
    assert today.names.tolist() == ["a#0/0", "a#0/2"]
    assert today.cells.cell_id.tolist() == [1, 3]


def test_a_damaged_file_is_named(tmp_path):
    file = tmp_path / "unseen.npz"
    file.write_bytes(b"nothing")

    with pytest.raises(ModelError, match=r"is damaged: it holds no arrays\. Delete it"):
        Unseen.load(file)


@pytest.mark.parametrize("name", ["names", "truth", "groups", "fold", "probabilities", "raw", "scheme", "cells_t"])
@pytest.mark.parametrize("how", ["gone", "shorter", "a text", "a number", "not a number", "out of range"])
def test_whatever_is_wrong_inside_is_said_when_it_is_read(tmp_path, name, how):
    file = tmp_path / "unseen.npz"
    unseen().save(file)
    with np.load(file) as found:
        arrays = dict(found)
    was = arrays.pop(name)
    made = {
        "shorter": was[:-1] if was.ndim else np.array("{"),
        "a text": np.array("text"),
        "a number": np.array(7),
        "not a number": np.full(was.shape, np.nan),
        "out of range": was + 99 if name == "truth" else np.array([99.0]),
    }
    np.savez(file, **arrays, **({} if how == "gone" else {name: made[how]}))

    with pytest.raises(ModelError, match="is damaged"):
        Unseen.load(file)


@pytest.mark.parametrize("kept", [0, 10, 500])
def test_a_file_cut_short_is_said(tmp_path, kept):
    file = tmp_path / "unseen.npz"
    unseen().save(file)
    file.write_bytes(file.read_bytes()[:kept])

    with pytest.raises(ModelError, match="is damaged"):
        Unseen.load(file)
