"""Anything in any order: memory, disk and a model that keeps every state agree."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from napari_cellstage.core.errors import CellsError
from napari_cellstage.session import Session
from tests.session.scene import grid, stack_for


class AnyOrder(RuleBasedStateMachine):
    """Whatever is done, undone and done again: memory, disk and a model that keeps every state agree."""

    def __init__(self) -> None:
        super().__init__()
        import tempfile

        self.home = Path(tempfile.mkdtemp())
        self.session = Session(self.home)
        self.future: list[Any] = []

    @initialize()
    def begin(self) -> None:
        self.session.use_template("exposure")
        self.session.add_image(stack_for(grid(frames=2)))
        self.session.set_labels(grid(frames=2))
        self.base = 1  # making the segmentation can be undone too, but is not here
        self.past = [self.state()]

    def state(self) -> Any:
        labels = self.session.labels()
        image = self.session._space.image(1)
        marks = image.marks()
        named = dict(zip(marks.names().items(), marks.origin.tolist(), strict=True))
        pixels = None if labels is None else np.asarray(labels).tobytes()
        table = [column.tolist() for column in (image.cells.t, image.cells.cell_id, image.cells.area, image.cells.y)]
        return named, pixels, self.session.scheme, table

    def did(self) -> None:
        now = self.state()
        self.past.append(now)
        self.future.clear()

    @rule(rows=st.lists(st.integers(0, 17), min_size=1, max_size=5), choice=st.integers(0, 3))
    def label(self, rows: list[int], choice: int) -> None:
        ids = (0, *self.session.scheme.ids)
        count = len(self.session.cells())
        if count and len(self.session.label_cells([r % count for r in rows], ids[choice % len(ids)])):
            self.did()

    @rule(y=st.integers(0, 29), x=st.integers(0, 29), t=st.integers(0, 1))
    def draw(self, y: int, x: int, t: int) -> None:
        if self.session.cell_at(t, 0, y, x) is None:
            self.session.add_cell(t, 0, y, x)
            self.did()

    @rule(places=st.lists(st.integers(0, 30), min_size=2, max_size=4))
    def merge(self, places: list[int]) -> None:
        cells = self.session.cells()
        rows = [row for row in {p % max(1, len(cells)) for p in places} if row < len(cells)]
        if len(rows) > 1 and len(set(cells.t[rows].tolist())) == 1:
            self.session.merge_cells(rows)
            self.did()

    @rule(place=st.integers(0, 30), by_line=st.booleans())
    def split(self, place: int, by_line: bool) -> None:
        cells = self.session.cells()
        large = np.flatnonzero((cells.bbox[:, 5] - cells.bbox[:, 2] > 3) & (cells.area > 8))
        if len(large):
            row = int(large[place % len(large)])
            x = float(cells.bbox[row, 2]) + 1.5
            try:
                self.session.split_cell(row, ((0.0, x), (40.0, x)) if by_line else None)
            except CellsError:
                return
            self.did()

    @rule(places=st.lists(st.integers(0, 30), min_size=1, max_size=3))
    def delete_cells(self, places: list[int]) -> None:
        if count := len(self.session.cells()):
            self.session.delete_cells([p % count for p in places])
            self.did()

    @rule(y=st.integers(0, 29), x=st.integers(0, 29), height=st.integers(0, 9), width=st.integers(0, 9))
    def box(self, y: int, x: int, height: int, width: int) -> None:
        try:
            self.session.add_box(1, 0, y, x, y + height, x + width)
        except CellsError:
            return
        self.did()

    @rule(choice=st.integers(0, 3))
    def label_image(self, choice: int) -> None:
        ids = (0, *self.session.scheme.ids)
        before = self.session.image_class(1)
        changed = self.session.label_images([1], ids[choice % len(ids)], origin="well")
        if changed or self.session.image_class(1) != before:
            self.did()

    @rule(shift=st.integers(-2, 2), gone=st.integers(1, 18), back_to_front=st.booleans())
    def segment(self, shift: int, gone: int, back_to_front: bool) -> None:
        labels = np.roll(grid(frames=2), shift, axis=3)
        labels[labels == gone] = 0
        labels = np.where(labels > 0, 19 - labels, 0) if back_to_front else labels
        count = len(self.session._space.image(1).names())
        result = self.session.set_labels(labels)
        assert len(result.kept) + len(result.moved) + len(result.lost) == count
        given = self.session.image_class(1)
        assert not given or (self.session.class_ids() > 0).all(), "cells found later have the image's class too"
        self.did()

    @precondition(lambda self: len(self.session.scheme) > 1)
    @rule(place=st.integers(0, 5))
    def delete(self, place: int) -> None:
        ids = self.session.scheme.ids
        self.session.delete_class(ids[place % len(ids)])
        self.did()

    @rule()
    def add(self) -> None:
        self.session.add_class(f"class {self.session.scheme.next_id}")
        self.did()

    @precondition(lambda self: len(self.past) > 1)
    @rule(times=st.integers(1, 4))
    def undo(self, times: int) -> None:
        for _ in range(min(times, len(self.past) - 1)):
            self.session.undo()
            self.future.append(self.past.pop())

    @precondition(lambda self: bool(self.future))
    @rule(times=st.integers(1, 4))
    def redo(self, times: int) -> None:
        for _ in range(min(times, len(self.future))):
            self.session.redo()
            self.past.append(self.future.pop())

    @rule()
    def another_window_sees_the_same(self) -> None:
        reader = Session(self.home)
        assert self.session.project is not None
        reader.open_project(self.session.project.folder)
        mine, self.session = self.session, reader
        seen = self.state()
        self.session = mine
        assert seen == self.state()
        assert not len(reader._space.image(1).strays)
        assert reader.counts() == self.session.counts()
        assert reader.image_class(1) == self.session.image_class(1)
        assert reader.image_states()[0] == self.session.image_states()[0]
        reader.close()

    @invariant()
    def agrees(self) -> None:
        if hasattr(self, "past"):
            assert self.state() == self.past[-1]
            assert self.session.can_redo == bool(self.future)
            assert not len(self.session._space.image(1).strays)

    def teardown(self) -> None:
        self.session.close()
        shutil.rmtree(self.home)


AnyOrder.TestCase.settings = settings(
    max_examples=15,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestAnyOrder = AnyOrder.TestCase
