"""The recipe of a stain as forms: the few choices that come first, and all the rest in groups."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QObject, Signal

from napari_cellstage.core.errors import CellStageError
from napari_cellstage.stain.recipe import StainRecipe
from napari_cellstage.ui.settings_form import SettingsForm
from napari_cellstage.ui.stain.recipe_groups import FIRST, GROUPS


class StainForm(QObject):
    """Forms that are one recipe.

    Attributes
    ----------
    first, more
        The forms. Choices that don't count as things are, are hidden; they keep their values.

    Signals
    -------
    changed : the user changed a choice.
    """

    changed = Signal()

    def __init__(self, recipe: StainRecipe, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._recipe = recipe
        self.first: SettingsForm[StainRecipe] = SettingsForm(recipe, FIRST)
        self.more: SettingsForm[StainRecipe] = SettingsForm(recipe, GROUPS)
        self._forms = (self.first, self.more)
        self.widgets: dict[str, Any] = {name: one for form in self._forms for name, one in form.widgets.items()}
        for form in self._forms:
            form.changed.connect(self.changed)
        self._hide()

    @property
    def value(self) -> StainRecipe:
        """The recipe that is shown.

        Raises
        ------
        CellStageError
            If a choice can't be.
        """
        try:
            return self._recipe.but(**{name: widget.value for name, widget in self.widgets.items()})
        except ValueError as error:
            raise CellStageError(str(error)) from error

    @value.setter
    def value(self, recipe: StainRecipe) -> None:
        self._recipe = recipe
        for form in self._forms:
            form.value = recipe
        self._hide()

    def _hide(self) -> None:
        for form in self._forms:
            form.show_only([name for name in form.widgets if self._counts(name)])

    def _counts(self, name: str) -> bool:
        when = StainRecipe.__dataclass_fields__[name].metadata.get("when")
        return when is None or getattr(self._recipe, when[0]) in when[1:]
