"""A bundle trained again gives the same figures, and says so where it does not."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from runpy import run_path
from typing import Any

import numpy as np
import pytest
import tifffile

from napari_cellstage.core.errors import CellStageError, TrainingStopped
from napari_cellstage.core.folders import read_class_folders
from napari_cellstage.learn.data import TrainingSet
from napari_cellstage.learn.model import TrainedModel, read_card
from napari_cellstage.learn.recipe import Recipe
from napari_cellstage.learn.runs import note_in_card
from napari_cellstage.sharing import BundleError, open_bundle, rerun_bundle
from napari_cellstage.sharing.cells import cells_of, contents_of
from napari_cellstage.sharing.source import read_source
from napari_cellstage.sharing.whole import rerunning_from
from tests.sharing.made import GROUP_FROM, play, share, train


def silent(_text: str) -> None:
    """Say nothing."""


def spoil(folder: Path, name: str, change: Callable[[str], str]) -> None:
    """Change a file and its hash in the manifest: nobody would notice by that."""
    file = folder / name
    file.write_text(change(file.read_text(encoding="utf-8")), encoding="utf-8")
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    manifest["files"][name] = hashlib.sha256(file.read_bytes()).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")


@pytest.fixture
def copy(bundle: Path, tmp_path: Path) -> Path:
    """A bundle to change."""
    shutil.copytree(bundle, tmp_path / "copy")
    return tmp_path / "copy"


def test_every_figure_is_the_same(bundle: Path, run: Path, tmp_path: Path) -> None:
    said: list[str] = []
    found = rerun_bundle(bundle, out=tmp_path / "again", say=said.append)
    assert found.exact
    assert found.agree
    assert {one.part for one in found.compared} == {"held out", "cross-validated"}
    assert all(one.same and one.agrees and one.difference == 0 for one in found.compared)
    accuracy = found.compared[0]
    assert accuracy.then == read_card(run)["held_out_scores"]["accuracy"]
    assert 0 < next(one.then for one in found.compared if one.part == "cross-validated") < 1  # not by being perfect
    assert found.same_answers == (24, 24)
    assert "The figures agree: all are the same." in found.text
    assert said
    new, old = read_card(tmp_path / "again"), read_card(run)
    for name in ("classes", "channels", "channel_names", "crop_size", "split", "scores", "held_out_scores", "labels"):
        assert new[name] == old[name], name
    for name, values in TrainedModel.load(run).arrays.items():
        assert np.array_equal(values, TrainedModel.load(tmp_path / "again").arrays[name], equal_nan=True)


def test_the_training_set_is_the_same_to_the_last_bit(bundle: Path, folders: Path) -> None:
    recipe = Recipe.load(str(bundle / "recipe.toml"))
    then = TrainingSet.from_crops(read_class_folders(folders, GROUP_FROM).hashed(), recipe)
    with open_bundle(bundle) as opened:
        now = play(cells_of(opened, contents_of(opened), None, lambda: False))
    assert now.crops.dtype == then.crops.dtype
    assert np.array_equal(now.crops, then.crops)
    assert np.array_equal(now.labels, then.labels)
    assert (now.names, now.groups.tolist(), now.classes) == (then.names, then.groups.tolist(), then.classes)
    assert now.held_out(recipe).tolist() == then.held_out(recipe).tolist()
    assert now.folds(recipe).tolist() == then.folds(recipe).tolist()


def test_a_network_gives_the_same_figures(folders: Path, tmp_path: Path) -> None:
    small = {"network": "mobilenet_v3_small", "weights": "none", "epochs": 1, "views": 1, "threads": 1}
    recipe = Recipe.load("finetune").but(**small, device="cpu", batch_size=8, folds=0)
    data = TrainingSet.from_crops(read_class_folders(folders, GROUP_FROM).hashed(), recipe)
    made = train(data, recipe, tmp_path / "run", data=str(folders), group_from=GROUP_FROM)
    found = rerun_bundle(share(made, folders, tmp_path / "b.zip"), out=tmp_path / "again", say=silent)
    assert found.exact
    assert all(one.same for one in found.compared)
    old, new = TrainedModel.load(made).arrays, TrainedModel.load(tmp_path / "again").arrays
    unlike = [name for name in old if not np.array_equal(old[name], new[name], equal_nan=True)]
    assert unlike == []


def test_an_ensemble_with_files_of_its_own_gives_the_same_figures_without_them(folders: Path, tmp_path: Path) -> None:
    net = tmp_path / "my files" / "my net.toml"
    net.parent.mkdir()
    net.write_text(
        'name = "net"\nkind = "finetune"\nnetwork = "mobilenet_v3_small"\nweights = "none"\nepochs = 1\nviews = 1\n'
    )
    members = f"quick classifier=linear, {net} batch_size=8, {net} batch_size=8"
    recipe = Recipe.load("ensemble").but(members=members, device="cpu", threads=1, crop_size=24)
    data = TrainingSet.from_crops(read_class_folders(folders, GROUP_FROM).hashed(), recipe)
    made = train(data, recipe, tmp_path / "run", data=str(folders), group_from=GROUP_FROM)
    out = share(made, folders, tmp_path / "bundle")
    shutil.rmtree(net.parent)
    assert "my files" not in "".join(
        f.read_text(encoding="utf-8", errors="ignore") for f in out.rglob("*") if f.is_file()
    )
    assert len(TrainedModel.load(out / "model").members) == 3
    found = rerun_bundle(out, out=tmp_path / "again", say=silent)
    assert found.exact
    assert all(one.same for one in found.compared)
    seeds = [one["seed"] for one in read_card(tmp_path / "again")["members"]]
    assert seeds == [0, 0, 1]


@pytest.mark.parametrize("references", [False, True])
def test_a_run_of_a_project_with_masks_gives_the_same(references: bool, project, tmp_path: Path) -> None:
    place, run = project
    out = share(run, place, tmp_path / "b.zip", references=references)
    found = rerun_bundle(out, place if references else None, say=silent)
    assert found.exact
    assert all(one.same for one in found.compared)


def test_references_need_the_data_and_find_renamed_pictures(run: Path, folders: Path, tmp_path: Path) -> None:
    out = share(run, folders, tmp_path / "b", references=True)
    with pytest.raises(BundleError, match=r"has no pictures of them. Say with --data where the data are"):
        rerun_bundle(out, say=silent)
    with pytest.raises(BundleError, match=r"There is nothing at '.*nowhere'"):
        rerun_bundle(out, tmp_path / "nowhere", say=silent)
    data = tmp_path / "data"
    shutil.copytree(folders, data)
    (data / "=small" / "movie0_1.tif").rename(data / "=small" / "movie0_called otherwise.tif")
    assert rerun_bundle(out, data, say=silent).agree
    tifffile.imwrite(data / "=small" / "movie0_2.tif", np.ones((2, 24, 24), np.uint16), photometric="minisblack")
    with pytest.raises(BundleError, match=r"1 of 24 cells no longer look as they did .*=small/movie0_2.tif"):
        rerun_bundle(out, data, say=silent)


def test_data_that_are_not_needed_are_not_read(bundle: Path, tmp_path: Path) -> None:
    said: list[str] = []
    (tmp_path / "empty").mkdir()
    assert rerun_bundle(bundle, tmp_path / "empty", say=said.append).agree
    assert said[0] == "The bundle has its own pictures, so the data are not read."


def test_other_versions_must_agree_within_the_interval_only(copy: Path) -> None:
    def older(text: str) -> str:
        values = json.loads(text)
        values["versions"]["numpy"] = "1.0"
        values["scores"]["held out"]["accuracy"] -= 0.01
        values["scores"]["held out"]["ece"] += 0.01
        return json.dumps(values)

    spoil(copy, "figures.json", older)
    found = rerun_bundle(copy, say=silent)
    assert not found.exact
    assert found.agree
    assert [one.words for one in found.compared if not one.same] == ["within the interval", "not judged"]
    assert "numpy 1.0, now " in found.text
    assert found.text.endswith("The figures agree.")


@pytest.mark.parametrize("same_versions", [True, False])
def test_figures_that_differ_are_said(same_versions: bool, copy: Path) -> None:
    def flattered(text: str) -> str:
        values = json.loads(text)
        if not same_versions:
            values["versions"]["numpy"] = "1.0"
        scores = values["scores"]["cross-validated"]
        scores["macro_f1"] += 0.01 if same_versions else 1
        scores["intervals"]["macro_f1"] = [scores["macro_f1"] - 0.02, scores["macro_f1"] + 0.02]
        return json.dumps(values)

    spoil(copy, "figures.json", flattered)
    found = rerun_bundle(copy, say=silent)
    assert not found.agree
    assert [(one.part, one.key) for one in found.compared if one.agrees is False] == [("cross-validated", "macro_f1")]
    assert found.text.endswith("The figures do not agree.")


def test_a_choice_taken_over_from_an_earlier_run_is_taken_over_again(folders: Path, tmp_path: Path) -> None:
    recipe = Recipe.load("quick").but(device="cpu", threads=1, folds=0, classifier="trees", trees=3)
    data = TrainingSet.from_crops(read_class_folders(folders, GROUP_FROM).hashed(), recipe)
    made = train(data, recipe, tmp_path / "run")
    card = read_card(made)
    note_in_card(made, choice=card["choice"] | {"reused": 1, "temperature": 1.7}, data=str(folders))
    rerun_bundle(share(made, folders, tmp_path / "b"), out=tmp_path / "again", say=silent)
    assert TrainedModel.load(tmp_path / "again").card["temperature"] == 1.7  # found by trials otherwise

    note_in_card(made, choice={"reused": 1, "trees": True})
    with pytest.raises(BundleError, match=r"does not say which classifier its run took over.*Train the run anew"):
        rerun_bundle(share(made, folders, tmp_path / "other"), say=silent)


def test_a_bundle_without_figures_has_nothing_to_compare(folders: Path, tmp_path: Path) -> None:
    recipe = Recipe.load("quick").but(device="cpu", threads=1, classifier="linear", folds=0, holdout=0.0)
    data = TrainingSet.from_crops(read_class_folders(folders).hashed(), recipe)
    made = train(data, recipe, tmp_path / "run", data=str(folders))
    with pytest.raises(BundleError, match=r"has no figures to compare: no cell was held out"):
        rerun_bundle(share(made, folders, tmp_path / "b"), say=silent)


def test_a_new_run_is_not_written_into_the_bundle(copy: Path) -> None:
    with pytest.raises(BundleError, match=r"is inside of the bundle"):
        rerun_bundle(copy, out=copy / "again", say=silent)


def test_a_stop_compares_nothing(bundle: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingStopped, match=r"so nothing can be compared"):
        play(rerunning_from(bundle, None, tmp_path / "again", should_stop=lambda: True))
    assert not (tmp_path / "again").exists()


@pytest.mark.parametrize(
    ("name", "change", "told"),
    [
        ("labels.csv", lambda t: t.replace("crops/=small/movie0_1.tif", "../movie0_1.tif"), "points outside of it"),
        ("labels.csv", lambda t: t.replace("crops/=small/movie0_1.tif", "crops/x.tif"), "which its manifest does not"),
        ("labels.csv", lambda t: t.replace("held out", "trained"), "do not say the same of each cell"),
        ("labels.csv", lambda t: t.replace("picture", "file"), "'picture' is missing"),
        ("labels.csv", lambda t: t.replace(",'=small,", ",huge,"), "huge: no such class"),
        ("split.json", lambda t: t.replace("held_out", "out"), "'held_out' is missing"),
        ("recipe.toml", lambda t: t.replace("seed = 0", "seed = -1"), "seed is -1"),
        ("recipe.toml", lambda t: t.replace('weights = "imagenet"', 'weights = "../../x.pth"'), "points outside of it"),
        (
            "recipe.toml",
            lambda t: t.replace('members = "', 'members = "/etc/x.toml, '),
            "names /etc/x.toml, which is not",
        ),
        (
            "recipe.toml",
            lambda t: t.replace('members = "', 'members = "../x.toml a=1, '),
            "names ../x.toml, which is not",
        ),
        (
            "recipe.toml",
            lambda t: t.replace('kind = "quick"', 'kind = "ensemble"').replace(
                'members = "', 'members = "finetune weights=/etc/x.pth, '
            ),
            "names '/etc/x.pth', which points outside of it",
        ),
        ("figures.json", lambda t: "[]", "its figures are damaged"),
        ("figures.json", lambda t: "{", "can't be trained again"),
        ("model/card.json", lambda t: t.replace('"channels"', '"other"'), "can't be trained again"),
    ],
)
def test_a_bundle_that_does_not_hang_together(name: str, change: Any, told: str, copy: Path) -> None:
    spoil(copy, name, change)
    with pytest.raises(CellStageError) as caught:
        rerun_bundle(copy, say=silent)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("crops", "told"),
    [
        ({"shape": [2, 24], "dtype": "uint16", "masks": False}, "which pictures can't be"),
        ({"shape": [2, 24, 0], "dtype": "uint16", "masks": False}, "which pictures can't be"),
        ({"shape": [2, 24, 24], "dtype": "O", "masks": False}, "which pictures can't be"),
        ({"shape": [2, 24, 24], "dtype": "x", "masks": False}, "can't be trained again"),
        ({"shape": [2, 10**6, 10**6], "dtype": "uint8", "masks": False}, "would take 48,000 GB"),
        ({"shape": [2, 24, 24], "dtype": "uint16"}, "'masks' is missing"),
        (None, "can't be trained again"),
    ],
)
def test_a_manifest_that_tells_of_impossible_cells_is_refused(crops: Any, told: str, copy: Path) -> None:
    manifest = json.loads((copy / "manifest.json").read_text(encoding="utf-8"))
    (copy / "manifest.json").write_text(json.dumps(manifest | {"crops": crops}), encoding="utf-8")
    with pytest.raises(BundleError, match=told):
        rerun_bundle(copy, say=silent)


def test_pictures_of_another_size_or_content_are_refused(copy: Path) -> None:
    name = "crops/=small/movie0_1.tif"
    pixels = tifffile.imread(copy / name)
    for other, told in ((pixels[:, :-1], "has the shape"), (pixels + 1, "no longer look as they did")):
        tifffile.imwrite(copy / name, other, photometric="minisblack", metadata={"axes": "CYX"})
        manifest = json.loads((copy / "manifest.json").read_text(encoding="utf-8"))
        manifest["files"][name] = hashlib.sha256((copy / name).read_bytes()).hexdigest()
        (copy / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
        with pytest.raises(BundleError, match=told):
            rerun_bundle(copy, say=silent)


def test_masks_of_other_cells_are_refused(project, tmp_path: Path) -> None:
    place, run = project
    out = share(run, place, tmp_path / "b")
    for arrays in ({"masks": np.zeros((14, 24, 4), np.uint8)}, {"other": np.zeros(3)}, None):
        (out / "masks.npz").write_bytes(b"no arrays") if arrays is None else np.savez(out / "masks.npz", **arrays)
        manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
        manifest["files"]["masks.npz"] = hashlib.sha256((out / "masks.npz").read_bytes()).hexdigest()
        (out / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
        with pytest.raises(BundleError, match=r"'masks.npz' of the bundle can't be used"):
            rerun_bundle(out, say=silent)


def test_the_script_of_a_bundle_and_its_notebook_do_the_same(bundle: Path, tmp_path: Path, monkeypatch) -> None:
    import matplotlib
    import matplotlib.pyplot as plt

    matplotlib.use("agg")
    monkeypatch.setattr(plt, "show", lambda: None)  # without a window it warns
    monkeypatch.chdir(bundle)
    book = json.loads((bundle / "rerun.ipynb").read_text(encoding="utf-8"))
    names: dict[str, Any] = {}
    for cell in book["cells"]:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), names)
    assert names["found"].agree
    assert len(plt.get_fignums()) == 2
    plt.close("all")
    monkeypatch.setattr("sys.argv", ["rerun.py", "--out", str(tmp_path / "again")])
    with pytest.raises(SystemExit) as ended:
        run_path(str(bundle / "rerun.py"), run_name="__main__")
    assert ended.value.code == 0
    assert (tmp_path / "again" / "card.json").is_file()


def test_reading_a_source_of_a_card_without_a_shape(folders: Path) -> None:
    found = read_source(folders, {"group_from": GROUP_FROM})
    assert found.crops.shape == (24, 2, 24, 24)
