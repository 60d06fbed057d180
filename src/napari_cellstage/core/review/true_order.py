"""`TrueOrder`: in which order the classes are known to come, to hold an order of cells against."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.classes import TEMPLATES, ClassScheme
from napari_cellstage.core.review.pseudotime import PseudotimeError


@dataclass(frozen=True)
class TrueOrder:
    """Classes from first to last.

    Parameters
    ----------
    names
        The classes; one that is left out has no place.
    cyclic
        After the last the first comes again.
    """

    names: tuple[str, ...]
    cyclic: bool = False

    @classmethod
    def of(cls, scheme: ClassScheme) -> Self | None:
        """Return the order of a project's classes, of a template with the same names, or of doses; None for others."""
        if len(scheme) < 2:
            return None
        if scheme.kind != "nominal":
            return cls(scheme.names, scheme.kind == "cyclic")
        place = {name.casefold(): name for name in scheme.names}
        for kind, names in TEMPLATES.values():
            if kind != "nominal" and set(place) <= {name.casefold() for name in names}:
                return cls(tuple(place[n.casefold()] for n in names if n.casefold() in place), kind == "cyclic")
        doses = [_number(name) for name in scheme.names]
        known = [dose for dose in doses if dose is not None]
        return cls(tuple(scheme.names[i] for i in np.argsort(known))) if len(known) == len(doses) else None

    @classmethod
    def written(cls, text: str, classes: Sequence[str], cyclic: bool = False) -> Self:
        """Read an order such as ``"G1, S, G2"``.

        Raises
        ------
        PseudotimeError
            If a name is no class, or stands there twice, or there are fewer than two.
        """
        names = tuple(part.strip() for part in text.split(",") if part.strip())
        strange = [name for name in names if name not in classes]
        if strange or len(names) < 2 or len(set(names)) < len(names):
            why = f"'{strange[0]}' is none of them" if strange else "two or more of them must stand there, each once"
            raise PseudotimeError(f"'{text}' is no order of the classes {', '.join(classes)}: {why}.")
        return cls(names, cyclic)

    @property
    def text(self) -> str:
        """Such as ``"G1 → S → G2 → G1"``."""
        return " → ".join([*self.names, *(self.names[:1] if self.cyclic else ())])

    def ranks(self, labels: NDArray[np.str_] | Sequence[str]) -> NDArray[np.int64]:
        """Return ``(N,)``: the place of each cell's class in the order, -1 for a cell without one."""
        places = {name: place for place, name in enumerate(self.names)}
        kinds, which = np.unique(np.asarray(labels, dtype=np.str_), return_inverse=True)
        found: NDArray[np.int64] = np.array([places.get(kind, -1) for kind in kinds.tolist()], dtype=np.int64)
        return found[which.reshape(-1)]


def _number(name: str) -> float | None:
    try:
        return float(name.replace(",", ".").split()[0])
    except (ValueError, IndexError):
        return None
