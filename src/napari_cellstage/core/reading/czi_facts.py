"""What the XML and the directory of a CZI file say: names, colours, sizes, and which tiles there are."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree

from napari_cellstage.core.reading.content import hex_color, known_size, known_step, number_of, own_colors

Rectangle = tuple[int, int, int, int]  # x, y, width, height


@dataclass(frozen=True)
class CziFacts:
    """What the file says of all its scenes; as in `ImageStack`."""

    scenes: dict[int, str]
    channel_names: tuple[str, ...]
    channel_colors: tuple[str, ...]
    pixel_size_um: tuple[float, float, float] | None
    time_step_s: float | None


@dataclass
class Tiles:
    """The tiles of one scene: how many a plane has, and the coarsest zoom among them."""

    planes: Counter[tuple[int, int, int]] = field(default_factory=Counter)
    coarsest: float = 1.0

    def notes(self, name: str) -> list[str]:
        """Say how many tiles are missing where one plane has fewer than another."""
        if not self.planes:
            return []
        axes = [len({plane[axis] for plane in self.planes}) for axis in range(3)]
        wanted = max(self.planes.values()) * axes[0] * axes[1] * axes[2]
        missing = wanted - self.planes.total()
        if not missing:
            return []
        return [
            f"'{name}' lacks {missing} of its {wanted} tiles; they are shown black. "
            "If the microscope's computer has them still, export the file again."
        ]


def facts_of(reader: Any) -> CziFacts:
    """Read the XML of an opened file; what it does not say, or says in another way, stays unknown."""
    try:
        root = ElementTree.fromstring(reader.raw_metadata)
    except ElementTree.ParseError:
        root = ElementTree.Element("ImageDocument")
    image = "./Metadata/Information/Image/Dimensions/"
    channels = root.findall(f"{image}Channels/Channel")
    shown = root.findall("./Metadata/DisplaySetting/Channels/Channel")
    metres = [root.findtext(f"./Metadata/Scaling/Items/Distance[@Id='{axis}']/Value") for axis in "ZYX"]
    return CziFacts(
        _scene_names(root.findall(f"{image}S/Scenes/Scene")),
        tuple(channel.get("Name", "") for channel in channels),
        own_colors([hex_color(channel.findtext("Color", "")) for channel in shown]),
        known_size([number_of(value) * 1e6 for value in metres]),
        known_step(root.findtext(f"{image}T/Positions/Interval/Increment")),
    )


def _scene_names(scenes: list[ElementTree.Element]) -> dict[int, str]:
    """Return names of scenes by number; those of a well plate as ``B3-1``: well, position."""
    names = {}
    for scene in scenes:
        shape = scene.find("Shape")
        parts = (shape.get("Name") if shape is not None else None, scene.get("Name"))
        names[int(scene.get("Index", "0"))] = "-".join(dict.fromkeys(part for part in parts if part))
    return names


def tiles_of(reader: Any) -> dict[int, Tiles]:
    """Return the tiles of each scene, by its number."""
    tiles: dict[int, Tiles] = {}

    def count(_number: int, block: Any) -> bool:
        at = block.coordinate.to_dict()
        scene = tiles.setdefault(at.get("S", 0), Tiles())
        zoom = block.get_zoom()
        scene.coarsest = min(scene.coarsest, zoom)
        if zoom == 1:
            scene.planes[at.get("T", 0), at.get("C", 0), at.get("Z", 0)] += 1
        return True

    reader.enumerate_subblocks(count)
    return tiles
