"""What a bundle holds: everything, exactly as it was trained on, and nothing of the user's machine."""

from __future__ import annotations

import json
import shutil
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile

from napari_cellstage.core.errors import CellStageError
from napari_cellstage.core.folders import read_class_folders
from napari_cellstage.core.safe_csv import read_csv
from napari_cellstage.learn.model import TrainedModel, read_card
from napari_cellstage.learn.recipe import Recipe
from napari_cellstage.learn.runs import note_in_card
from napari_cellstage.session import Session
from napari_cellstage.sharing import BundleError, open_bundle
from napari_cellstage.sharing.source import data_of, read_source
from napari_cellstage.sharing.write import write_bundle
from tests.core.stain_scene import prediction_for
from tests.sharing.made import GROUP_FROM, play, share

FILES = {
    "README.md", "labels.csv", "split.json", "recipe.toml", "figures.json", "report.html", "rerun.py", "rerun.ipynb",
    "manifest.json", "model/card.json", "model/weights.safetensors", "model/history.csv", "model/unseen.npz",
    "model/examples.npz", "model/labels.csv",
}  # fmt: skip


def names(folder: Path) -> set[str]:
    return {one.relative_to(folder).as_posix() for one in folder.rglob("*") if one.is_file()}


def test_all_is_there_and_whole(bundle: Path) -> None:
    crops = {name for name in names(bundle) if name.startswith("crops/")}
    assert names(bundle) - crops == FILES
    assert len(crops) == 24
    assert {name.split("/")[1] for name in crops} == {"=small", "large_one 🔬"}
    with open_bundle(bundle) as opened:
        assert set(opened.manifest["files"]) == names(bundle) - {"manifest.json"}
        assert opened.notes == ()


def test_crops_are_the_pixels_that_were_trained_on(bundle: Path, folders: Path) -> None:
    table = read_csv(bundle / "labels.csv")
    assert list(table.columns) == ["cell", "class", "group", "part", "picture", "hash"]
    then = read_class_folders(folders, GROUP_FROM)
    assert table["cell"].str.rpartition("#")[0].tolist() == list(then.names)
    assert table["class"].tolist() == [then.classes[i] for i in then.labels]
    assert table["group"].tolist() == then.groups.tolist()
    assert set(table["part"]) == {"trained", "held out"}
    for name, crop in zip(table["picture"], then.crops, strict=True):
        pixels = tifffile.imread(bundle / name)
        assert pixels.dtype == np.uint16
        assert np.array_equal(pixels, crop)
    again = read_class_folders(bundle / "crops", GROUP_FROM)
    assert (again.crops.shape, set(again.groups)) == (then.crops.shape, set(then.groups))


def test_split_recipe_and_figures_are_those_of_the_run(bundle: Path, run: Path) -> None:
    card, split = read_card(run), json.loads((bundle / "split.json").read_text(encoding="utf-8"))
    assert split["held_out"] == card["split"]["held_out"]
    assert split["trained"] == card["split"]["trained"]
    assert set(split["folds"].values()) == {0, 1}
    assert set(tomllib.loads((bundle / "recipe.toml").read_text(encoding="utf-8"))) == set(Recipe().to_dict())
    assert Recipe.load(str(bundle / "recipe.toml")).to_dict() == card["recipe"]
    figures = json.loads((bundle / "figures.json").read_text(encoding="utf-8"))
    assert figures["scores"] == {"held out": card["held_out_scores"], "cross-validated": card["scores"]}
    assert (figures["versions"], figures["machine"], figures["made"]) == (
        card["versions"], card["machine"], card["made"],
    )  # fmt: skip
    assert TrainedModel.load(bundle / "model").classes == TrainedModel.load(run).classes


def test_nothing_names_a_folder_of_the_users_machine(bundle: Path, folders: Path, run: Path, project, tmp_path) -> None:
    place, made = project
    references = share(run, folders, tmp_path / "references", references=True)
    for folder in (bundle, references, share(made, place, tmp_path / "of project")):
        for name in names(folder):
            content = (folder / name).read_bytes()
            assert b"home of anna" not in content, name
            assert str(tmp_path).encode() not in content, name
            assert str(run.parent).encode() not in content, name
            assert str(Path.home()).encode() + b"/" not in content, name


def test_the_notebook_is_one_and_its_code_can_be_read(bundle: Path) -> None:
    book = json.loads((bundle / "rerun.ipynb").read_text(encoding="utf-8"))
    assert (book["nbformat"], book["nbformat_minor"]) == (4, 5)
    assert len({cell["id"] for cell in book["cells"]}) == len(book["cells"])
    for cell in book["cells"]:
        assert set(cell) == {"cell_type", "id", "metadata", "source"} | (
            {"execution_count", "outputs"} if cell["cell_type"] == "code" else set()
        )
        assert cell.get("outputs", []) == []
        if cell["cell_type"] == "code":
            compile("".join(cell["source"]), "cell", "exec")
    compile((bundle / "rerun.py").read_text(encoding="utf-8"), "rerun.py", "exec")


def test_the_pages_tell_how_to_do_it_again(bundle: Path) -> None:
    readme = (bundle / "README.md").read_text(encoding="utf-8")
    assert "napari-cellstage rerun ." in readme
    assert "| large\\|one 🔬 | 12 |" in readme
    for name in FILES - {one for one in FILES if one.startswith("model/")} - {"README.md"}:
        assert f"`{name}`" in readme
    assert "napari-cellstage rerun ." in (bundle / "report.html").read_text(encoding="utf-8")


def test_references_hold_names_and_hashes_and_no_pixels(run: Path, folders: Path, tmp_path: Path) -> None:
    out = share(run, folders, tmp_path / "out", references=True)
    assert names(out) == FILES
    table = read_csv(out / "labels.csv")
    assert all((folders / name).is_file() for name in table["picture"])
    assert (table["hash"].str.len() == 64).all()
    assert "--data FOLDER" in (out / "README.md").read_text(encoding="utf-8")


def test_cells_of_a_project_are_cut_as_the_run_says_with_their_masks_and_labels_of_then(project, tmp_path) -> None:
    place, run = project
    session = Session()
    session.open_project(place)
    session.label_cells(np.array([0]), 2)  # another class
    session.label_cells(np.array([1]), 0)  # none
    session.label_cells(np.array([15]), 1)  # not in the run
    session.close()
    shared = play(write_bundle(run, read_source(place, read_card(run)), tmp_path / "b", data_folder=place))
    assert shared.notes == (
        "1 of 14 cells have another label today: these are the labels of the training.",
        "1 of 14 cells have no label today: these are the labels of the training.",
    )
    table = read_csv(tmp_path / "b" / "labels.csv")
    assert table["class"].tolist() == ["small", "large"] * 7
    pixels = tifffile.imread(tmp_path / "b" / table["picture"][0])
    assert (pixels.dtype, pixels.shape) == (np.float32, (1, 24, 24))
    assert table["picture"][0] == "crops/small/field of anna_t000_c00001.tif"
    assert (tmp_path / "b" / "masks.npz").is_file()
    assert shared.notes[0] in (tmp_path / "b" / "README.md").read_text(encoding="utf-8")


def test_a_run_is_shared_as_it_saw_its_cells_whatever_stain_is_chosen_now(project, tmp_path) -> None:
    place, run = project
    session = Session()
    session.open_project(place)
    session.add_stains(1, prediction_for(session.current), "stains")
    session.network_channels = [1]
    session.close()
    play(write_bundle(run, read_source(place, read_card(run)), tmp_path / "b", data_folder=place))
    table = read_csv(tmp_path / "b" / "labels.csv")
    assert tifffile.imread(tmp_path / "b" / table["picture"][0]).shape == (1, 24, 24)


def test_a_run_of_an_earlier_version_takes_the_labels_of_today_and_says_so(project, run, folders, tmp_path) -> None:
    place, made = project
    for old, data in ((tmp_path / "old", folders), (place / "runs" / "two", place)):
        shutil.copytree(run if data is folders else made, old)
        (old / "labels.csv").unlink()
        note_in_card(old, crops=None, versions={}, machine=None)
        out = tmp_path / f"{old.name}.bundle"
        shared = play(write_bundle(old, read_source(data, read_card(old)), out))
        assert shared.notes == (
            "An earlier version made this run, which kept no labels: these are the labels of today.",
        )
    session = Session()
    session.open_project(place)
    session.label_cells(np.array([0]), 2)
    session.close()
    shared = play(write_bundle(old, read_source(place, read_card(old)), tmp_path / "again"))
    assert "so some labels have changed, and figures will differ" in shared.notes[0]
    session.open_project(place)
    session.label_cells(np.array([1]), 0)
    session.close()
    with pytest.raises(BundleError, match=r"1 of 14 cells that the run was trained on are not in the data, or have no"):
        play(write_bundle(old, read_source(place, read_card(old)), tmp_path / "third"))


def test_changed_and_missing_pictures_are_named_and_renamed_ones_found(run, folders, tmp_path) -> None:
    data = tmp_path / "data"
    shutil.copytree(folders, data)
    first = data / "=small" / "movie0_1.tif"
    first.rename(data / "=small" / "movie3_called something else.tif")
    assert share(run, data, tmp_path / "renamed").is_dir()
    tifffile.imwrite(data / "=small" / "movie1_4.tif", np.zeros((2, 24, 24), np.uint16), photometric="minisblack")
    with pytest.raises(
        BundleError, match=r"1 of 24 cells no longer look as they did in training \(=small/movie1_4.tif"
    ):
        share(run, data, tmp_path / "changed")
    (data / "=small" / "movie1_4.tif").unlink()
    with pytest.raises(BundleError, match=r"1 of 24 cells .* are not in the data: =small/movie1_4.tif#"):
        share(run, data, tmp_path / "gone")
    assert not list(tmp_path.glob(".part-*"))
    assert not (tmp_path / "gone").exists()


def test_larger_pictures_that_came_later_change_nothing(run, folders, tmp_path) -> None:
    data = tmp_path / "data"
    shutil.copytree(folders, data)
    tifffile.imwrite(data / "=small" / "movie9_1.tif", np.ones((2, 30, 30), np.float32), photometric="minisblack")
    out = share(run, data, tmp_path / "out")
    assert tifffile.imread(next((out / "crops").rglob("*.tif"))).shape == (2, 24, 24)


def test_only_a_bundle_is_ever_replaced(run, folders, tmp_path) -> None:
    out = share(run, folders, tmp_path / "out")
    with pytest.raises(BundleError, match=r"is not empty. Choose a new folder, or allow a bundle"):
        share(run, folders, out)
    (out / "crops" / "stray.txt").touch()
    (tmp_path / ".old-out" / "crops").mkdir(parents=True)  # left where a writing was cut short
    share(run, folders, out, overwrite=True)
    assert not (out / "crops" / "stray.txt").exists()
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "me.jpg").touch()
    with pytest.raises(BundleError, match=r"holds other files than a bundle, which are not replaced"):
        share(run, folders, tmp_path / "photos", overwrite=True)
    (tmp_path / "file").touch()
    with pytest.raises(BundleError, match=r"is a file. Name a new folder, or a file that ends in .zip"):
        share(run, folders, tmp_path / "file", overwrite=True)
    with pytest.raises(CellStageError, match=r"is there already"):
        share(run, folders, share(run, folders, tmp_path / "a.zip"))
    assert sorted(one.name for one in tmp_path.iterdir()) == ["a.zip", "file", "out", "photos"]


def test_a_stop_leaves_nothing(run, folders, tmp_path) -> None:
    source = read_source(folders, read_card(run))
    assert play(write_bundle(run, source, tmp_path / "b.zip", should_stop=lambda: True)) is None
    assert list(tmp_path.iterdir()) == []


def test_without_room_it_is_said(run, folders, tmp_path, monkeypatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tifffile, "imwrite", full)
    with pytest.raises(BundleError, match=r"b' can't be written: no space left on device. Choose another place"):
        share(run, folders, tmp_path / "b")
    assert list(tmp_path.iterdir()) == []


def test_weights_of_a_file_go_along_and_their_place_does_not(run, folders, tmp_path) -> None:
    weights = tmp_path / "secret place" / "mine.safetensors"
    weights.parent.mkdir()
    shutil.copy(run / "weights.safetensors", weights)
    own = tmp_path / "run"
    shutil.copytree(run, own)
    card = read_card(own)
    note_in_card(own, recipe=card["recipe"] | {"weights": str(weights)}, started_from=str(weights))
    out = share(own, folders, tmp_path / "b")
    assert Recipe.load(str(out / "recipe.toml")).weights == "weights/mine.safetensors"
    assert (out / "weights" / "mine.safetensors").read_bytes() == weights.read_bytes()
    assert not [name for name in names(out) if b"secret place" in (out / name).read_bytes()]
    weights.unlink()
    shared = play(write_bundle(own, read_source(folders, card), tmp_path / "c"))
    assert "weights that the network started from is gone ('mine.safetensors')" in shared.notes[-1]


def test_where_the_data_are_is_asked_when_nobody_knows(run, folders, project, tmp_path) -> None:
    place, made = project
    assert data_of(run, read_card(run), None) == folders
    assert data_of(made, read_card(made), None) == place.resolve()
    with pytest.raises(BundleError, match=r"does not say what it was trained on. Name its data with --data"):
        data_of(run, {}, None)
    with pytest.raises(BundleError, match=r"no longer at 'gone'. Say with --data"):
        data_of(run, {"data": "gone"}, None)
    with pytest.raises(BundleError, match=r"There is nothing at '.*nowhere'"):
        data_of(run, {"data": "gone"}, tmp_path / "nowhere")


def test_a_cross_validation_of_other_labels_is_left_out_and_said(run, folders, tmp_path) -> None:
    own = tmp_path / "run"
    shutil.copytree(run, own)
    table = read_csv(own / "labels.csv")
    labels = pd.DataFrame(table)
    labels.loc[0, "class"] = "large|one 🔬"
    from napari_cellstage.core.safe_csv import write_csv

    write_csv(labels, own / "labels.csv")
    shared = play(write_bundle(own, read_source(folders, read_card(own)), tmp_path / "b"))
    assert any("has the figures on held-out cells only" in note for note in shared.notes)
    figures = json.loads((tmp_path / "b" / "figures.json").read_text(encoding="utf-8"))
    assert set(figures["scores"]) == {"held out"}
    assert figures["folds"] == 0
