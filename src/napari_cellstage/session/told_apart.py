"""Which classes are to be told apart: cells of the others are neither trained on nor scored, and keep their labels."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from napari_cellstage.core.snapshot import WorkSnapshot
from napari_cellstage.core.tasks import Task
from napari_cellstage.session.work import WorkPart

_LEFT_OUT = "classes left out"


class TaskPart(WorkPart):
    """The task of the project's trainings. It is a setting: undo leaves it alone."""

    @property
    def left_out(self) -> tuple[int, ...]:
        """Ids of the classes that training leaves out; classes made later are told apart."""
        stored = self.setting(_LEFT_OUT)
        return tuple(i for i in self.scheme.ids if i in stored) if isinstance(stored, list) else ()

    @left_out.setter
    def left_out(self, class_ids: Iterable[int]) -> None:
        out = {self.scheme.by_id(i).id for i in class_ids}
        if out:
            Task.of((one.name for one in self.scheme if one.id not in out), self.scheme.names)  # two at least
        self.put_setting(_LEFT_OUT, sorted(out))

    def snapshot(self) -> WorkSnapshot:
        """Freeze what training and prediction need, with the classes that are left out."""
        return replace(super().snapshot(), left_out=self.left_out)
