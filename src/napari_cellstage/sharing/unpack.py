"""A bundle that is one ``.zip``, unpacked into a folder of its own: nothing outside it is ever written."""

from __future__ import annotations

import shutil
import stat
import zlib
from pathlib import Path
from zipfile import BadZipFile, ZipFile, ZipInfo

from napari_cellstage.core.whole_files import reason_of
from napari_cellstage.sharing.contents import LITTER, BundleError, leads_out

MOST_BYTES = 32 * 2**30
MOST_TIMES = 100  # the size of the zip
SMALL = 2**28  # bytes, for which that is not asked: text packs well
MOST_FILES = 1_000_000


def unpack(file: Path, to: Path) -> None:
    """Unpack a zip.

    Parameters
    ----------
    file
        The zip.
    to
        An empty folder.

    Raises
    ------
    BundleError
        If it is damaged, names files outside, holds links, or becomes larger than any bundle.
    """
    try:
        with ZipFile(file) as archive:
            entries = [one for one in archive.infolist() if not LITTER.search(one.filename)]
            _check(entries, file)
            for one in entries:
                _unpack_one(archive, one, to)
    except (BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as e:
        raise BundleError(
            f"'{file}' is damaged, or no zip that can be read: {str(e) or type(e).__name__}. "
            "Get the bundle again from where it came."
        ) from e
    except OSError as e:
        raise BundleError(
            f"'{file}' can't be unpacked to '{to}': {reason_of(e)}. Make room, or unpack it by hand."
        ) from e


def _check(entries: list[ZipInfo], file: Path) -> None:
    """Raise `BundleError` where something must not be unpacked."""
    seen: set[str] = set()
    for one in entries:
        name = one.filename
        if leads_out(name.rstrip("/")):
            raise BundleError(f"'{file}' is not unpacked: '{name}' in it points outside of its folder.")
        if stat.S_ISLNK(one.external_attr >> 16):
            raise BundleError(f"'{file}' is not unpacked: '{name}' in it is a link, and a bundle has none.")
        if name.lower() in seen:
            raise BundleError(f"'{file}' is not unpacked: it holds '{name}' twice.")
        seen.add(name.lower())
    size, packed = sum(one.file_size for one in entries), max(file.stat().st_size, 1)
    if size > MOST_BYTES or (size > SMALL and size > MOST_TIMES * packed) or len(entries) > MOST_FILES:
        raise BundleError(
            f"'{file}' is not unpacked: its {len(entries):,} files would become {size / 1e9:,.1f} GB from "
            f"{packed / 1e9:.3f} GB, more than any bundle ({MOST_BYTES / 1e9:.0f} GB, {MOST_TIMES} times its size). "
            "If you trust it, unpack it by hand, and name the folder."
        )


def _unpack_one(archive: ZipFile, one: ZipInfo, to: Path) -> None:
    target = to / one.filename
    if one.is_dir():
        target.mkdir(parents=True, exist_ok=True)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(one) as packed, target.open("xb") as plain:
        shutil.copyfileobj(packed, plain)
