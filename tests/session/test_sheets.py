from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_cellstage.core.errors import ImageError
from napari_cellstage.core.folders import read_class_folders
from napari_cellstage.core.image_facts import ImageFacts
from napari_cellstage.session import Session

SIDE = 16


def tree(root: Path, classes: dict[str, int], start: int = 0) -> Path:
    for place, (name, count) in enumerate(classes.items()):
        (root / name).mkdir(parents=True, exist_ok=True)
        for number in range(start, start + count):
            pixels = np.random.default_rng(100 * place + number).integers(0, 4000, (2, SIDE, SIDE)).astype(np.uint16)
            tifffile.imwrite(root / name / f"m{number % 2}_{number}.tif", pixels, photometric="minisblack")
    return root


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    return tree(tmp_path / "stages", {"G1": 5, "S": 3})


@pytest.fixture
def session(tmp_path: Path) -> Session:
    return Session(tmp_path / "home")


def names_of(session: Session) -> dict[int, str]:
    return {0: ""} | {one.id: one.name for one in session.scheme}


def test_class_folders_become_an_image_with_cells_and_labels(session: Session, folders: Path) -> None:
    image_id = session.add_sheet(read_class_folders(folders), folders)
    assert session.project is not None
    assert session.project.name == "stages"
    assert session.current_id == image_id
    assert session.current is not None
    assert (session.current.name, session.current.tile) == ("stages", SIDE)
    assert [names_of(session)[i] for i in session.class_ids()] == ["G1"] * 5 + ["S"] * 3
    assert session.origins().tolist() == ["folder"] * 8
    assert session.counts() == {1: 5, 2: 3}


def test_tiles_are_relabelled_like_cells_and_stay_so(session: Session, folders: Path) -> None:
    session.add_sheet(read_class_folders(folders), folders)
    session.label_cells([0], 2)
    folder = session.project.folder  # type: ignore[union-attr]
    session.close()
    again = Session(session.home)
    again.open_project(folder)
    assert again.class_ids().tolist() == [2, 1, 1, 1, 1, 2, 2, 2]
    assert again.origins()[:2].tolist() == ["hand", "folder"]
    assert again.problems == ()
    assert again.current is not None
    assert again.current.tile == SIDE
    # The same folder again is the same sheet: what was relabelled is not labelled back.
    assert len(again.images) == 1
    again.add_sheet(read_class_folders(folders), folders)
    assert (len(again.images), again.class_ids()[0]) == (1, 2)
    again.close()


def test_without_a_project_the_one_with_that_sheet_is_opened(session: Session, folders: Path) -> None:
    session.add_sheet(read_class_folders(folders), folders)
    folder = session.project.folder  # type: ignore[union-attr]
    session.close()
    session.add_sheet(read_class_folders(folders), folders)
    assert session.project is not None
    assert (session.project.folder, len(session.images)) == (folder, 1)


def test_a_folder_may_be_named_from_here(
    session: Session, folders: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folders.parent)
    session.add_sheet(read_class_folders("stages"), "stages")
    project = session.project.folder  # type: ignore[union-attr]
    session.close()
    monkeypatch.chdir(tmp_path / "home")
    session.open_project(project)
    assert session.current is not None


def test_labels_from_folders_are_one_undo(session: Session, folders: Path) -> None:
    session.add_sheet(read_class_folders(folders), folders)
    session.undo()
    assert session.counts() == {1: 0, 2: 0}
    session.redo()
    assert session.counts() == {1: 5, 2: 3}


def test_new_pictures_are_said_and_come_as_a_sheet_of_their_own(session: Session, folders: Path) -> None:
    first = session.add_sheet(read_class_folders(folders), folders)
    tree(folders, {"G1": 2, "M": 1}, start=50)
    (folders / "S" / "m0_0.tif").unlink()
    gone, new = session.problems
    assert gone.startswith("1 picture is no longer in")
    assert new.startswith("3 pictures are new in")
    second = session.add_sheet(read_class_folders(folders), folders)
    assert second != first
    assert session.counts() == {1: 7, 2: 3, 3: 1}
    assert len(session.cells(second)) == 3
    assert len(session.problems) == 3, "each sheet misses what the other has"


def test_groups_keep_cells_of_one_movie_together(session: Session, folders: Path) -> None:
    session.add_sheet(read_class_folders(folders, r"^m\d"), folders)
    (image,) = session.snapshot().images
    assert image.groups is not None
    assert sorted(set(image.groups.tolist())) == ["movie m0", "movie m1"]
    assert len(image.groups) == 8


def test_a_donor_of_the_whole_sheet_is_not_cut_by_its_movies(session: Session, folders: Path) -> None:
    session.add_sheet(read_class_folders(folders, r"^m\d"), folders)
    session.set_facts({1: ImageFacts(donor="7")})
    session.split_by = "donor"
    (image,) = session.snapshot().images
    assert image.groups is not None
    assert set(image.groups.tolist()) == {"donor 7"}


def test_a_moved_folder_is_found_again(session: Session, folders: Path, tmp_path: Path) -> None:
    image_id = session.add_sheet(read_class_folders(folders), folders)
    project = session.project.folder  # type: ignore[union-attr]
    session.close()
    (tmp_path / "disk 2").mkdir()
    moved = Path(shutil.move(folders, tmp_path / "disk 2"))
    session.open_project(project)
    assert session.current is None
    assert any("class folders of this contact sheet are not at" in text for text in session.problems)
    assert session.class_ids().tolist() == [1] * 5 + [2] * 3, "labels are there without the pictures"
    with pytest.raises(ImageError, match="holds none of the pictures of this contact sheet"):
        session.relocate(image_id, tmp_path)
    assert session.relocate_folder(tmp_path / "home").missing == (image_id,)
    assert session.relocate_folder(tmp_path / "disk 2").found == (image_id,)
    assert session.current is not None
    shutil.move(moved, tmp_path / "stages")
    session.close()
    session.open_project(project)
    session.relocate(image_id, tmp_path / "stages")
    assert session.current is not None
    assert session.problems == ()


def test_a_project_saved_elsewhere_keeps_its_sheet(session: Session, folders: Path, tmp_path: Path) -> None:
    session.add_sheet(read_class_folders(folders), folders)
    session.save_project_as(tmp_path / "copies" / "b.cellstage")
    session.close()
    session.open_project(tmp_path / "copies" / "b.cellstage")
    assert session.current is not None
    assert session.current.path is not None
    assert session.current.path.is_relative_to(tmp_path / "copies")


def test_exports_see_all_that_is_known(session: Session, folders: Path, tmp_path: Path) -> None:
    session.add_sheet(read_class_folders(folders), folders)
    session.label_cells([1], 0)
    (image,) = session.export_source().images
    assert image.files is not None
    assert image.files[0] == "G1/m0_0.tif"
    assert image.origins is not None
    assert image.origins[:2].tolist() == ["folder", ""]
    assert image.rows(labelled_only=True).tolist() == [0, 2, 3, 4, 5, 6, 7]
    from napari_cellstage.core.exporting.crops import export_crops

    list(export_crops(session.export_source(), tmp_path / "out", 64, lambda: False))
    again, before = read_class_folders(tmp_path / "out"), read_class_folders(folders)
    assert again.counts() == {"G1": 4, "S": 3}
    kept = [i for i, name in enumerate(before.names) if name != "G1/m0_2.tif"]
    assert sorted(c.tobytes() for c in again.crops) == sorted(before.crops[i].tobytes() for i in kept)


@pytest.mark.data
def test_real_class_folders(session: Session, data_dir: Path) -> None:
    crops = read_class_folders(data_dir / "jurkat")
    session.add_sheet(crops, data_dir / "jurkat")
    ids = {one.name: one.id for one in session.scheme}
    assert {name: session.counts()[ids[name]] for name in crops.classes} == crops.counts()
