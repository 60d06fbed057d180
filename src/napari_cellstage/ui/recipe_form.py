"""The choices of a training in two forms: what the network sees of a cell, and how it learns."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from qtpy.QtCore import QObject, Signal

from napari_cellstage.learn.recipe import Recipe
from napari_cellstage.ui.settings_form import SettingsForm

SEEN = (
    "crop_size",
    "crop",
    "crop_um",
    "margin",
    "surroundings",
    "planes",
    "planes_count",
    "normalise",
    "fixed_low",
    "fixed_high",
)
# Choices that are made elsewhere in the window, or for the machine.
NOT_SHOWN = ("name", "about", "kind", "threads")
_WHEN = {f.name: f.metadata.get("when") for f in fields(Recipe)}


class RecipeForm(QObject):
    """Two forms that are one recipe.

    Attributes
    ----------
    seen
        The form of what the network sees.
    learning
        The form of all the rest. In both, choices that don't count as things are, are hidden; they keep their values.
    """

    changed = Signal()

    def __init__(self, recipe: Recipe, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._recipe = recipe
        names = [f.name for f in fields(recipe) if f.name not in (*SEEN, *NOT_SHOWN)]
        self.seen: SettingsForm[Recipe] = SettingsForm(recipe, SEEN)
        self.learning: SettingsForm[Recipe] = SettingsForm(recipe, names)
        for form in (self.seen, self.learning):
            form.changed.connect(self._on_changed)
        self._hide_what_does_not_count()

    @property
    def widgets(self) -> dict[str, Any]:
        """The widget of each choice."""
        return self.seen.widgets | self.learning.widgets

    @property
    def value(self) -> Recipe:
        """The recipe that is shown.

        Raises
        ------
        CellStageError
            If a choice can't be.
        """
        seen = self.seen.value
        return self.learning.value.but(**{name: getattr(seen, name) for name in SEEN})

    @value.setter
    def value(self, recipe: Recipe) -> None:
        self._recipe = recipe
        self.seen.value = self.learning.value = recipe
        self._hide_what_does_not_count()

    def _on_changed(self) -> None:
        self._hide_what_does_not_count()
        self.changed.emit()

    def _hide_what_does_not_count(self) -> None:
        for form in (self.seen, self.learning):
            form.show_only([name for name in form.widgets if self._counts(_WHEN[name])])

    def _counts(self, when: tuple[Any, ...] | None) -> bool:
        """Return whether a choice counts, by the value of another one; that may be one which is not shown here."""
        if when is None:
            return True
        widget = self.widgets.get(when[0])
        return (getattr(self._recipe, when[0]) if widget is None else widget.value) in when[1:]
