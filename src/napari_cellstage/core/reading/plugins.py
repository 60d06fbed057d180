"""Formats that no module here reads: any reader of bioio's that the user has installed, such as ``bioio-dv``."""

from __future__ import annotations

from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

# Their formats are read by the modules beside this one, or, of imageio, are films and pictures of no microscope.
_NOT_NEEDED = {"bioio-imageio", "bioio-tifffile", "bioio-ome-tiff", "bioio-ome-zarr", "bioio-nd2", "bioio-lif"}


@cache
def plugin_endings() -> dict[str, EntryPoint]:
    """Return the endings that installed readers add, such as ``".dv"``, and the reader of each.

    bioio's own choice of a reader tries them all and prints what failed, so it is not asked.
    """
    found: dict[str, EntryPoint] = {}
    for plugin in entry_points(group="bioio.readers"):
        if plugin.name not in _NOT_NEEDED:
            for ending in _metadata_of(plugin).get_supported_extensions():
                found.setdefault(f".{ending.lower().lstrip('.')}", plugin)
    return found


def plugin_reader(path: Path) -> Any | None:
    """Return the class of the installed reader for a file; None when there is none."""
    plugin = plugin_endings().get(path.suffix.lower())
    return None if plugin is None else _metadata_of(plugin).get_reader()


def _metadata_of(plugin: EntryPoint) -> Any:
    return plugin.load().ReaderMetadata
