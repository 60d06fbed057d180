"""`train` and `evaluate` on class folders."""

from __future__ import annotations

import errno
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

KEYS = {"accuracy", "balanced_accuracy", "macro_f1", "n_train", "n_test", "classes", "confusion", "seconds"}
MORE = {
    "matthews",
    "kappa",
    "kappa_kind",
    "ece",
    "ece_before",
    "intervals",
    "per_class",
    "groups",
    "by_cell",
    "warnings",
}


def last_json(result: Any) -> dict[str, Any]:
    values = json.loads(result.stdout.splitlines()[-1])
    assert isinstance(values, dict)
    return values


def test_train_answers_with_figures_and_a_run_folder(run: tuple[Path, Any]) -> None:
    out, result = run
    assert result.exit_code == 0, result.output
    answer = last_json(result)
    assert KEYS | {"images_per_second"} <= set(answer)
    assert set(answer) >= MORE
    assert answer["classes"] == ["large one 🔬", "small"]
    assert answer["groups"] >= 1
    assert [one["name"] for one in answer["per_class"]] == answer["classes"]
    assert answer["cross_validated"]["n"] == 36
    assert set(answer["cross_validated"]) >= MORE
    assert answer["n_train"] + answer["n_test"] == 36
    assert sum(map(sum, answer["confusion"])) == answer["n_test"]
    assert answer["accuracy"] > 0.9
    assert (out / "card.json").is_file()
    assert not list(out.rglob("*.pkl"))


def test_predictions_csv_says_what_each_cell_was(run: tuple[Path, Any]) -> None:
    out, result = run
    table = pd.read_csv(out / "predictions.csv", keep_default_na=False)
    first = ["image", "cell_id", "t", "z", "y", "x", "label", "predicted", "confidence"]
    assert list(table.columns) == [*first, "unlike", "flagged", "p_large one 🔬", "p_small", "part"]
    assert len(table) == 36
    answer = last_json(result)
    assert (table["part"] == "training").sum() == answer["n_train"]
    assert (table["part"] == "held out").sum() == answer["n_test"]
    held_out = table[table["part"] == "held out"]
    assert (held_out["label"] == held_out["predicted"]).mean() == pytest.approx(answer["accuracy"])
    movies = table.groupby(table["image"].str.extract(r"(movie\d+)")[0])["part"].nunique()
    assert (movies == 1).all()


def test_same_seed_gives_the_same_figures(
    class_folders: Path, run: tuple[Path, Any], tmp_path: Path, invoke: Any
) -> None:
    options = ("--recipe", "quick", "--group-from", r"movie\d+", "--seed", 3, "--device", "cpu", "--json")
    again = last_json(invoke("train", class_folders, "--out", tmp_path / "again", *options))
    first = last_json(run[1])
    assert again["confusion"] == first["confusion"]
    table = "predictions.csv"
    assert (tmp_path / "again" / table).read_text() == (run[0] / table).read_text()


def test_evaluate_on_the_training_data_scores_the_held_out_cells_only(
    class_folders: Path, run: tuple[Path, Any], invoke: Any
) -> None:
    result = invoke("evaluate", run[0], class_folders, "--json")
    answer, trained = last_json(result), last_json(run[1])
    assert answer["n_test"] == trained["n_test"]
    assert answer["confusion"] == trained["confusion"]
    assert answer["n_left_out"] == trained["n_train"]
    assert f"Left out {trained['n_train']} of 36 cells" in result.stdout


def test_a_trained_cell_is_known_again_under_another_name(
    class_folders: Path, run: tuple[Path, Any], tmp_path: Path, invoke: Any
) -> None:
    table = pd.read_csv(run[0] / "predictions.csv", keep_default_na=False)
    trained = table[table["part"] == "training"]["image"].tolist()
    (tmp_path / "small").mkdir()
    for number, name in enumerate(trained):
        shutil.copy(class_folders / name, tmp_path / "small" / f"renamed {number}.tif")
    result = invoke("evaluate", run[0], tmp_path)
    assert result.exit_code == 1
    assert f"All {len(trained)} labelled cells are ones the model was trained on" in result.stderr
    assert "accuracy" not in result.stdout


def test_evaluate_leaves_out_new_cells_of_movies_trained_on(
    class_folders: Path, run: tuple[Path, Any], tmp_path: Path, invoke: Any
) -> None:
    table = pd.read_csv(run[0] / "predictions.csv", keep_default_na=False)
    of_trained = table[table["part"] == "training"]["image"].iloc[0]
    movie = Path(of_trained).name.split("_")[0]
    import tifffile

    (tmp_path / "small").mkdir()
    crop = tifffile.imread(class_folders / of_trained)[::-1]
    tifffile.imwrite(tmp_path / "small" / f"{movie}_new.tif", crop)
    tifffile.imwrite(tmp_path / "small" / "movie99_new.tif", crop[:, ::-1])
    assert last_json(invoke("evaluate", run[0], tmp_path, "--json"))["n_test"] == 2
    grouped = invoke("evaluate", run[0], tmp_path, "--json", "--group-from", r"movie\d+")
    assert last_json(grouped)["n_test"] == 1


def test_evaluate_leaves_out_classes_the_model_does_not_know(
    class_folders: Path, run: tuple[Path, Any], tmp_path: Path, invoke: Any
) -> None:
    import tifffile

    crop = tifffile.imread(next((class_folders / "small").iterdir()))
    for name in ("small", "huge"):
        (tmp_path / name).mkdir()
        tifffile.imwrite(tmp_path / name / "new.tif", crop + len(name))
    result = invoke("evaluate", run[0], tmp_path, "--json")
    assert last_json(result)["n_test"] == 1
    assert "classes that the model does not know: huge" in result.stdout
    assert "No cell to score on is of large one 🔬: the figures are over the classes that are there." in result.stdout
    assert last_json(result)["balanced_accuracy"] == last_json(result)["accuracy"]
    shutil.rmtree(tmp_path / "small")
    result = invoke("evaluate", run[0], tmp_path)
    assert result.exit_code == 1
    assert "No cell is of a class that the model knows (large one 🔬, small)" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("train", "{missing}", "--out", "{new}"), "There is no folder"),
        (("train", "{data}", "--out", "{new}", "--recipe", "slow"), "There is no recipe 'slow'"),
        (("train", "{data}", "--out", "{run}", "--recipe", "quick"), "add --overwrite"),
        (("train", "{data}", "--out", "{new}", "--group-from", "("), "is no regular expression"),
        (("train", "{data}", "--out", "{file}"), "a run needs a folder"),
        (("train", "{data}", "--out", "{file}/run"), "can't be written"),
        (("train", "{data}", "--out", "{new}", "--epochs", "-1"), "epochs is -1, but must be from"),
        (("evaluate", "{missing}", "{data}"), "There is no folder"),
        (("evaluate", "{data}", "{data}"), "There is no model in"),
    ],
)
def test_mistakes_are_one_sentence_and_exit_code_1(
    arguments: tuple[str, ...], text: str, class_folders: Path, run: tuple[Path, Any], tmp_path: Path, invoke: Any
) -> None:
    file = tmp_path / "file"
    file.touch()
    places = {"missing": tmp_path / "none", "data": class_folders, "new": tmp_path / "new", "run": run[0], "file": file}
    result = invoke(*(one.format(**places) for one in arguments))
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ")
    assert text in result.stderr
    assert "Traceback" not in result.output
    assert not (tmp_path / "new").exists()


def test_unreadable_and_mixed_pictures_are_counted_and_named(class_folders: Path, tmp_path: Path, invoke: Any) -> None:
    import tifffile

    shutil.copytree(class_folders, tmp_path / "data")
    for number in range(2):
        (tmp_path / "data" / "small" / f"cut{number}.tif").write_bytes(b"II*")
    (tmp_path / "data" / "small" / "read me.txt").touch()
    (tmp_path / "data" / "empty").mkdir()
    small = tifffile.imread(class_folders / "small" / "movie0_0.tif")[4:-4, 4:-4]
    tifffile.imwrite(tmp_path / "data" / "small" / "movie0_x.tif", (small // 256).astype("uint8"))
    result = invoke("train", tmp_path / "data", "--recipe", "quick", "--out", tmp_path / "run", "--device", "cpu")
    assert result.exit_code == 0, result.output
    told = " ".join(result.stdout.split())
    assert "2 files were left out, 37 cells are used. Left out: small/cut0.tif: can't be read" in told
    assert "read me" not in told
    for text in ("Pictures differ in size: 36 32 x 32", "36 uint16 (such as", "without a picture, so no class: empty"):
        assert text in told


def test_one_class_only_is_said(class_folders: Path, tmp_path: Path, invoke: Any) -> None:
    shutil.copytree(class_folders / "small", tmp_path / "data" / "small")
    result = invoke("train", tmp_path / "data", "--recipe", "quick", "--out", tmp_path / "run")
    assert result.exit_code == 1
    assert "training needs" in result.stderr


def test_finetune_writes_a_plain_line_an_epoch(class_folders: Path, tmp_path: Path, invoke: Any) -> None:
    recipe = tmp_path / "small.toml"
    choices = ('name = "small"', 'kind = "finetune"', 'network = "mobilenet_v3_small"', "views = 1")
    recipe.write_text("\n".join(choices), encoding="utf-8")
    options = ("--recipe", recipe, "--weights", "none", "--epochs", 2, "--device", "cpu", "--json")
    result = invoke("train", class_folders, *options, "--out", tmp_path / "run")
    assert result.exit_code == 0, result.output
    lines = [line for line in result.stdout.splitlines() if line.startswith("epoch ")]
    assert [line.split()[1] for line in lines] == ["1/2", "2/2"]
    assert "\x1b" not in result.stdout
    history = pd.read_csv(tmp_path / "run" / "history.csv")
    assert history["epoch"].tolist() == [1, 2]
    assert (tmp_path / "run" / "weights.safetensors").is_file()
    assert last_json(result)["images_per_second"] > 0


@pytest.mark.parametrize(
    ("setting", "text"),
    [
        ("crop", "'crop' is no choice of a recipe. Write --set NAME=VALUE with one of these names: name,"),
        ("zoom=2", "'zoom=2' is no choice of a recipe"),
        ("epochs=many", "--set epochs=many needs a whole number after the '='. 'many' is none"),
        ("margin=wide", "--set margin=wide needs a number after the '='"),
        ("flip=maybe", "flip is 'maybe', but must be true or false"),
        (
            "crop=cell",
            "crop is 'cell', which needs whole images, but class folders hold cells that are cut out already",
        ),
    ],
)
def test_a_choice_that_can_not_be_set_is_named(
    setting: str, text: str, class_folders: Path, tmp_path: Path, invoke: Any
) -> None:
    result = invoke("train", class_folders, "--out", tmp_path / "run", "--recipe", "quick", "--set", setting)
    assert result.exit_code == 1
    assert text in " ".join(result.stderr.split())


def test_choices_that_are_set_are_in_the_card(class_folders: Path, tmp_path: Path, invoke: Any) -> None:
    chosen = ("--set", "normalise=fixed", "--set", "fixed_high=200", "--set", "margin=2", "--set", "flip=false")
    result = invoke("train", class_folders, "--out", tmp_path / "run", "--recipe", "quick", *chosen)
    assert result.exit_code == 0, result.output
    card = json.loads((tmp_path / "run" / "card.json").read_text(encoding="utf-8"))
    recipe = card["recipe"]
    assert (recipe["normalise"], recipe["fixed_high"], recipe["margin"], recipe["flip"]) == ("fixed", "200", 2.0, False)
    assert card["normalisation"]["high"] == [200.0]


def test_an_ensemble_is_trained_evaluated_and_reported(
    class_folders: Path, image: Path, tmp_path: Path, invoke: Any
) -> None:
    (tmp_path / "net.toml").write_text(
        'name = "net"\nkind = "finetune"\nnetwork = "mobilenet_v3_small"\nweights = "none"\nepochs = 1\nviews = 1\n'
    )
    (tmp_path / "both.toml").write_text('name = "both"\nkind = "ensemble"\nmembers = "quick, net.toml"\n')
    out = tmp_path / "run"
    options = ("--recipe", tmp_path / "both.toml", "--out", out, "--group-from", r"movie\d+", "--device", "cpu")
    result = invoke("train", class_folders, *options, "--epochs", 3, "--report", "--json")
    assert result.exit_code == 0, result.output
    assert "Without effect on an ensemble, as its members have their own: epochs." in result.output
    assert "member 2 net  epoch 1/1" in result.output
    assert last_json(result)["recipe"] == "both"
    assert (out / "members" / "1" / "weights.safetensors").is_file()
    assert "Member 2" in (out / "report.html").read_text(encoding="utf-8")
    judged = invoke("evaluate", out, class_folders, "--device", "cpu", "--json")
    assert judged.exit_code == 0, judged.output
    assert last_json(judged)["accuracy"] == pytest.approx(last_json(result)["accuracy"])
    predicted = invoke("predict", out, image, "--out", tmp_path / "cells.csv")
    assert predicted.exit_code == 0, predicted.output
    table = pd.read_csv(tmp_path / "cells.csv")
    assert len(table) == 8
    assert table[["p_small", "p_large one 🔬"]].sum(axis=1).tolist() == pytest.approx([1] * 8, abs=1e-4)


def test_an_ensemble_of_ensembles_is_refused(class_folders: Path, tmp_path: Path, invoke: Any) -> None:
    options = ("--recipe", "ensemble", "--out", tmp_path / "run", "--set", "members=quick, ensemble")
    result = invoke("train", class_folders, *options)
    assert result.exit_code == 1
    assert "'ensemble' is an ensemble, but members of an ensemble can't be one" in result.output


def test_a_place_that_can_not_be_written_is_said_before_any_training(
    class_folders: Path, tmp_path: Path, invoke: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_training(*_: object, **__: object) -> None:
        pytest.fail("it was trained, and could not be kept")

    monkeypatch.setattr("napari_cellstage.cli.training.fit", no_training)
    (tmp_path / "file").touch()
    result = invoke("train", class_folders, "--recipe", "quick", "--out", tmp_path / "file" / "run")
    assert result.exit_code == 1
    assert "can't be written" in result.stderr
    # Looking whether a place can be written leaves nothing there.
    empty = invoke("train", tmp_path / "nothing", "--recipe", "quick", "--out", tmp_path / "new" / "run")
    assert empty.exit_code == 1
    assert sorted(one.name for one in tmp_path.iterdir()) == ["file"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES])
def test_a_full_disk_is_one_sentence_wherever_it_is_met(
    number: int, class_folders: Path, tmp_path: Path, invoke: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(number, os.strerror(number), str(tmp_path / "run" / "examples.npz"))

    monkeypatch.setattr("napari_cellstage.cli.training.save_examples", full)
    result = invoke("train", class_folders, "--recipe", "quick", "--out", tmp_path / "run", "--device", "cpu")
    assert result.exit_code == 1
    assert "examples.npz' can't be read or written: " in result.stderr
    assert result.stderr.endswith("What was saved before is kept. Make room, or choose another place.\n")
    assert (tmp_path / "run" / "card.json").is_file()


def test_an_error_that_is_no_matter_of_the_disk_keeps_its_traceback(
    class_folders: Path, tmp_path: Path, invoke: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(*_: object) -> None:
        raise FileNotFoundError(errno.ENOENT, "a bug")

    monkeypatch.setattr("napari_cellstage.cli.training.save_examples", wrong)
    result = invoke("train", class_folders, "--recipe", "quick", "--out", tmp_path / "run", "--device", "cpu")
    assert isinstance(result.exception, FileNotFoundError)
