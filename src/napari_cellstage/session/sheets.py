"""Class folders as images of the project: contact sheets whose cells and labels come from the folders."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core import acts
from napari_cellstage.core.errors import CellStageError
from napari_cellstage.core.image_records import ImageEntry
from napari_cellstage.core.images import SHEET_ENDING
from napari_cellstage.core.relocating import Relocated
from napari_cellstage.core.snapshot import Images, WorkSnapshot
from napari_cellstage.core.store import find_project, free_folder
from napari_cellstage.session.work import WorkPart

if TYPE_CHECKING:
    from napari_cellstage.core.contact_sheet import ContactSheet
    from napari_cellstage.core.folders import CropSet
    from napari_cellstage.core.sheets import PreparedSheet


class SheetsPart(WorkPart):
    """Contact sheets in, found again, and what became of their folders."""

    def add_sheet(self, crops: CropSet, root: Path | str, prepared: PreparedSheet | None = None) -> int:
        """Add class folders as an image, one tile a cell, each labelled with its folder; return its number.

        It becomes current. Classes that the project lacks are added. Pictures that a sheet of the project shows
        already are not added again: their labels may have been changed since.

        Parameters
        ----------
        crops
            What `read_class_folders` read.
        root
            From where.
        prepared
            What `prepare_sheet` made of them, where that was done before.
        """
        from napari_cellstage.core.sheets import prepare_sheet  # brings what reads files

        root = Path(root).expanduser().absolute()
        prepared = prepared or prepare_sheet(crops, root)
        if not self._space.has_project:
            if known := find_project(self.home, prepared.sheet.stack()):
                self.open_project(known)
            else:
                self.new_project(free_folder(self.home, root.name))
        self._bring_back_sheets(root)
        sheets = [(entry, sheet) for entry, sheet in self._sheets() if sheet.root == root]
        shown = {name for _, sheet in sheets for name in sheet.names}
        new = np.array([i for i, name in enumerate(crops.names) if name not in shown], dtype=np.int64)
        if not len(new):
            self.set_current(sheets[-1][0].image_id)
            return sheets[-1][0].image_id
        if len(new) < len(crops):
            crops = crops.take(new)
            prepared = prepare_sheet(crops, root)
        return self._add_sheet(crops, prepared)

    def relocate(self, image_id: int, path: Path | str) -> None:
        """Say where the file of an image is now, or the class folders of a contact sheet."""
        entry = self._space.entries[self._id(image_id)]
        if not is_sheet(entry):
            super().relocate(image_id, path)
            return
        from napari_cellstage.core.contact_sheet import ContactSheet

        _ = self._space.writable
        ContactSheet.load(entry.place).moved_to(Path(path).expanduser().absolute()).save(entry.place)
        self._space.entries[image_id] = ImageEntry(entry.record, entry.place, stains=entry.stains)
        self.images_changed.emit()
        self.current_changed.emit()

    def relocate_folder(self, folder: Path | str) -> Relocated:
        """Say in which folder all missing images are now, and the class folders of contact sheets."""
        result, folder = super().relocate_folder(folder), Path(folder).expanduser().absolute()
        found: list[int] = []
        missing: list[int] = []
        for entry, sheet in list(self._sheets()):
            if sheet.root.is_dir():
                continue
            place = sheet.found_in(folder)
            (missing if place is None else found).append(entry.image_id)
            if place is not None:
                self.relocate(entry.image_id, place)
        return Relocated((*result.found, *found), (*result.missing, *missing))

    @property
    def problems(self) -> tuple[str, ...]:
        """What the user should know about the open project, each as a sentence; empty when all is well."""
        opened = ((entry, sheet) for entry, sheet in self._sheets() if not entry.missing)  # what is missing is told
        return (*super().problems, *(note for _, sheet in opened for note in sheet.notes))

    def snapshot(self) -> WorkSnapshot:
        """Freeze what training and prediction need; cells of one movie or plate stay together, sheet or not."""
        frozen = super().snapshot()
        if not isinstance(frozen.images, Images):
            return frozen
        said = {image_id for image_id, fields in frozen.images.extras.items() if "groups" in fields}  # plate, donor ...
        groups = {
            entry.image_id: {"groups": sheet.groups_of(self.cells(entry.image_id).cell_id)}
            for entry, sheet in self._sheets()
            if entry.image_id not in said
        }
        return replace(frozen, images=frozen.images.with_extras(groups))

    def _bring_back_sheets(self, root: Path) -> None:
        """Show the sheets of class folders again that were removed: their labels may have been changed since."""
        gone = [entry.image_id for entry, sheet in self._sheets(hidden=True) if sheet.root == root]
        if gone:
            self._do(acts.show_images(gone))

    def _sheets(self, hidden: bool = False) -> Iterator[tuple[ImageEntry, ContactSheet]]:
        """Yield the contact sheets of the project whose description can be read; `missing` tells of the others."""
        for entry in (self._space.hidden if hidden else self._space.entries).values():
            if is_sheet(entry):
                from napari_cellstage.core.contact_sheet import ContactSheet

                try:
                    yield entry, ContactSheet.load(entry.place)
                except CellStageError:
                    continue

    def _add_sheet(self, crops: CropSet, prepared: PreparedSheet) -> int:
        sheet, order = prepared.sheet, prepared.order
        folder, name = self._space.writable.folder / "images", sheet.root.name
        file = next(f for n in range(1, 10_000) if not (f := folder / f"{name}-{n}{SHEET_ENDING}").exists())
        sheet.save(file)
        image_id = self.add_image(sheet.stack(file, lambda cell: crops.crops[order[cell]]))
        self.set_labels(prepared.labels, image_id)
        self._label_by_folder(image_id, [cell.class_name for cell in sheet.cells])
        return image_id

    def _label_by_folder(self, image_id: int, names: list[str]) -> None:
        """Give each cell the class of its folder, as one act of the user."""
        ids = {one.name: one.id for one in self.scheme}
        ids |= {name: self.add_class(name) for name in dict.fromkeys(names) if name not in ids}
        class_of_row = self._classes_of_rows(image_id, np.array([ids[name] for name in names]))
        for number, class_id in enumerate(dict.fromkeys(ids[name] for name in names)):
            rows = np.flatnonzero(class_of_row == class_id)
            self.label_cells(rows, class_id, image_id, continues=number > 0, origin="folder")

    def _classes_of_rows(self, image_id: int, class_ids: NDArray[np.int64]) -> NDArray[np.int64]:
        return class_ids[self.cells(image_id).cell_id - 1]


def is_sheet(entry: ImageEntry) -> bool:
    """Tell whether an image of the project is a contact sheet."""
    return Path(entry.record.path).suffix == SHEET_ENDING
