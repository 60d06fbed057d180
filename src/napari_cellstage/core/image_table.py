"""What the database knows of images and settings: read and changed in place, not part of the journal."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from napari_cellstage.core.database import Database
from napari_cellstage.core.image_records import ImageRecord

_JSON = ("shape", "channel_names", "pixel_size_um")


class ImageTable(Database):
    """Images, what is known of their cells without reading them, and settings."""

    def images(self) -> tuple[ImageRecord, ...]:
        """Return the images in the order they were added."""
        columns = ", ".join(ImageRecord.__dataclass_fields__)
        names = tuple(ImageRecord.__dataclass_fields__)
        rows = self._all(f"SELECT {columns} FROM image ORDER BY image_id")
        return tuple(_record(dict(zip(names, row, strict=True))) for row in rows)

    def next_image_id(self) -> int:
        """Return the number for an image that is yet to be added."""
        return int(self._one("SELECT MAX(image_id) FROM image", none=0)) + 1

    def put_image(self, *records: ImageRecord) -> None:
        """Add images, or change what is known of them; all or none."""
        with self._transaction() as db:
            for record in records:
                values = asdict(record)
                for key in _JSON:
                    values[key] = json.dumps(values[key], ensure_ascii=False)
                marks = ", ".join(f":{key}" for key in values)
                db.execute(f"INSERT OR REPLACE INTO image ({', '.join(values)}) VALUES ({marks})", values)

    def cell_counts(self) -> dict[int, int]:
        """Return how many cells each image has, for the images where that is known."""
        query = "SELECT image_id, cells FROM image_state WHERE cells IS NOT NULL"
        return {int(key): int(value) for key, value in self._all(query)}

    def put_cell_count(self, image_id: int, count: int) -> None:
        """Note how many cells an image has."""
        with self._transaction() as db:
            db.execute(
                "INSERT INTO image_state (image_id, cells) VALUES (?, ?) "
                "ON CONFLICT (image_id) DO UPDATE SET cells = excluded.cells",
                (image_id, count),
            )

    def predicted_versions(self) -> dict[int, int]:
        """Return for each image the version of its segmentation that was predicted last."""
        query = "SELECT image_id, predicted FROM image_state WHERE predicted >= 0"
        return {int(key): int(value) for key, value in self._all(query)}

    def put_predicted(self, versions: dict[int, int]) -> None:
        """Note which version of each image's segmentation has predictions now."""
        with self._transaction() as db:
            db.executemany(
                "INSERT INTO image_state (image_id, predicted) VALUES (?, ?) "
                "ON CONFLICT (image_id) DO UPDATE SET predicted = excluded.predicted",
                list(versions.items()),
            )

    def settings(self) -> dict[str, Any]:
        """Return all settings; values are plain JSON."""
        return {key: json.loads(value) for key, value in self._all("SELECT key, value FROM setting")}

    def put_setting(self, key: str, value: Any) -> None:
        """Store a setting; `value` must be plain JSON."""
        with self._transaction() as db:
            db.execute("INSERT OR REPLACE INTO setting VALUES (?,?)", (key, json.dumps(value)))


def _record(values: dict[str, Any]) -> ImageRecord:
    size = json.loads(values.pop("pixel_size_um"))
    return ImageRecord(
        **values
        | {
            "shape": tuple(json.loads(values["shape"])),
            "channel_names": tuple(json.loads(values["channel_names"])),
            "pixel_size_um": tuple(size) if size else None,
            "rgb": bool(values["rgb"]),
        }
    )
