"""Which project is open."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from napari_cellstage.core.store import Project
from napari_cellstage.core.workspace import Workspace
from napari_cellstage.session.base import Base


class ProjectPart(Base):
    """Open, make, copy and close the project; its settings."""

    @property
    def project(self) -> Project | None:
        """The open project, None when there is none."""
        return self._space.project if self._space.has_project else None

    @property
    def read_only(self) -> bool:
        """True when nothing can be changed; `problems` says why."""
        return self.project is not None and self.project.read_only

    @property
    def problems(self) -> tuple[str, ...]:
        """What the user should know about the open project, each as a sentence; empty when all is well."""
        told = (text for image_id, text in self._space.problems.items() if image_id not in self._space.hidden)
        return (*told, *self._missing())

    def _missing(self) -> tuple[str, ...]:
        """Return a sentence for each image that is missing, or one for all where there are many."""
        missing = [entry for entry in self._space.entries.values() if entry.missing]
        if len(missing) <= 3:
            return tuple(entry.missing for entry in missing)
        first = missing[0]
        return (
            f"{len(missing)} of {len(self._space.entries)} images can't be opened, such as '{first.name}' at "
            f"'{first.place}'. Press 'Find the {len(missing)} missing files' in the step Data and choose the folder "
            "they are in now; their labels are kept.",
        )

    def open_project(self, folder: Path | str) -> None:
        """Open a project, or try again to write to it; the one that was open stays so when that fails."""
        folder = Path(folder).expanduser().absolute()
        if not self.project or self.project.folder != folder or self.read_only:
            self._enter(Workspace(Project(folder)))

    def new_project(self, folder: Path | str) -> None:
        """Make an empty project and open it; classes and settings chosen while none was open go into it."""
        self._enter(Workspace.create(folder, self._space))

    def save_project_as(self, folder: Path | str) -> None:
        """Copy the project to another folder and go on there; undo goes on working."""
        self._space.move_to(self._space.project.copy_to(folder))
        self.project_changed.emit()
        self.images_changed.emit()

    def close(self) -> None:
        """Close the project; everything is on the disk already."""
        if self._space.has_project:
            self._enter(Workspace())

    def setting(self, key: str) -> Any:
        """Return a setting of the project, None when it was never set."""
        return self._space.settings.get(key)

    def put_setting(self, key: str, value: Any) -> None:
        """Store a setting, plain JSON, with the project."""
        self._space.put_setting(key, value)
        self.settings_changed.emit()
