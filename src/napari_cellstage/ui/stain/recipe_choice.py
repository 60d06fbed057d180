"""How a stack is looked at, which is which recipe; and what of its stain is predicted."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QStandardItemModel
from qtpy.QtWidgets import QComboBox, QFileDialog, QHBoxLayout, QSpinBox, QVBoxLayout, QWidget

from napari_cellstage.stain.recipe import StainRecipe
from napari_cellstage.ui.notices import showing_errors
from napari_cellstage.ui.pieces import shrinking
from napari_cellstage.ui.stain.sources import Output
from napari_cellstage.ui.stain.stain_form import StainForm

FLAT, PLANES, VOLUME = "stain-2d", "stain-25d", "stain-3d"
TITLES = {FLAT: "2D: each plane alone", PLANES: "2.5D: all planes at once", VOLUME: "3D: as a volume"}
OPEN, FILES = "a recipe file…", "Recipes (*.toml)"
OUTPUTS: dict[Output, tuple[str, str]] = {
    "auto": ("the stain as it is", "A stack where the stain is a stack, a plane where it is one."),
    "stack": ("every plane", "The stain in each plane of the stack."),
    "maximum": ("its maximum over z", "One flat picture: the brightest of the planes at each place."),
    "plane": ("one plane", "The stain in one plane of the stack, from all planes of the transmitted light."),
}
_FLAT_ONLY = "The images have one plane only."


class RecipeChoice(QWidget):
    """Recipe and output.

    Signals
    -------
    changed : another recipe, whose choices are in the form, or another output.

    Parameters
    ----------
    form
        Shows the choices.
    """

    changed = Signal()

    def __init__(self, form: StainForm, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._form = form
        self._chosen_by_user = False
        self.recipe, self.output, self.plane = shrinking(QComboBox()), shrinking(QComboBox()), QSpinBox()
        self._build()
        self.recipe.activated.connect(self._on_recipe)
        self.output.activated.connect(self._on_output)
        self.plane.valueChanged.connect(lambda _value: self.changed.emit())
        self.show_planes(1)

    @property
    def wanted_output(self) -> Output:
        """What is predicted of a stack."""
        return cast("Output", self.output.currentData()) if self.output.isVisibleTo(self) else "auto"

    @property
    def wanted_plane(self) -> int | None:
        """Which plane, counted from 0; None where none is chosen."""
        return self.plane.value() if self.wanted_output == "plane" else None

    def show_planes(self, planes: int) -> None:
        """Offer what images with so many planes allow; until the user chooses, what suits them is chosen."""
        deep = planes > 1
        model = self.recipe.model()
        for place, name in enumerate(TITLES):
            able = deep or name == FLAT
            if isinstance(model, QStandardItemModel):
                model.item(place).setEnabled(able)
            self.recipe.setItemData(place, _tip(name, able), Qt.ItemDataRole.ToolTipRole)
        self.output.setVisible(deep)
        self.plane.setMaximum(max(0, planes - 1))
        self._show_plane()
        usual = PLANES if deep else FLAT
        flat_file = not deep and self.recipe.currentData() in TITLES and self.recipe.currentData() != FLAT
        self._chosen_by_user = self._chosen_by_user and not flat_file
        if not self._chosen_by_user and self.recipe.currentData() != usual:
            self.choose(usual)

    def choose(self, name_or_file: str) -> None:
        """Choose a recipe: one of `TITLES`, or a file.

        Raises
        ------
        CellStageError
            If it is no recipe.
        """
        recipe = StainRecipe.load(name_or_file)
        place = self.recipe.findData(name_or_file)
        if place < 0:
            place = self.recipe.count() - 1
            self.recipe.insertItem(place, Path(name_or_file).stem, name_or_file)
            self.recipe.setItemData(place, f"{recipe.about}\n{name_or_file}".strip(), Qt.ItemDataRole.ToolTipRole)
        self.recipe.setCurrentIndex(place)
        self._before = place
        self.recipe.setToolTip(str(self.recipe.itemData(place, Qt.ItemDataRole.ToolTipRole)))
        self._form.value = recipe

    def _build(self) -> None:
        for name, title in TITLES.items():
            self.recipe.addItem(title, name)
        self.recipe.insertSeparator(self.recipe.count())
        self.recipe.addItem(OPEN, OPEN)
        self.recipe.setAccessibleName("How planes are looked at, or a recipe file")
        self._before = 0
        for key, (title, tip) in OUTPUTS.items():
            self.output.addItem(title, key)
            self.output.setItemData(self.output.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)
        self.output.setAccessibleName("What is predicted of a stack")
        self.output.setToolTip("What is predicted of a stack in z.")
        self.plane.setAccessibleName("Which plane is predicted, counted from 0")
        self.plane.setToolTip("Which plane of the stain is predicted, counted from 0 as the slider does.")
        layout, row = QVBoxLayout(self), QHBoxLayout()
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.recipe)
        row.addWidget(self.output, 1)
        row.addWidget(self.plane)
        layout.addLayout(row)

    @showing_errors
    def _on_recipe(self, place: int) -> None:
        wanted = self.recipe.itemData(place)
        self.recipe.setCurrentIndex(self._before)
        if wanted == OPEN:
            wanted, _ = QFileDialog.getOpenFileName(self, "Open a recipe", "", FILES)
        if wanted:
            self.choose(wanted)
            self._chosen_by_user = True
            self.changed.emit()

    def _on_output(self, _place: int) -> None:
        self._show_plane()
        self.changed.emit()

    def _show_plane(self) -> None:
        self.plane.setVisible(self.wanted_output == "plane")


def _tip(name: str, able: bool) -> str:
    about = StainRecipe.load(name).about
    return about if able else f"{about}\n\n{_FLAT_ONLY}"
