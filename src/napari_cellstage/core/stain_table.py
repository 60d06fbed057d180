"""Predicted stains in the project's database: changed in place, not part of the journal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, fields

from napari_cellstage.core.database import Database
from napari_cellstage.core.predicted import PredictedStain

_NAMES = tuple(one.name for one in fields(PredictedStain))
_COLUMNS = ", ".join(_NAMES)
_MARKS = ", ".join(f":{name}" for name in _NAMES)


class StainTable(Database):
    """Which stains were predicted for which image, and which segmentations were found in one."""

    def stains(self) -> dict[int, tuple[PredictedStain, ...]]:
        """Return the predicted stains of every image that has any, in the order of its channels."""
        found: dict[int, tuple[PredictedStain, ...]] = {}
        for image_id, *said in self._all(f"SELECT image_id, {_COLUMNS} FROM stain ORDER BY seq"):
            one = PredictedStain(**dict(zip(_NAMES, said, strict=True)))
            found[image_id] = (*found.get(image_id, ()), one)
        return found

    def put_stains(self, image_id: int, stains: Sequence[PredictedStain]) -> None:
        """Put predicted stains in place of those that an image had; all or none."""
        rows = [{"image_id": image_id, **asdict(one)} for one in stains]
        with self._transaction() as db:
            db.execute("DELETE FROM stain WHERE image_id = ?", (image_id,))
            db.executemany(f"INSERT INTO stain (image_id, {_COLUMNS}) VALUES (:image_id, {_MARKS})", rows)

    def found_in(self) -> dict[tuple[int, int], str]:
        """Return the predicted channel that cells were found in, by image and version of its segmentation."""
        rows = self._all("SELECT image_id, version, channel FROM found_in")
        return {(image_id, version): channel for image_id, version, channel in rows}

    def put_found_in(self, image_id: int, version: int, channel: str) -> None:
        """Note in which predicted channel the cells of a segmentation were found."""
        with self._transaction() as db:
            db.execute("INSERT OR REPLACE INTO found_in VALUES (?, ?, ?)", (image_id, version, channel))
