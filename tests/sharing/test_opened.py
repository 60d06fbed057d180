"""Bad bundles: each is refused in a sentence, before anything in it is used."""

from __future__ import annotations

import json
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_cellstage.sharing import BundleError, open_bundle
from napari_cellstage.sharing import opened as opening
from napari_cellstage.sharing import unpack as unpacking
from napari_cellstage.sharing.contents import leads_out
from napari_cellstage.sharing.place import put


@pytest.fixture
def copy(bundle: Path, tmp_path: Path) -> Path:
    """A bundle to spoil."""
    shutil.copytree(bundle, tmp_path / "copy")
    return tmp_path / "copy"


def refused(path: Path) -> str:
    with pytest.raises(BundleError) as caught, open_bundle(path):
        raise AssertionError(f"{path} was opened")
    return str(caught.value)


def edit(copy: Path, change: Callable[[dict[str, Any]], object]) -> None:
    file = copy / "manifest.json"
    values = json.loads(file.read_text(encoding="utf-8"))
    change(values)
    file.write_text(json.dumps(values), encoding="utf-8")


def zipped(folder: Path, out: Path) -> Path:
    shutil.copytree(folder, out.parent / "made")
    list(put(out.parent / "made", out))
    return out


def test_a_folder_and_a_zip_are_opened_and_a_zip_leaves_nothing(copy: Path, tmp_path: Path) -> None:
    file = zipped(copy, tmp_path / "b.zip")
    with open_bundle(file) as opened, open_bundle(copy) as other:
        assert opened.manifest == other.manifest
        assert opened.folder.is_dir()
        assert not opened.folder.is_relative_to(tmp_path)
    assert not opened.folder.exists()


def test_what_systems_leave_beside_files_does_no_harm(copy: Path, tmp_path: Path) -> None:
    (copy / ".DS_Store").touch()
    (copy / "crops" / "Thumbs.db").touch()
    (copy / "._labels.csv").touch()
    (copy / ".ipynb_checkpoints").mkdir()
    (copy / ".ipynb_checkpoints" / "rerun-checkpoint.ipynb").touch()
    with open_bundle(copy) as opened:
        assert opened.notes == ()
    file = zipped(copy, tmp_path / "b.zip")
    with ZipFile(file, "a") as archive:
        archive.writestr("__MACOSX/._b", "")
    with open_bundle(file):
        pass


def test_a_notebook_that_was_run_is_said_and_used(copy: Path) -> None:
    (copy / "rerun.ipynb").write_text("{}", encoding="utf-8")
    with open_bundle(copy) as opened:
        assert "rerun.ipynb is not as it was written" in opened.notes[0]


def test_a_newer_format(copy: Path) -> None:
    edit(copy, lambda values: values.update(format=7, files="in another form"))
    assert "is a bundle of format 7, this version reads up to 1. Update napari-cellstage." in refused(copy)


def test_altered_missing_and_extra_files_are_named(copy: Path) -> None:
    table = copy / "labels.csv"
    before = table.read_bytes()
    table.write_bytes(before.replace(b"held out", b"trained "))
    assert "labels.csv is altered" in refused(copy)
    picture = next((copy / "crops").rglob("*.tif"))
    picture.write_bytes(picture.read_bytes()[:-1])
    assert f"{picture.relative_to(copy).as_posix()}, labels.csv are altered" in refused(copy)
    table.write_bytes(before)
    picture.unlink()
    assert f"is not whole: {picture.relative_to(copy).as_posix()} is missing" in refused(copy)
    picture.touch()
    (copy / "crops" / "more.tif").touch()
    assert "holds what is not of it: crops/more.tif. Take it out" in refused(copy)


def test_many_names_are_cut_short(copy: Path) -> None:
    for number in range(9):
        (copy / f"{number}.txt").touch()
    assert "0.txt, 1.txt, 2.txt, 3.txt, 4.txt and 4 more. Take them out" in refused(copy)


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "../labels.csv", "crops/../../x", "C:\\x", "C:x", "a\\b", "\\\\host\\x", ""]
)
def test_names_that_lead_out_are_refused(name: str, copy: Path, tmp_path: Path) -> None:
    edit(copy, lambda values: values["files"].update({name: "0" * 64}))
    assert "points outside of it" in refused(copy)
    if name:
        with ZipFile(tmp_path / "b.zip", "w") as archive:
            archive.writestr("manifest.json", "{}")
            info = ZipInfo("placeholder")
            info.filename = name
            archive.writestr(info, "x")
        assert "points outside of its folder" in refused(tmp_path / "b.zip")
    assert {one.name for one in tmp_path.iterdir()} <= {"b.zip", "copy"}


@given(st.lists(st.sampled_from(["a", "b c", ".x", "ü🔬", "...", "C"]), min_size=1, max_size=4))
def test_plain_names_lead_nowhere_else(parts: list[str]) -> None:
    assert not leads_out("/".join(parts))
    assert leads_out("/".join(["..", *parts]))
    assert leads_out("/" + "/".join(parts))


def test_links_are_refused(copy: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("secret", encoding="utf-8")
    readme = copy / "README.md"
    readme.unlink()
    readme.symlink_to(tmp_path / "secret.txt")
    assert "'README.md' in it is a link" in refused(copy)
    readme.unlink()
    shutil.rmtree(copy / "crops")
    (copy / "crops").symlink_to(tmp_path)
    assert "'crops' in it is a link" in refused(copy)
    (copy / "crops").unlink()
    (copy / "manifest.json").rename(tmp_path / "manifest.json")
    (copy / "manifest.json").symlink_to(tmp_path / "manifest.json")
    assert "manifest.json in it is a link" in refused(copy)
    info = ZipInfo("README.md")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    with ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.writestr(info, str(tmp_path / "secret.txt"))
    assert "'README.md' in it is a link, and a bundle has none" in refused(tmp_path / "b.zip")


def test_a_zip_that_would_grow_beyond_bounds(copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = tmp_path / "b.zip"
    with ZipFile(bomb, "w", ZIP_DEFLATED) as archive:
        archive.writestr("manifest.json", "{}")
        archive.writestr("crops/a.tif", b"\0" * 3_000_000)
    monkeypatch.setattr(unpacking, "SMALL", 1_000_000)
    assert "its 2 files would become 0.0 GB from 0.000 GB, more than any bundle (34 GB, 100 times" in refused(bomb)
    monkeypatch.setattr(unpacking, "SMALL", 10**9)
    monkeypatch.setattr(unpacking, "MOST_BYTES", 2_000_000)
    assert "is not unpacked" in refused(bomb)
    monkeypatch.setattr(unpacking, "MOST_BYTES", 10**9)
    monkeypatch.setattr(unpacking, "MOST_FILES", 1)
    assert "is not unpacked" in refused(bomb)


def test_a_zip_with_one_name_twice(tmp_path: Path) -> None:
    with ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.writestr("a.txt", "1")
        archive.writestr("A.txt", "2")
    assert "it holds 'A.txt' twice" in refused(tmp_path / "b.zip")


@pytest.mark.parametrize("spoil", [lambda b: b[: len(b) // 2], lambda b: b"", lambda b: b"no zip at all"])
def test_a_damaged_zip(spoil: Callable[[bytes], bytes], copy: Path, tmp_path: Path) -> None:
    file = zipped(copy, tmp_path / "b.zip")
    file.write_bytes(spoil(file.read_bytes()))
    assert "is damaged, or no zip that can be read" in refused(file)


def test_a_zip_with_bytes_changed_inside(copy: Path, tmp_path: Path) -> None:
    file = zipped(copy, tmp_path / "b.zip")
    with ZipFile(file) as archive:
        start = archive.getinfo("b/crops/=small/movie0_1.tif").header_offset
    content = bytearray(file.read_bytes())
    content[start + 200 : start + 260] = bytes(60)
    file.write_bytes(content)
    assert "is damaged, or no zip that can be read" in refused(file)


def test_a_zip_with_a_password(copy: Path, tmp_path: Path) -> None:
    file = zipped(copy, tmp_path / "b.zip")
    content = bytearray(file.read_bytes())
    for start, flag in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        place = content.find(start)
        while place >= 0:
            content[place + flag] |= 1
            place = content.find(start, place + 4)
    file.write_bytes(content)
    assert "password required" in refused(file)


def test_what_the_system_does_not_let_be_read_is_said(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(_file: Path) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(opening, "hash_of", closed)
    assert "copy' can't be read: permission denied. Copy it to another place." in refused(copy)


def test_what_is_no_bundle(copy: Path, tmp_path: Path, run: Path) -> None:
    assert "is no bundle: manifest.json is missing. Name the folder or the .zip" in refused(run)
    assert "There is no bundle '" in refused(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    assert "is no bundle" in refused(tmp_path / "empty")
    for text, told in (
        ("{", "can't be read"),
        ("[]", "is something else's"),
        ('{"format": 1}', "is something else's"),
        ('{"kind": "napari-cellstage bundle", "format": "1"}', "is something else's"),
        ('{"kind": "napari-cellstage bundle", "format": 1}', "does not list its files"),
        ('{"kind": "napari-cellstage bundle", "format": 1, "files": {"a": 1}}', "does not list its files"),
        ("[" * 100_000, "can't be read"),
    ):
        (copy / "manifest.json").write_text(text, encoding="utf-8")
        assert told in refused(copy)


def test_a_manifest_without_what_a_training_needs(copy: Path) -> None:
    (copy / "split.json").unlink()
    edit(copy, lambda values: values["files"].pop("split.json"))
    assert "can't be trained again: it has no split.json" in refused(copy)
