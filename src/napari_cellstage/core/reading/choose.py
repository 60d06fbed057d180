"""Which reader a file needs, told by its first bytes and not by its name, which is often wrong."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from napari_cellstage.core.errors import ImageError
from napari_cellstage.core.reading.plugins import plugin_endings
from napari_cellstage.core.reading.zarr_layout import is_zarr

if TYPE_CHECKING:
    from napari_cellstage.core.reading.content import Source

TIFF = (".tif", ".tiff", ".btf", ".lsm", ".stk", ".svs", ".ndpi", ".scn", ".qptiff")
PICTURES = (".png", ".jpg", ".jpeg")
ENDINGS = (*TIFF, *PICTURES, ".zarr", ".czi", ".nd2", ".lif")

_TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_PICTURE_STARTS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")
_CZI_START, _LIF_START = b"ZISRAWFILE", b"\x70\0\0\0"
_ND2_STARTS = (b"\xda\xce\xbe\x0a", b"\0\0\0\x0cjP  ")

_READERS = {
    "zarr": ("ome_zarr", "ZarrSource"),
    "tiff": ("tiff", "TiffSource"),
    "picture": ("pictures", "PictureSource"),
    "czi": ("czi", "CziSource"),
    "nd2": ("by_bioio", "Nd2Source"),
    "lif": ("by_bioio", "LifSource"),
    "plugin": ("by_bioio", "PluginSource"),
}


def source_of(path: Path) -> Source:
    """Open a file or folder with the reader it needs.

    Raises
    ------
    ImageError
        If it is missing, empty, or of an unknown kind, or damaged.
    """
    from napari_cellstage.core.reading.content import unreadable

    _check_there(path)
    kind = "zarr" if path.is_dir() else _kind(path)
    try:
        return _open(kind, path)
    except ImageError:
        raise
    except Exception as error:  # readers raise anything, from struct.error to IndexError
        raise unreadable(path, error) from error


def _open(kind: str, path: Path) -> Source:
    """Open; each reader is loaded when it is first needed, as some take seconds."""
    module, name = _READERS[kind]
    opened: Source = getattr(import_module(f"napari_cellstage.core.reading.{module}"), name)(path)
    return opened


def _kind(path: Path) -> str:
    from napari_cellstage.core.reading.content import unreadable

    start = _start(path)
    for kind, starts in (("tiff", _TIFF_STARTS), ("picture", _PICTURE_STARTS), ("nd2", _ND2_STARTS)):
        if start.startswith(starts):
            return kind
    if start.startswith(_CZI_START):
        return "czi"
    if start.startswith(_LIF_START):
        return "lif"
    if path.suffix.lower() in ENDINGS:
        raise unreadable(path, f"it does not begin as a file ending in {path.suffix} does")
    if path.suffix.lower() in plugin_endings():
        return "plugin"
    raise ImageError(
        f"'{path.name}' is of a kind that can't be opened ({path.suffix or 'no ending'}). "
        f"Choose one of: {', '.join(ENDINGS)}. A reader of bioio's for it, once installed, is used."
    )


def _start(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(16)
    except OSError as error:
        raise ImageError(
            f"'{path.name}' can't be opened: {error.strerror or error}. Check its permissions, and its disk."
        ) from error


def _check_there(path: Path) -> None:
    if not path.exists():
        raise ImageError(f"There is no file '{path}'. Check the name, or whether its disk is connected.")
    if path.is_dir() and not is_zarr(path) and path.suffix.lower() != ".zarr":
        raise ImageError(f"'{path}' is a folder. Choose an image file in it.")
    if path.is_file() and path.stat().st_size == 0:
        raise ImageError(f"'{path.name}' is empty (0 bytes). Copy it again from where it came.")
