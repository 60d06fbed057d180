"""What exports get: everything known of the cells, frozen."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.cells import CellTable
from napari_cellstage.core.image_records import ImageEntry
from napari_cellstage.core.people.opinions import Opinions
from napari_cellstage.core.predicted import predicted_among
from napari_cellstage.core.snapshot import Reader
from napari_cellstage.core.volumes import LabelVolume
from napari_cellstage.session.sheets import SheetsPart, is_sheet
from napari_cellstage.session.staining import StainingPart
from napari_cellstage.session.tracks import TracksPart

if TYPE_CHECKING:
    from napari_cellstage.core.exporting.source import ExportImage, ExportSource


class ExportsPart(SheetsPart, TracksPart, StainingPart):
    """The project as exports see it."""

    def export_source(self, with_people: bool = False) -> ExportSource:
        """Freeze what is known of all cells, those of images whose file is missing too.

        With `with_people` also what each person said; in blind mode that is only what one said oneself.
        """
        from napari_cellstage.core.exporting.source import ExportSource  # not needed to open the dock

        readers = self._space.frozen()[0].readers if self._space.has_project else {}
        stains_of = cache(self._stains_seen_by)  # all images have the predictions of one run mostly, whose card is long
        images = (self._export_image(entry, readers.get(entry.image_id), stains_of) for entry in self.images)
        runs = self.project.runs if self.project else None
        said = self._space.said() if with_people else Opinions()
        seen = self._seen()
        channels = self.network_channels if seen is None else seen.channels
        return ExportSource(tuple(i for i in images if len(i.cells)), self.scheme, channels, runs, said, seen)

    def _export_image(self, entry: ImageEntry, reader: Reader | None, stains_of: Callable[[str], str]) -> ExportImage:
        from napari_cellstage.core.exporting.source import ExportImage

        image_id = entry.image_id
        cells, tracks, found = self.cells(image_id), self.tracks(image_id), self.predictions(image_id)
        return ExportImage(
            image_id=image_id,
            name=entry.name,
            cells=cells,
            class_ids=self.class_ids(image_id).copy(),
            stack=entry.stack,
            labels=self._export_labels(entry, reader),
            predictions=found,
            origins=self.origins(image_id),
            facts=self.facts(image_id),
            track_id=None if tracks is None else tracks.track_id.copy(),
            files=files_of(entry, cells),
            pixel_size_um=entry.record.pixel_size_um,
            found_in=self.found_in(image_id),
            model_sees=stains_of(found.run) if found else "",
        )

    def _stains_seen_by(self, run: str) -> str:
        """Return the predicted channels that a run's model looks at, from its card; empty where nobody knows."""
        try:
            card = (self._space.project.runs / run / "card.json").read_text(encoding="utf-8")
            return predicted_among([str(name) for name in json.loads(card)["channel_names"]])
        except (OSError, ValueError, KeyError, TypeError):
            return ""

    def _export_labels(self, entry: ImageEntry, reader: Reader | None) -> LabelVolume | Callable[[], Any] | None:
        """Return what reads the segmentation in the worker; of an image whose file is missing, itself."""
        if reader is not None and entry.stack is not None:
            return partial(_labels, reader)
        labels = self.labels(entry.image_id)
        return None if labels is None else labels.frozen()


def _labels(reader: Reader) -> LabelVolume | None:
    found = reader()
    if found is None:
        return None
    return found.labels if isinstance(found.labels, LabelVolume) else LabelVolume.of(found.labels)


def files_of(entry: ImageEntry, cells: CellTable) -> NDArray[np.str_] | None:
    """Return the picture of each cell of a contact sheet."""
    if not is_sheet(entry) or entry.stack is None:
        return None
    from napari_cellstage.core.sheets import sheet_of

    sheet = sheet_of(entry.stack)
    if sheet is None:
        return None
    names = ("", *sheet.names)
    return np.array([names[i] if i < len(names) else "" for i in cells.cell_id.tolist()], dtype=np.str_)
