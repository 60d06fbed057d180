"""Where the images of an OME-Zarr folder are: itself, a plate's wells and fields, or a collection of images."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_FILES = (".zattrs", "zarr.json")


@dataclass(frozen=True)
class Place:
    """One image: its folder, which of the folder's images it is, and its name (empty for the only one)."""

    folder: Path
    number: int
    name: str


def attributes(folder: Path) -> dict[str, Any]:
    """Return the OME attributes of a group, of Zarr 2 (OME-Zarr up to 0.4) or Zarr 3 (0.5); empty without any.

    Raises
    ------
    ValueError
        If they are no JSON.
    """
    for name in _FILES:
        if (file := folder / name).is_file():
            found = json.loads(file.read_text("utf-8"))
            if name == "zarr.json":
                found = found.get("attributes", {})
            return {**found, **found.get("ome", {})}
    return {}


def is_zarr(folder: Path) -> bool:
    """Tell whether a folder is a Zarr group, whatever its name."""
    return any((folder / name).is_file() for name in (".zgroup", *_FILES))


def images_of(folder: Path) -> list[Place]:
    """Return all images of a folder, in the order of its metadata."""
    about = attributes(folder)
    if "multiscales" in about:
        return _own(folder, "")
    if "plate" in about:
        return [place for well in about["plate"]["wells"] for place in _of_well(folder / well["path"], well["path"])]
    if "well" in about:
        return _of_well(folder, "")
    return _of_collection(folder)


def _own(folder: Path, name: str) -> list[Place]:
    scales = attributes(folder).get("multiscales", [])
    if len(scales) == 1:
        return [Place(folder, 0, name)]
    names = [one.get("name") or f"image {number + 1}" for number, one in enumerate(scales)]
    return [Place(folder, number, f"{name}/{one}" if name else one) for number, one in enumerate(names)]


def _of_well(folder: Path, name: str) -> list[Place]:
    """Return the fields of a well; those that were not imaged are not there."""
    fields = attributes(folder).get("well", {}).get("images", [])
    found = (_own(folder / one["path"], f"{name}/{one['path']}" if name else str(one["path"])) for one in fields)
    return [place for places in found for place in places]


def _of_collection(folder: Path) -> list[Place]:
    """Return the images of a folder as bioformats2raw writes it: named ``0``, ``1``, … or as its OME group says."""
    listed = attributes(folder / "OME").get("series")
    names = listed or sorted((one.name for one in folder.iterdir() if one.name.isdigit()), key=int)
    found = [place for name in names for place in _own(folder / str(name), str(name))]
    return [Place(found[0].folder, found[0].number, "")] if len(found) == 1 else found
