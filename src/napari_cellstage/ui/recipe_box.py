"""What is trained: the usual plans, the recipes that come with the program, or a recipe file of the user's."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QComboBox, QFileDialog, QWidget

from napari_cellstage.core.errors import CellStageError, TrainingError
from napari_cellstage.learn.recipe import Recipe, recipe_names
from napari_cellstage.ui.notices import showing_errors
from napari_cellstage.ui.pieces import shrinking
from napari_cellstage.ui.recipe_form import RecipeForm
from napari_cellstage.ui.training import PLANS, plan_recipes

OPEN = "a recipe file…"
FILES = "Recipes (*.toml)"
_QUICK = "Measures each cell's shape and texture; an answer in seconds."
_NETWORK = "A neural network that looks at the cells themselves; takes minutes, often better."
_PLAN_TIPS = {
    "quick, then network": "Both, one after the other. The one that does better on cells kept aside is kept.",
    "quick only": _QUICK,
    "network only": _NETWORK,
}
_OTHERS = "In the list: the usual plans, recipes of published studies, and recipes of your own."
_ABOUT = Qt.ItemDataRole.UserRole + 1
USUAL = "finetune"  # the recipe whose choices the form shows for all plans


class RecipeBox(QComboBox):
    """A choice of plan or recipe; a recipe's choices are put into the form, where they can be changed.

    Signals
    -------
    chosen : another plan or recipe.

    Parameters
    ----------
    form
        Shows the choices. What was changed under the plans is there again when a plan is chosen again.
    """

    chosen = Signal()

    def __init__(self, form: RecipeForm, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._form = form
        self._of_plans: Recipe | None = None  # what the form showed before a recipe was chosen
        shrinking(self)
        for plan in PLANS:
            self.addItem(plan, None)
            self.setItemData(self.count() - 1, _PLAN_TIPS[plan], Qt.ItemDataRole.ToolTipRole)
        self.insertSeparator(self.count())
        for name in recipe_names():
            if name not in {one for plan in PLANS.values() for one in plan}:
                self._add(name, name, self.count())
        self.insertSeparator(self.count())
        self.addItem(OPEN, OPEN)
        self.setAccessibleName("What is trained")
        self._before = 0
        self._show_tip()
        self.currentIndexChanged.connect(self._on_changed)

    @property
    def recipes(self) -> tuple[Recipe, ...]:
        """What will be trained, one after the other, with the choices of the form.

        Raises
        ------
        CellStageError
            If a choice can't be.
        """
        return plan_recipes(self.currentText(), self._form.value) if self.is_plan else (self._form.value,)

    @property
    def is_plan(self) -> bool:
        """Whether a plan is chosen rather than one recipe."""
        return self.currentData() is None

    @property
    def about(self) -> str:
        """What the chosen recipe is for, and where it is from; empty for a plan."""
        return "" if self.is_plan else str(self.currentData(_ABOUT))

    def open_file(self, file: Path) -> None:
        """Add a recipe file to the list, and choose it.

        Raises
        ------
        CellStageError
            If it is no recipe.
        """
        Recipe.load(str(file))
        place = self.findData(str(file))
        if place < 0:
            place = self.count() - 1
            self._add(file.stem, str(file), place)
        self.setCurrentIndex(place)

    def save_file(self, file: Path) -> None:
        """Write what the form shows as a recipe file, named after the file, and choose it.

        Raises
        ------
        CellStageError
            If it can't be written, or a choice can't be.
        """
        file = file if file.suffix == ".toml" else file.with_name(f"{file.name}.toml")
        recipe = self.recipes[-1].but(name=file.stem, about=self._about_saved())
        try:
            file.write_text(recipe.to_toml(), encoding="utf-8")
        except OSError as e:
            raise TrainingError(f"'{file}' can't be written: {e.strerror or e}. Choose another place.") from e
        self.open_file(file)

    def _about_saved(self) -> str:
        """Say what a saved recipe is: one that comes with the program is not what it says once it was changed."""
        recipe = self.recipes[-1]
        if recipe.name not in recipe_names() or recipe == Recipe.load(recipe.name):
            return recipe.about
        return f"{recipe.name}, changed."

    @showing_errors
    def ask_where_to_save(self) -> None:
        """Ask for a file, and write the recipe into it."""
        chosen, _ = QFileDialog.getSaveFileName(self, "Save as a recipe", f"{self.recipes[-1].name}.toml", FILES)
        if chosen:
            self.save_file(Path(chosen))

    @showing_errors
    def _ask_for_file(self) -> None:
        chosen, _ = QFileDialog.getOpenFileName(self, "Open a recipe", "", FILES)
        if chosen:
            self.open_file(Path(chosen))

    def _add(self, title: str, name: str, place: int) -> None:
        self.insertItem(place, title, name)
        about = Recipe.load(name).about
        whole = about if title == name else f"{about}\n{name}".strip()  # of a file also where it is
        self.setItemData(place, about, _ABOUT)
        self.setItemData(place, whole, Qt.ItemDataRole.ToolTipRole)

    def _on_changed(self, place: int) -> None:
        if self.itemData(place) == OPEN:
            before = self.blockSignals(True)
            self.setCurrentIndex(self._before)
            self.blockSignals(before)
            self._ask_for_file()
            return
        was_plan = self.itemData(self._before) is None
        self._before = place
        self._show_tip()
        self._show_choices(was_plan)
        self.chosen.emit()

    def _show_tip(self) -> None:
        """Say what is chosen, in full, as long names are cut off, and what else there is."""
        about = self.currentData(Qt.ItemDataRole.ToolTipRole)
        self.setToolTip(f"{self.currentText()}: {about}\n\n{_OTHERS}")

    def _show_choices(self, was_plan: bool) -> None:
        """Put the choices of what is chosen into the form."""
        if was_plan and not self.is_plan:
            self._of_plans = _shown(self._form)
        if not self.is_plan:
            self._form.value = Recipe.load(self.currentData())
        elif not was_plan:
            self._form.value = self._of_plans or Recipe.load(USUAL)
        self._form.kind = Recipe.load(PLANS[self.currentText()][-1] if self.is_plan else self.currentData()).kind


def _shown(form: RecipeForm) -> Recipe | None:
    """Return what a form shows; None where a choice of it can't be."""
    try:
        return form.value
    except CellStageError:
        return None
