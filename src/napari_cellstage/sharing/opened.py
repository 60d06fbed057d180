"""`open_bundle`: a bundle that is checked before anything in it is used."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from napari_cellstage.core.whole_files import reason_of
from napari_cellstage.sharing.contents import (
    FORMAT,
    KIND,
    LITTER,
    MANIFEST,
    NEEDED,
    NOTEBOOK,
    BundleError,
    hash_of,
    leads_out,
    some,
)
from napari_cellstage.sharing.unpack import unpack

_LARGEST_MANIFEST = 2**28  # bytes


@dataclass(frozen=True)
class Bundle:
    """A bundle on disk, whole and as it was written.

    Parameters
    ----------
    folder
        Where its files are.
    manifest
        Plain JSON values.
    notes
        What to know of it, as sentences.
    """

    folder: Path
    manifest: dict[str, Any]
    notes: tuple[str, ...] = ()


@contextmanager
def open_bundle(path: Path) -> Iterator[Bundle]:
    """Check a bundle, a folder or a zip, and give it while in the block.

    Raises
    ------
    BundleError
        If it is none, of a newer version, not as it was written, or points outside of itself.
    """
    if path.is_dir():
        yield _read(path, path)
        return
    if not path.is_file():
        raise BundleError(f"There is no bundle '{path}'. Name the folder or the .zip that `export --bundle` wrote.")
    with TemporaryDirectory(prefix="cellstage-bundle-") as folder:
        unpack(path, Path(folder))
        yield _read(Path(folder), path)


def _read(folder: Path, named: Path) -> Bundle:
    try:
        return _checked(folder, named)
    except OSError as e:
        raise BundleError(f"'{named}' can't be read: {reason_of(e)}. Copy it to another place.") from e


def _checked(folder: Path, named: Path) -> Bundle:
    folder = _top(folder)
    manifest = _manifest(folder / MANIFEST, named)
    listed, there = manifest["files"], _there(folder)
    if out := [name for name in listed if leads_out(name)]:
        raise BundleError(f"'{named}' is not used: its manifest names {some(out)}, which points outside of it.")
    if gone := set(listed) - there:
        raise BundleError(f"'{named}' is not whole: {some(gone)} {_is(gone)} missing. Get the bundle again.")
    if more := there - set(listed) - {MANIFEST}:
        raise BundleError(
            f"'{named}' holds what is not of it: {some(more)}. Take {'them' if len(more) > 1 else 'it'} out; the "
            "manifest lists what belongs to a bundle."
        )
    changed = {name for name, hash_ in listed.items() if hash_of(folder / name) != hash_}
    if altered := changed - {NOTEBOOK}:
        raise BundleError(
            f"'{named}' is not as it was written: {some(altered)} {_is(altered)} altered. Get the bundle again; to try "
            "other choices, train with a copy of its recipe."
        )
    if lacking := set(NEEDED) - set(listed):
        raise BundleError(f"'{named}' can't be trained again: it has no {some(lacking)}. Export the run anew.")
    notes = (f"{NOTEBOOK} is not as it was written, as one that was run is not; nothing depends on it.",)
    return Bundle(folder, manifest, notes if changed else ())


def _is(names: set[str]) -> str:
    return "are" if len(names) > 1 else "is"


def _top(folder: Path) -> Path:
    """Return the folder that holds the manifest: the one that is named, or the only one in it."""
    inside = [one for one in folder.iterdir() if not LITTER.search(f"{one.name}/")]
    alone = len(inside) == 1 and inside[0].is_dir() and not inside[0].is_symlink()
    return inside[0] if alone and not (folder / MANIFEST).exists() and (inside[0] / MANIFEST).is_file() else folder


def _manifest(file: Path, named: Path) -> dict[str, Any]:
    if file.is_symlink():
        raise BundleError(f"'{named}' is not used: {MANIFEST} in it is a link, and a bundle has none.")
    if not file.is_file():
        raise BundleError(
            f"'{named}' is no bundle: {MANIFEST} is missing. Name the folder or the .zip that `export --bundle` wrote."
        )
    try:
        if file.stat().st_size > _LARGEST_MANIFEST:
            raise ValueError("it is far too large")
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as e:
        raise BundleError(f"{MANIFEST} of '{named}' can't be read: {e}. Get the bundle again.") from e
    number = found.get("format") if isinstance(found, dict) else None
    if not isinstance(found, dict) or found.get("kind") != KIND or not isinstance(number, int):
        raise BundleError(f"'{named}' is no bundle of napari-cellstage: its {MANIFEST} is something else's.")
    if number > FORMAT:
        raise BundleError(
            f"'{named}' is a bundle of format {number}, this version reads up to {FORMAT}. Update napari-cellstage."
        )
    files = found.get("files")
    if not isinstance(files, dict) or not all(isinstance(one, str) for one in files.values()):
        raise BundleError(f"{MANIFEST} of '{named}' does not list its files. Get the bundle again.")
    return found


def _there(folder: Path) -> set[str]:
    """Return the files of a folder; `BundleError` where one is a link, as that may lead anywhere."""
    found = set()
    for place, folders, files in os.walk(folder, onerror=_raise):
        for name in (*folders, *files):
            path = Path(place, name)
            inside = path.relative_to(folder).as_posix()
            if path.is_symlink():
                raise BundleError(f"'{folder}' is not used: '{inside}' in it is a link, and a bundle has none.")
            if name in files and not LITTER.search(inside):
                found.add(inside)
    return found


def _raise(error: OSError) -> None:
    raise error
