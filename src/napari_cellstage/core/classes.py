"""The class scheme: which classes there are, in which order, with which names and colours.

A scheme never changes; each method returns a new one, so that a snapshot taken for training stays what it was.
A class keeps its id for good: names, colours and places in the list may change, labels refer to the id.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

from napari_cellstage.core.errors import ClassSchemeError

Kind = Literal["nominal", "ordered", "cyclic"]
UNLABELLED = 0
MAX_CLASSES = 200

# Okabe & Ito (2008) without black, in an order that keeps neighbours apart; then hues by the golden angle.
OKABE_ITO = ("#56b4e9", "#e69f00", "#009e73", "#cc79a7", "#0072b2", "#d55e00", "#f0e442")

TEMPLATES: dict[str, tuple[Kind, tuple[str, ...]]] = {
    "cell cycle": (
        "cyclic",
        ("interphase", "prophase", "prometaphase", "metaphase", "anaphase", "telophase"),
    ),
    "Jurkat 7 stages": (
        "cyclic",
        ("G1", "S", "G2", "prophase", "metaphase", "anaphase", "telophase"),
    ),
    "exposure": ("ordered", ("0", "0.1", "1")),
    "empty": ("nominal", ()),
}


def palette_color(index: int) -> str:
    """Return the colour ``"#rrggbb"`` of the class made as number `index`, from 0."""
    if index < len(OKABE_ITO):
        return OKABE_ITO[index]
    import colorsys

    rank = index - len(OKABE_ITO)
    hue = (0.13 + rank * 0.618033988749895) % 1.0
    light = (0.62, 0.45, 0.75)[rank % 3]
    red, green, blue = colorsys.hls_to_rgb(hue, light, 0.75)
    return f"#{round(red * 255):02x}{round(green * 255):02x}{round(blue * 255):02x}"


@dataclass(frozen=True)
class StageClass:
    """One class a cell can be given.

    Parameters
    ----------
    id
        From 1; never given to another class. 0 means "not labelled" everywhere.
    name
        As shown; unique in its scheme, any characters.
    color
        ``"#rrggbb"``.
    """

    id: int
    name: str
    color: str


@dataclass(frozen=True)
class ClassScheme:
    """An ordered list of classes.

    Parameters
    ----------
    classes
        In the order shown; the first nine have the keys 1 to 9.
    kind
        ``"ordered"`` for doses, ``"cyclic"`` for the cell cycle, else ``"nominal"``.
    next_id
        The id the next class gets.
    """

    classes: tuple[StageClass, ...] = ()
    kind: Kind = "nominal"
    next_id: int = 1

    @classmethod
    def from_template(cls, name: str) -> ClassScheme:
        """Make a scheme from a template: one of `TEMPLATES`."""
        if name not in TEMPLATES:
            raise ClassSchemeError(f"There is no template '{name}'. Choose one of: {', '.join(TEMPLATES)}.")
        kind, names = TEMPLATES[name]
        return cls.from_names(names, kind)

    @classmethod
    def from_names(cls, names: tuple[str, ...] | list[str], kind: Kind = "nominal") -> ClassScheme:
        """Make a scheme with palette colours from names, in order."""
        scheme = cls(kind=kind)
        for name in names:
            scheme = scheme.add(name)
        return scheme

    def __len__(self) -> int:
        return len(self.classes)

    def __iter__(self) -> Iterator[StageClass]:
        return iter(self.classes)

    @property
    def names(self) -> tuple[str, ...]:
        """Names in order."""
        return tuple(c.name for c in self.classes)

    @property
    def ids(self) -> tuple[int, ...]:
        """Ids in order."""
        return tuple(c.id for c in self.classes)

    def by_id(self, class_id: int) -> StageClass:
        """Return the class with this id, or raise `ClassSchemeError`."""
        return self.classes[self.position(class_id)]

    def position(self, class_id: int) -> int:
        """Return the place of a class in the list, from 0, or raise `ClassSchemeError`."""
        for place, one in enumerate(self.classes):
            if one.id == class_id:
                return place
        raise ClassSchemeError(f"There is no class with number {class_id}. The classes are: {self._listing()}.")

    def by_name(self, name: str) -> StageClass:
        """Return the class with this name, or raise `ClassSchemeError`."""
        for one in self.classes:
            if one.name == name:
                return one
        raise ClassSchemeError(f"There is no class '{name}'. The classes are: {self._listing()}.")

    def key_of(self, class_id: int) -> str | None:
        """Return the number key of a class, ``"1"`` to ``"9"``, or None past the ninth."""
        place = self.position(class_id)
        return str(place + 1) if place < 9 else None

    def for_key(self, key: str) -> StageClass | None:
        """Return the class that a number key gives, or None."""
        place = int(key) - 1
        return self.classes[place] if 0 <= place < len(self.classes) else None

    def add(self, name: str, color: str | None = None) -> ClassScheme:
        """Add a class at the end.

        Raises
        ------
        ClassSchemeError
            If the name is empty or taken, or there are already 200 classes.
        """
        if len(self.classes) >= MAX_CLASSES:
            raise ClassSchemeError(
                f"There are already {MAX_CLASSES} classes, the most there can be. "
                "Delete one that is not used before adding another."
            )
        new = StageClass(self.next_id, self._checked_name(name), _checked_color(color or self._free_color()))
        return replace(self, classes=(*self.classes, new), next_id=self.next_id + 1)

    def rename(self, class_id: int, name: str) -> ClassScheme:
        """Rename a class; its labels stay."""
        old = self.by_id(class_id)
        return self._with(replace(old, name=self._checked_name(name, but=class_id)))

    def recolor(self, class_id: int, color: str) -> ClassScheme:
        """Give a class another colour, ``"#rrggbb"``."""
        return self._with(replace(self.by_id(class_id), color=_checked_color(color)))

    def move(self, class_id: int, place: int) -> ClassScheme:
        """Move a class to a place in the list, from 0; places past an end mean that end."""
        moved = self.by_id(class_id)
        rest = [c for c in self.classes if c.id != class_id]
        rest.insert(max(0, min(place, len(rest))), moved)
        return replace(self, classes=tuple(rest))

    def remove(self, class_id: int) -> ClassScheme:
        """Remove a class; its id is not used again."""
        self.position(class_id)
        return replace(self, classes=tuple(c for c in self.classes if c.id != class_id))

    def named_as(self, other: ClassScheme) -> ClassScheme:
        """Return these classes with the names and colours that they have in another scheme, where they are in it."""
        known = {one.id: one for one in other}
        return replace(self, classes=tuple(known.get(one.id, one) for one in self))

    def to_dict(self) -> dict[str, Any]:
        """Return the scheme as plain JSON values."""
        classes = [{"id": c.id, "name": c.name, "color": c.color} for c in self.classes]
        return {"kind": self.kind, "next_id": self.next_id, "classes": classes}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> ClassScheme:
        """Make the scheme that `to_dict` wrote."""
        classes = tuple(StageClass(c["id"], c["name"], c["color"]) for c in values["classes"])
        return cls(classes=classes, kind=values["kind"], next_id=values["next_id"])

    def _with(self, new: StageClass) -> ClassScheme:
        return replace(self, classes=tuple(new if c.id == new.id else c for c in self.classes))

    def _listing(self) -> str:
        return ", ".join(self.names) or "none yet"

    def _free_color(self) -> str:
        used = {c.color for c in self.classes}
        return next(color for i in range(MAX_CLASSES + 1) if (color := palette_color(i)) not in used)

    def _checked_name(self, name: str, but: int = UNLABELLED) -> str:
        name = name.strip()
        if not name:
            raise ClassSchemeError("A class needs a name, and '' is none. Type one, such as 'metaphase'.")
        if any(c.name == name and c.id != but for c in self.classes):
            raise ClassSchemeError(f"There is already a class '{name}'. Choose another name.")
        return name


def _checked_color(color: str) -> str:
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", color):
        raise ClassSchemeError(f"'{color}' is no colour. Write it as '#rrggbb', such as '#56b4e9'.")
    return color.lower()
