from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_cellstage.core.images import find_images
from napari_cellstage.core.label_companions import find_companions, in_label_folder


def pairs(*files: str, known: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    found, _others = find_companions([Path(file) for file in files], [Path(file) for file in known])
    return [(one.image.as_posix(), one.labels.as_posix()) for one in found]


@pytest.mark.parametrize(
    ("image", "labels"),
    [
        ("d/a.tif", "d/a_labels.tif"),
        ("d/a.tif", "d/a_label.png"),
        ("d/a.tif", "d/a_mask.tif"),
        ("d/a.ome.tif", "d/a_Masks.tif"),
        ("d/a.tif", "d/a_seg.tif"),
        ("d/a.tif", "d/a_cp_masks.png"),
        ("d/a.tif", "d/labels_a.tif"),
        ("d/a.tif", "d/a-mask.tif"),
        ("d/a_img.tif", "d/a_mask.tif"),
        ("d/img2d.tif", "d/mask2d.tif"),
        ("d/a.tif", "d/labels/a.tif"),
        ("d/a.tif", "d/masks/a_mask.png"),
        ("d/images/a.tif", "d/masks/a.tif"),
        ("d/Images/a.tif", "d/Ground Truth/a.tif"),
    ],
)
def test_label_images_are_known_by_their_names(image: str, labels: str) -> None:
    assert pairs(image, labels) == [(image, labels)] == pairs(labels, image)
    assert pairs(labels, known=(image,)) == [(image, labels)]


@pytest.mark.parametrize(
    "files",
    [
        ("d/a.tif", "d/b_labels.tif"),  # of another image
        ("d/a.tif", "e/a_labels.tif"),  # in another place
        ("d/a_labels.tif",),  # of nothing that is there: looked at as an image
        ("d/masks.tif", "d/a.tif"),
        ("d/G1/a.tif", "d/S/a.tif"),
        ("d/a.tif", "d/segments_a.tif"),
    ],
)
def test_other_files_are_images(files: tuple[str, ...]) -> None:
    found, others = find_companions([Path(file) for file in files])
    assert (found, others) == ([], [Path(file) for file in files])


def test_an_image_has_the_labels_of_one_file() -> None:
    assert pairs("a.tif", "a_labels.tif", "a_masks.tif") == [("a.tif", "a_labels.tif")]


def test_folders_of_labels_are_no_classes() -> None:
    found, _others = find_companions([Path("d/images/a.tif"), Path("d/masks/a.tif")])
    assert in_label_folder(found, Path("d"))
    assert not in_label_folder(found, Path("d/images"))


names = st.sampled_from(["a", "b", "a_mask", "b_labels", "labels_a", "a_mask_seg", "img1", "mask1", "1", "a_img"])
folders = st.sampled_from([".", "masks", "images", "masks/labels"])


@given(st.sets(st.tuples(folders, names)))
def test_no_file_gets_lost_or_is_used_twice(files: set[tuple[str, str]]) -> None:
    paths = [Path(folder) / f"{name}.tif" for folder, name in sorted(files)]
    found, others = find_companions(paths)
    assert sorted([*others, *(one.labels for one in found)]) == sorted(paths)
    assert len({one.image for one in found}) == len(found)
    assert {one.image for one in found} <= set(others)


@pytest.mark.data
def test_real_folders(data_dir: Path) -> None:
    found, others = find_companions(find_images(data_dir / "fields" / "dsb2018"))
    assert (len(found), len(others)) == (16, 16)
    assert all(one.labels.stem == f"{one.image.stem}_labels" for one in found)
    found, _others = find_companions(find_images(data_dir / "formats" / "stardist"))
    assert [one.labels.name for one in found] == ["mask2d.tif", "mask3d.tif"]
