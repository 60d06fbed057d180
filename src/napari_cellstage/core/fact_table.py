"""The facts of images in the project's database: changed in place, not part of the journal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from napari_cellstage.core.database import Database
from napari_cellstage.core.image_facts import FACTS, ImageFacts

_COLUMNS = ", ".join(FACTS)
_MARKS = ", ".join(f":{name}" for name in FACTS)


class FactTable(Database):
    """Plate, well, treatment, dose and donor of images."""

    def facts(self) -> dict[int, ImageFacts]:
        """Return the facts of every image that has any."""
        if not self._all("SELECT 1 FROM sqlite_master WHERE name = 'image_facts'"):
            return {}  # a project of an older format that can't be written to
        names = [name for name in FACTS if name in self._columns("image_facts")]  # an old read-only one may lack some
        rows = self._all(f"SELECT image_id, {', '.join(names)} FROM image_facts ORDER BY image_id")
        return {image_id: ImageFacts(**dict(zip(names, said, strict=True))) for image_id, *said in rows}

    def put_facts(self, facts: Mapping[int, ImageFacts]) -> None:
        """Put facts in place of those that images had, all or none; empty ones take them away."""
        rows = [{"image_id": image_id, **asdict(said)} for image_id, said in facts.items() if said]
        with self._transaction() as db:
            db.executemany("DELETE FROM image_facts WHERE image_id = ?", [(image_id,) for image_id in facts])
            db.executemany(f"INSERT INTO image_facts (image_id, {_COLUMNS}) VALUES (:image_id, {_MARKS})", rows)
