"""What a run keeps of its labels: the same on every machine, whatever happens to the project afterwards."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_cellstage.core.errors import ModelError
from napari_cellstage.learn.fit import fit
from napari_cellstage.learn.machine import machine, versions
from napari_cellstage.learn.recipe import Recipe
from napari_cellstage.learn.run_labels import RunLabels, cell_hash
from napari_cellstage.learn.runs import save_run

QUICK = Recipe(name="quick", kind="quick", device="cpu", folds=0)
NAMES = st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\n\x00"), min_size=1), min_size=1)


def test_a_run_keeps_its_labels_its_split_and_what_made_it(data, run, tmp_path):
    _, model = run(fit(data, QUICK))
    save_run(tmp_path, model, [], data)
    found = RunLabels.load(tmp_path / "labels.csv")
    assert found == RunLabels.of(data, model.held_out)
    assert found.names == data.names
    assert found.classes == tuple(data.classes.names[i] for i in data.labels)
    assert found.held_out.tolist() == model.held_out.tolist()
    assert 0 < found.held_out.sum() < len(found)
    card = json.loads((tmp_path / "card.json").read_text(encoding="utf-8"))
    assert card["crops"] == {"shape": [2, 24, 24], "dtype": "uint16", "masks": False}
    assert card["versions"] == versions()
    assert card["machine"] == machine(QUICK)
    assert set(card["machine"]) == {"system", "processor", "cores", "threads", "device"}


def test_a_run_that_is_saved_without_its_cells_has_none(data, run, tmp_path):
    _, model = run(fit(data, QUICK))
    save_run(tmp_path, model, [])
    assert RunLabels.load(tmp_path / "labels.csv") is None


@settings(max_examples=40, deadline=None)
@given(names=NAMES, classes=st.data())
def test_any_text_comes_back_as_it_was(names, classes, tmp_path_factory):
    names = tuple(dict.fromkeys(names))
    texts = classes.draw(st.lists(st.sampled_from(["=1+1", "0.1", "", "a, b", '"', "NA"]), min_size=len(names)))
    given_ = RunLabels(names, tuple(texts[: len(names)]), names, ("trained",) * len(names), ("",) * len(names))
    folder = tmp_path_factory.mktemp("run")
    given_.save(folder)
    assert RunLabels.load(folder / "labels.csv") == given_


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("cell,class\na,b\n", "it has no column 'group'"),
        ("cell,class,group,part,hash\na,b,c,seen,d\n", "a cell's part is 'seen', and not one of trained, held out"),
        ("cell,class,group,part,hash\na,b,c,trained,d\na,b,c,trained,d\n", "two of its cells have one name"),
        ("", "No columns"),
    ],
)
def test_a_damaged_table_is_said(text, why, tmp_path):
    (tmp_path / "labels.csv").write_text(text, encoding="utf-8")
    with pytest.raises(ModelError, match=f"labels.csv' can't be used: .*{why}"):
        RunLabels.load(tmp_path / "labels.csv")


def test_what_cannot_be_written_is_said(data, tmp_path):
    (tmp_path / "labels.csv").mkdir()
    with pytest.raises(ModelError, match=r"labels.csv' can't be written: is a directory\. Make room"):
        RunLabels.of(data, np.zeros(len(data), dtype=bool)).save(tmp_path)


def test_a_hash_is_of_values_kind_shape_and_mask_and_not_of_the_order_of_bytes():
    crop, mask = np.arange(24, dtype=np.uint16).reshape(1, 4, 6), np.eye(4, 6, dtype=bool)
    same = [crop.astype(">u2"), np.asfortranarray(crop), crop[:, ::-1][:, ::-1]]
    assert {cell_hash(one, None) for one in same} == {cell_hash(crop, None)}
    others = [crop.astype(np.int32), crop.reshape(1, 6, 4), crop + np.uint16(1)]
    hashes = {cell_hash(one, None) for one in (crop, *others)} | {cell_hash(crop, mask), cell_hash(crop, ~mask)}
    assert len(hashes) == 6


def test_a_recipe_is_written_whole_and_comes_back(tmp_path):
    recipe = Recipe(name='näme "x"', epochs=3, learning_rate=1e-7, flip=False, fixed_high="4000, 900")
    file = tmp_path / "recipe.toml"
    file.write_text(recipe.to_toml(), encoding="utf-8")
    assert Recipe.load(str(file)) == recipe
    assert "# Step size at its peak.\nlearning_rate = 1e-07\n" in recipe.to_toml()
