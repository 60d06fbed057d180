"""Where a bundle goes: written beside its place, and put there whole or not at all; a folder, or one ``.zip``."""

from __future__ import annotations

import json
import shutil
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

from napari_cellstage.core.exporting.places import free_file
from napari_cellstage.core.whole_files import reason_of
from napari_cellstage.learn.events import BatchDone
from napari_cellstage.sharing.contents import KIND, MANIFEST, BundleError


def is_zip(out: Path) -> bool:
    """Tell whether a bundle of this name is one file."""
    return out.suffix.lower() == ".zip"


def check_free(out: Path, overwrite: bool) -> None:
    """Raise an error unless a bundle may be written here; only another bundle is ever replaced.

    Raises
    ------
    BundleError, ExportError
        If it may not.
    """
    if is_zip(out):
        free_file(out, overwrite)
        return
    if out.exists() and not out.is_dir():
        raise BundleError(f"'{out}' is a file. Name a new folder, or a file that ends in .zip.")
    if out.is_dir() and any(out.iterdir()):
        if not overwrite:
            raise BundleError(f"'{out}' is not empty. Choose a new folder, or allow a bundle there to be replaced.")
        if not _is_bundle(out):
            raise BundleError(f"'{out}' holds other files than a bundle, which are not replaced. Choose a new folder.")


def beside(out: Path) -> Path:
    """Make the empty folder in which a bundle is put together.

    Raises
    ------
    BundleError
        If it can't be made.
    """
    folder = out.with_name(f".part-{out.name}")
    try:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    except OSError as e:
        raise cannot_write(out, e) from e
    return folder


def put(made: Path, out: Path) -> Generator[BatchDone, None, None]:
    """Put what was made at its place: as it is, or as a zip with one folder in it. OSError where that fails."""
    if is_zip(out):
        yield from _zipped(made, out)
        return
    old = out.with_name(f".old-{out.name}")
    if out.is_dir():
        shutil.rmtree(old, ignore_errors=True)  # of a writing that was cut short
        out.rename(old)
    made.rename(out)
    shutil.rmtree(old, ignore_errors=True)


def cannot_write(out: Path, error: OSError) -> BundleError:
    """Return the error for a bundle that can't be written."""
    return BundleError(f"'{out}' can't be written: {reason_of(error)}. Choose another place, or make room.")


def _zipped(made: Path, out: Path) -> Generator[BatchDone, None, None]:
    part = out.with_name(f".part-{out.name}.zip")
    files = sorted(file for file in made.rglob("*") if file.is_file())
    try:
        with ZipFile(part, "w", ZIP_DEFLATED) as archive:
            for number, file in enumerate(files):
                archive.write(file, f"{out.stem}/{file.relative_to(made).as_posix()}")
                yield BatchDone("packing", number + 1, len(files))
        part.replace(out)
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def _is_bundle(folder: Path) -> bool:
    try:
        found = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(found, dict) and found.get("kind") == KIND
