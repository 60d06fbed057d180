"""The choices of a training in forms: what the network sees of a cell, how it learns, and all the rest in groups."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QObject, Signal

from napari_cellstage.core.errors import CellStageError
from napari_cellstage.learn.recipe import Recipe
from napari_cellstage.ui.recipe_groups import FIRST, GROUPS, NOT_SHOWN, SEEN, counts
from napari_cellstage.ui.settings_form import SettingsForm

__all__ = ["NOT_SHOWN", "RecipeForm"]


class RecipeForm(QObject):
    """Forms that are one recipe.

    Attributes
    ----------
    seen
        The form of what the network sees.
    learning
        The form of the few choices that come first.
    more
        All the rest, in groups. Everywhere choices that don't count as things are, are hidden; they keep their values.

    Signals
    -------
    changed : the user changed a choice.
    """

    changed = Signal()

    def __init__(self, recipe: Recipe, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._recipe, self._kind = recipe, str(recipe.kind)
        self.seen: SettingsForm[Recipe] = SettingsForm(recipe, SEEN)
        self.learning: SettingsForm[Recipe] = SettingsForm(recipe, FIRST)
        self.more: SettingsForm[Recipe] = SettingsForm(recipe, GROUPS)
        self._forms = (self.seen, self.learning, self.more)
        self.widgets: dict[str, Any] = {name: one for form in self._forms for name, one in form.widgets.items()}
        for form in self._forms:
            form.changed.connect(self._on_changed)
        self._hide_what_does_not_count()

    @property
    def kind(self) -> str:
        """By which kind of recipe choices are shown; that of the recipe, unless a plan trains it as another."""
        return self._kind

    @kind.setter
    def kind(self, kind: str) -> None:
        self._kind = kind
        self._hide_what_does_not_count()

    @property
    def value(self) -> Recipe:
        """The recipe that is shown.

        Raises
        ------
        CellStageError
            If a choice can't be.
        """
        try:
            return self._recipe.but(**self._shown())
        except ValueError as error:
            raise CellStageError(str(error)) from error

    @value.setter
    def value(self, recipe: Recipe) -> None:
        if recipe.kind != self._recipe.kind:
            self._kind = recipe.kind
        self._recipe = recipe
        for form in self._forms:
            form.value = recipe
        self._hide_what_does_not_count()

    def _shown(self) -> dict[str, Any]:
        return {name: widget.value for name, widget in self.widgets.items()}

    def _on_changed(self) -> None:
        self._hide_what_does_not_count()
        self.changed.emit()

    def _hide_what_does_not_count(self) -> None:
        values = self._shown()
        for form in self._forms:
            form.show_only([name for name in form.widgets if counts(name, self._kind, values)])
