from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import anndata
import numpy as np
import pandas as pd
import pytest
import tifffile

from napari_cellstage.core.folders import read_class_folders
from napari_cellstage.session import Session

from .conftest import Invoke, disc


def answer_of(result: Any) -> dict[str, Any]:
    assert result.exit_code in (0, 3), result.output
    return json.loads(result.stdout.strip().splitlines()[-1])  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, image: Path, class_folders: Path, invoke: Invoke) -> Path:
    """A project of a field whose cells were found, and of class folders."""
    folder = tmp_path_factory.mktemp("projects") / "made.cellstage"
    result = invoke(
        "import", image, class_folders, "--project", folder, "--find", "--json", "--group-from", r"movie\d+"
    )
    assert result.exit_code == 0, result.output
    answer = answer_of(result)
    assert [one["cells"] for one in answer["images"]] == [8, 36]
    assert [one["labelled"] for one in answer["images"]] == [0, 36]
    assert (answer["failed"], answer["project"]) == ([], str(folder))
    return folder


def test_the_same_files_again_change_nothing(project: Path, image: Path, class_folders: Path, invoke: Invoke) -> None:
    answer = answer_of(invoke("import", image, class_folders, "--project", project, "--json"))
    assert [(one["id"], one["cells"]) for one in answer["images"]] == [(1, 8), (2, 36)]


def test_what_cannot_be_opened_is_named_and_the_rest_goes_on(tmp_path: Path, image: Path, invoke: Invoke) -> None:
    (tmp_path / "bad.tif").write_bytes(b"nonsense")
    (tmp_path / "none").mkdir()
    wanted = [tmp_path / "bad.tif", tmp_path / "none", tmp_path / "nowhere.tif", image]
    result = invoke("import", *wanted, "--project", tmp_path / "p", "--json")
    assert result.exit_code == 3
    answer = answer_of(result)
    assert [one["name"] for one in answer["images"]] == ["a field.tif"]
    assert len(answer["failed"]) == 3
    assert "Not imported: There is no file" in result.stdout
    nothing = invoke("import", tmp_path / "bad.tif", "--project", tmp_path / "p")
    assert nothing.exit_code == 1
    assert "Nothing could be imported from" in nothing.stderr


def test_facts_come_from_names_and_plate_maps(tmp_path: Path, invoke: Invoke) -> None:
    for well in ("B02", "B03"):
        tifffile.imwrite(tmp_path / f"P1_{well}_f1.tif", disc(6, 400))
    tifffile.imwrite(tmp_path / "odd.tif", disc(6, 300))
    (tmp_path / "map.csv").write_text("well,treatment,dose\nB02,taxol,0.1 uM\nB03,none,0\nZ99,x,1\n")
    options = ("--pattern", "{plate}_{well}_f{field}", "--plate-map", tmp_path / "map.csv", "--json")
    files = sorted(tmp_path.glob("*.tif"))
    answer = answer_of(invoke("import", *files, "--project", tmp_path / "p", *options))
    assert any("'" in note and "does not fit the pattern" in note for note in answer["notes"])
    session = Session()
    session.open_project(tmp_path / "p.cellstage")
    facts = {entry.name: session.facts(entry.image_id) for entry in session.images}
    session.close()
    assert (facts["P1_B02_f1.tif"].treatment, facts["P1_B02_f1.tif"].dose) == ("taxol", "0.1 µM")
    assert facts["P1_B03_f1.tif"].well == "B03"
    wrong = invoke("import", files[0], "--project", tmp_path / "p", "--pattern", "{nonsense}")
    assert wrong.exit_code == 1


def test_axes_that_files_do_not_say_are_told_or_given(tmp_path: Path, invoke: Invoke) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((9, 40, 50), np.uint16), metadata=None, photometric="minisblack")
    told = answer_of(invoke("import", tmp_path / "a.tif", "--project", tmp_path / "told", "--json"))
    assert any("does not say what its axes are" in note and "--axes" in note for note in told["notes"])
    answer_of(invoke("import", tmp_path / "a.tif", "--project", tmp_path / "p", "--axes", "TYX", "--json"))
    session = Session()
    session.open_project(tmp_path / "p.cellstage")
    assert session.current is not None
    assert session.current.shape == (9, 1, 1, 40, 50)
    session.close()


def test_numbered_files_are_one_image_when_wished(tmp_path: Path, invoke: Invoke) -> None:
    (tmp_path / "movie").mkdir()
    for t in range(12):
        tifffile.imwrite(tmp_path / "movie" / f"exp_t{t:03d}.tif", disc(6, 400, seed=t))
    one = answer_of(invoke("import", tmp_path / "movie", "--project", tmp_path / "one", "--series", "--json"))
    many = answer_of(invoke("import", tmp_path / "movie", "--project", tmp_path / "many", "--json"))
    assert (len(one["images"]), len(many["images"])) == (1, 12)
    assert any("--series makes one" in note for note in many["notes"])


def test_crops_out_are_class_folders_again(project: Path, class_folders: Path, tmp_path: Path, invoke: Invoke) -> None:
    answer = answer_of(invoke("export", project, "--to", "crops", "--out", tmp_path / "out", "--json"))
    assert answer["cells"] == 36
    again, before = read_class_folders(tmp_path / "out"), read_class_folders(class_folders)
    assert again.counts() == before.counts()
    assert sorted(c.tobytes() for c in again.crops) == sorted(c.tobytes() for c in before.crops)
    refused = invoke("export", project, "--to", "crops", "--out", tmp_path / "out")
    assert refused.exit_code == 1
    assert "is not empty" in refused.stderr


def test_tables_outlines_and_anndata(project: Path, tmp_path: Path, invoke: Invoke) -> None:
    for to, out in (("csv", "t.csv"), ("geojson", "outlines"), ("anndata", "t.h5ad")):
        answer = answer_of(invoke("export", project, "--to", to, "--out", tmp_path / out, "--json"))
        assert (answer["format"], answer["cells"], answer["stopped"]) == (to, 44, False)
    table = pd.read_csv(tmp_path / "t.csv")
    assert table.groupby("image_id").size().tolist() == [8, 36]
    assert table.file.notna().sum() == 36
    assert set(table.origin.dropna()) == {"folder"}
    outlines = json.loads((tmp_path / "outlines" / "a field.tif.geojson").read_text())
    assert len(outlines["features"]) == 8
    assert anndata.read_h5ad(tmp_path / "t.h5ad").n_obs == 44
    labelled = invoke("export", project, "--to", "csv", "--out", tmp_path / "l.csv", "--labelled-only", "--json")
    assert answer_of(labelled)["cells"] == 36


def test_wrong_options_are_said(project: Path, tmp_path: Path, invoke: Invoke) -> None:
    wrong = invoke("export", project, "--to", "excel", "--out", tmp_path / "a")
    assert (wrong.exit_code, "There is no format 'excel'. Choose one of crops, csv" in wrong.stderr) == (1, True)
    small = invoke("export", project, "--to", "crops", "--size", 1, "--out", tmp_path / "a")
    assert (small.exit_code, "Crops of 1 pixels can't be made" in small.stderr) == (1, True)
    assert invoke("export", tmp_path / "none.cellstage", "--to", "csv", "--out", tmp_path / "a").exit_code == 1


def with_labels(folder: Path) -> Path:
    """A field of which channel 1 shows nuclei, with its cells beside it, and one whose labels do not fit."""
    y, x = np.mgrid[:200, :200]
    spots = ((y % 40) - 20) ** 2 + ((x % 40) - 20) ** 2 < 100
    net = ((y + x) % 17 < 3) | ((y - 2 * x) % 23 < 3)
    both = np.stack([net, spots]).astype(np.uint8) * 200
    for name in ("a", "b"):
        tifffile.imwrite(folder / f"{name}.tif", both, metadata={"axes": "CYX"}, photometric="minisblack")
    tifffile.imwrite(folder / "a_masks.tif", spots.astype(np.uint8) * 255)
    tifffile.imwrite(folder / "b_masks.tif", spots[:100].astype(np.uint8) * 255)
    return folder


def test_label_images_are_the_cells_of_images(tmp_path: Path, invoke: Invoke) -> None:
    result = invoke("import", with_labels(tmp_path), "--project", tmp_path / "p", "--json", "--find")
    assert result.exit_code == 3
    answer = answer_of(result)
    assert [(one["name"], one["cells"]) for one in answer["images"]] == [("a.tif", 25), ("b.tif", 25)]
    assert (
        "1 image got 25 cells from the label images beside them. To open label images as images give --labels none."
        in result.stdout
    )
    assert "b_masks.tif: The labels have the shape (100, 200)" in answer["failed"][0]
    assert "b.tif: no channel is named after a stain of nuclei; cells are found in channel 1" in result.stdout


def test_label_images_may_be_images(tmp_path: Path, invoke: Invoke) -> None:
    result = invoke("import", with_labels(tmp_path), "--project", tmp_path / "p", "--json", "--labels", "none")
    assert result.exit_code == 0
    assert [one["cells"] for one in answer_of(result)["images"]] == [0, 0, 0, 0]


def test_labels_of_folders_are_nobodys(project: Path, tmp_path: Path, invoke: Invoke) -> None:
    refused = invoke("export", project, "--to", "people", "--out", tmp_path / "said.csv")
    assert (refused.exit_code, "Nobody has labelled a cell here one by one" in refused.stderr) == (1, True)
    with_session = Session(project.parent)
    with_session.open_project(project)
    with_session.annotator = "=Ada"
    with_session.label_cells([0], with_session.scheme.ids[0])
    with_session.close()
    answer = answer_of(invoke("export", project, "--to", "people", "--out", tmp_path / "said.csv", "--json"))
    assert answer["cells"] == 1
    assert "'=Ada" in (tmp_path / "said.csv").read_text(encoding="utf-8-sig")
