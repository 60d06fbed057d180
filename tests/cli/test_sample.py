from __future__ import annotations

import json
from pathlib import Path

import imageio.v3 as imageio
import numpy as np
import pandas as pd
import pytest
import tifffile
from PIL import Image

from napari_cellstage.cli import sample_files
from napari_cellstage.core.folders import read_class_folders
from napari_cellstage.core.images import open_image
from napari_cellstage.core.label_companions import find_companions
from napari_cellstage.sample_data import cell_cycle_field
from napari_cellstage.sample_microtubules import microtubule_crops, microtubule_field
from napari_cellstage.sample_movie import cell_cycle_movie
from napari_cellstage.sample_photographs import photograph_field
from napari_cellstage.sample_stained import stained_field, stained_movie
from tests.cli.conftest import Invoke


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Samples of few cells, for speed."""
    small = {
        "field": lambda seed, _number: ("", cell_cycle_field(seed, 200, 8)),
        "movie": lambda seed, _number: ("", cell_cycle_movie(seed, 96, 2, 3)),
        "microtubules": lambda seed, number: (f"_dose{number}", microtubule_field(seed, 500, 2, "0.1")),
        "photographs": lambda seed, _number: ("", photograph_field(seed, 2, 400)),
        "stained": lambda seed, _number: ("", stained_field(seed, 96, 4)),
        "stained-movie": lambda seed, _number: ("", stained_movie(seed, 96, 2, 3)),
    }
    monkeypatch.setattr(sample_files, "FIELDS", small)


def test_class_folders_of_microtubules_are_read_again(tmp_path: Path, invoke: Invoke) -> None:
    out = tmp_path / "new" / "crops"
    done = invoke("sample", "microtubules", "--out", out, "--per-class", 2, "--seed", 3, "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["synthetic"] is True
    assert (told["cells"], told["classes"]) == (6, ["0", "0.1", "1"])
    assert "SYNTHETIC" in done.stdout
    crops, drawn = read_class_folders(out, "^[^_]+"), microtubule_crops(2, 3)
    assert crops.classes == drawn.classes
    assert set(crops.names) == set(drawn.names)
    drawn = drawn.take(np.array([drawn.names.index(name) for name in crops.names]))  # read in the order of the paths
    np.testing.assert_array_equal(crops.crops, drawn.crops)
    np.testing.assert_array_equal(crops.groups, drawn.groups)
    np.testing.assert_array_equal(crops.labels, drawn.labels)
    assert crops.skipped == ()


def test_every_file_says_that_it_is_synthetic(tmp_path: Path, invoke: Invoke) -> None:
    for name, ending in (("microtubules", "tif"), ("photographs", "jpg")):
        out = tmp_path / name
        assert invoke("sample", name, "--out", out, "--per-class", 1).exit_code == 0
        note = (out / "SYNTHETIC.txt").read_text(encoding="utf-8")
        assert f"napari-cellstage sample {name} --per-class 1 --seed 0" in note
        file = next(out.rglob(f"*.{ending}"))
        assert "synthetic" in file.name
        if ending == "tif":
            with tifffile.TiffFile(file) as tif:
                assert tif.pages[0].description.startswith("SYNTHETIC")
        else:
            with Image.open(file) as picture:
                assert picture.getexif()[0x010E].startswith("SYNTHETIC")


def test_class_folders_of_photographs_are_read_again(tmp_path: Path, invoke: Invoke) -> None:
    assert invoke("sample", "photographs", "--out", tmp_path, "--per-class", 2).exit_code == 0
    crops = read_class_folders(tmp_path)
    assert crops.crops.shape == (10, 3, 112, 112)
    assert crops.counts() == dict.fromkeys(("anaphase", "interphase", "metaphase", "prophase", "telophase"), 2)


@pytest.mark.parametrize("name", ["field", "movie", "microtubules", "photographs"])
def test_fields_come_with_labels_and_truth(tmp_path: Path, invoke: Invoke, small: None, name: str) -> None:
    done = invoke("sample", name, "--out", tmp_path, "--fields", 2, "--json")
    assert done.exit_code == 0, done.output
    files = sorted(f for f in tmp_path.iterdir() if f.suffix in (".tif", ".jpg"))
    pairs, others = find_companions(files)
    assert len(pairs) == 2
    assert all("synthetic" in file.name for file in files)
    assert sorted(others) == sorted(pair.image for pair in pairs)
    truth = pd.read_csv(tmp_path / "truth.csv", dtype={"class": str})
    assert len(truth) == json.loads(done.stdout.splitlines()[-1])["cells"]
    for pair in pairs:
        stack, labels = open_image(pair.image), tifffile.imread(pair.labels)
        assert stack.shape[-2:] == labels.shape[-2:]
        frames = labels.reshape(stack.shape[0], *stack.shape[-2:])
        of_image = truth[truth["image"] == pair.image.name]
        for t, frame in enumerate(frames):
            assert set(of_image.loc[of_image["t"] == t, "cell_id"]) == set(np.unique(frame)) - {0}
        assert of_image["class"].notna().all()


def test_stained_cells_are_fields_to_train_on_and_a_time_lapse(tmp_path: Path, invoke: Invoke, small: None) -> None:
    done = invoke("sample", "stained", "--out", tmp_path, "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout.splitlines()[-1])["images"] == 5
    fields = [file for file in (tmp_path / "fields").glob("*.tif") if "labels" not in file.name]
    assert len(fields) == 4
    assert open_image(fields[0]).channel_names == ("phase", "DNA", "tubulin")
    movie = open_image(tmp_path / "time-lapse" / "synthetic_stained-movie_01.tif")
    assert movie.shape[:2] == (3, 3)
    for folder in ("fields", "time-lapse"):
        truth = pd.read_csv(tmp_path / folder / "truth.csv")
        assert truth["class"].notna().all()
    assert "synthetic_stained" in fields[0].name
    assert "napari-cellstage sample stained --fields 4" in (tmp_path / "SYNTHETIC.txt").read_text(encoding="utf-8")


def test_stained_cells_may_be_a_stack_in_depth(
    tmp_path: Path, invoke: Invoke, small: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sample_files, "stained_field", lambda seed, planes: stained_field(seed, 96, 3, planes))
    done = invoke("sample", "stained", "--out", tmp_path, "--fields", 1, "--planes", 3)
    assert done.exit_code == 0, done.output
    stack = open_image(tmp_path / "fields" / "synthetic_stained_01.tif")
    assert stack.shape == (1, 3, 3, 96, 96)
    assert stack.pixel_size_um == pytest.approx((1.5, 0.4, 0.4))
    np.testing.assert_array_equal(np.asarray(stack.data), np.asarray(stained_field(0, 96, 3, 3).stack.data))
    labels = tifffile.imread(tmp_path / "fields" / "synthetic_stained_01_labels.tif")
    assert labels.shape == (3, 96, 96)


def test_an_image_keeps_pixels_names_and_sizes(tmp_path: Path) -> None:
    stack = cell_cycle_movie(1, 64, 1, 2).stack
    sample_files.write_image(tmp_path / "a.tif", stack, "SYNTHETIC")
    back = open_image(tmp_path / "a.tif")
    np.testing.assert_array_equal(np.asarray(back.data), np.asarray(stack.data))
    assert back.channel_names == stack.channel_names
    assert back.pixel_size_um is not None
    assert back.pixel_size_um[1:] == stack.pixel_size_um[1:]
    assert back.time_step_s == stack.time_step_s
    with tifffile.TiffFile(tmp_path / "a.tif") as tif:
        assert "<Description>SYNTHETIC</Description>" in tif.ome_metadata


def test_a_photograph_is_a_jpeg_of_nearly_the_same_pixels(tmp_path: Path) -> None:
    stack = photograph_field(0, 2, 400).stack
    sample_files.write_image(tmp_path / "a.jpg", stack, "SYNTHETIC")
    pixels = np.moveaxis(np.asarray(stack.data)[0, :, 0], 0, -1)
    assert np.abs(imageio.imread(tmp_path / "a.jpg").astype(int) - pixels).mean() < 3


def test_photographs_have_the_width_asked_for(tmp_path: Path, invoke: Invoke) -> None:
    done = invoke("sample", "photographs", "--out", tmp_path, "--fields", 1, "--width", 404)
    assert done.exit_code == 0, done.output
    assert imageio.imread(tmp_path / "synthetic_photographs_01.jpg").shape == (303, 404, 3)
    assert tifffile.imread(tmp_path / "synthetic_photographs_01_labels.tif").shape == (303, 404)


def test_the_real_dishes_have_a_dose_each() -> None:
    names, fields = zip(*(sample_files.FIELDS["microtubules"](0, number) for number in range(3)), strict=True)
    assert names == ("_dose0", "_dose0.1", "_dose1")
    assert [set(field.classes_of) for field in fields] == [{"0"}, {"0.1"}, {"1"}]


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path, invoke: Invoke) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    done = invoke("sample", "microtubules", "--out", tmp_path, "--per-class", 1)
    assert done.exit_code == 1
    assert "is not empty" in done.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["mine.txt"]
    assert "is a file" in invoke("sample", "field", "--out", tmp_path / "mine.txt").stderr


def test_a_place_that_cant_be_written_is_said(tmp_path: Path, invoke: Invoke) -> None:
    (tmp_path / "file").write_text("")
    done = invoke("sample", "field", "--out", tmp_path / "file" / "out")
    assert done.exit_code == 1
    assert "can't be written" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("movie", "--per-class", 3), "'movie' has no crops"),
        (("microtubules", "--per-class", 3, "--fields", 2), "Give one of them"),
        (("microtubules", "--per-class", 0), "--per-class is 0, but must be 1 or more"),
        (("field", "--fields", -1), "--fields is -1, but must be 1 or more"),
        (("field", "--seed", -1), "--seed is -1, but must be 0 or more"),
        (("photographs", "--width", 800), "--width 800 is the width of whole photographs"),
        (("field", "--fields", 1, "--width", 800), "--width 800 is the width of whole photographs"),
        (("stained", "--per-class", 3), "'stained' has no crops"),
        (("stained", "--planes", 0), "0 planes can't be drawn. Ask for 1 to 31"),
        (("movie", "--planes", 3), "--planes 3 is for stained cells in phase contrast"),
        (("photographs", "--fields", 1, "--width", 80), "--width is 80, but must be 400 to 8000"),
    ],
)
def test_choices_that_do_not_fit_are_said(tmp_path: Path, invoke: Invoke, arguments: tuple[str], text: str) -> None:
    done = invoke("sample", *arguments, "--out", tmp_path / "out")
    assert done.exit_code == 1
    assert text in done.stderr
    assert not (tmp_path / "out").exists()


def test_an_unknown_sample_is_a_wrong_option(tmp_path: Path, invoke: Invoke) -> None:
    assert invoke("sample", "nothing", "--out", tmp_path).exit_code == 2
