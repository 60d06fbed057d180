"""The classes of the project."""

from __future__ import annotations

from napari_cellstage.core import acts
from napari_cellstage.core.classes import ClassScheme
from napari_cellstage.session.labels import LabelsPart


class ClassesPart(LabelsPart):
    """Classes, added, changed and deleted."""

    def add_class(self, name: str, color: str | None = None) -> int:
        """Add a class at the end; return its id."""
        self._change_scheme(f"add class {name}", self.scheme.add(name, color))
        return self.scheme.ids[-1]

    def rename_class(self, class_id: int, name: str) -> None:
        """Rename a class; its labels stay."""
        self._change_scheme(f"rename class to {name}", self.scheme.rename(class_id, name))

    def recolor_class(self, class_id: int, color: str) -> None:
        """Give a class another colour, ``"#rrggbb"``."""
        self._change_scheme("recolour class", self.scheme.recolor(class_id, color))

    def move_class(self, class_id: int, place: int) -> None:
        """Move a class to a place in the list, from 0."""
        self._change_scheme("move class", self.scheme.move(class_id, place))

    def labels_with(self, class_id: int) -> int:
        """Return how many cells have a class: what deleting it would clear, in images that were removed too."""
        return sum(counts.get(class_id, 0) for counts in self._space.tally.classes.values())

    def delete_class(self, class_id: int) -> None:
        """Remove a class and clear its labels; one undo brings both back."""
        self._tell(self._space.delete_class(class_id))

    def use_template(self, name: str) -> None:
        """Put a template's classes in place of ones that no cell has; `ClassSchemeError` when one has."""
        labelled = sum(map(self.labels_with, self.scheme.ids))
        self._do(acts.use_template(self.scheme, name, labelled))

    def _change_scheme(self, text: str, scheme: ClassScheme) -> None:
        if scheme != self.scheme:
            self._do(acts.change_scheme(text, self.scheme, scheme))
