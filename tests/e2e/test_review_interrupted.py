"""The review in a real window while something else goes on: keys pressed, another project opened, the dock closed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from napari.utils.notifications import Notification, notification_manager
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from review_scene import DIVIDING, RESTING, label_with_slips, review, train

from napari_cellstage.core.review.cell_refs import CellRefs

if TYPE_CHECKING:
    from window import Bench

pytestmark = [pytest.mark.gui, pytest.mark.filterwarnings("ignore:.*PyQt5.*"), pytest.mark.timeout(600)]


@pytest.fixture
def told() -> Iterator[list[str]]:
    """What the window says meanwhile, but for what napari says of PyQt5."""
    said: list[str] = []

    def listen(one: Notification) -> None:
        if "PyQt5" not in one.message:
            said.append(one.message)

    notification_manager.notification_ready.connect(listen)
    yield said
    notification_manager.notification_ready.disconnect(listen)


def cross_validate(bench: Bench) -> Any:
    """Begin to cross-validate the newest run; return the part that did."""
    runs = review(bench).sections.open("Runs")
    runs.table.selectRow(0)
    bench.click(runs.cross)
    assert bench.dock.runner.busy
    return runs


def test_labels_given_while_cross_validation_runs_are_kept_and_counted(
    open_window: Callable[[], Bench], told: list[str]
) -> None:
    bench = open_window()
    slips = label_with_slips(bench)
    train(bench)
    session, grid = bench.session, review(bench).gallery.grid
    some = CellRefs.of(session.current_id, session.cells(), slips[:3])
    session.show_cells(some, "slips")
    cross_validate(bench)
    saw = session.class_ids().copy()
    session.choose(some)
    grid.setFocus()
    QTest.keyClick(grid, Qt.Key.Key_1)
    assert bench.dock.runner.busy
    assert (session.class_ids()[slips[:3]] == RESTING).all()
    bench.wait_for_end()

    assert (session.class_ids()[slips[:3]] == RESTING).all()
    unseen = session.unseen_then()
    rows = session.rows_of(unseen.cells)
    assert (np.asarray(unseen.classes.ids)[unseen.truth] == saw[rows]).all()
    assert (saw[slips[:3]] == DIVIDING).all()
    scores = review(bench).scores
    bench.qtbot.waitUntil(lambda: "3 have changed since" in scores.changed.text(), timeout=20_000)
    assert told == []


def test_another_project_is_opened_while_cross_validation_runs_and_the_first_gets_its_answers(
    open_window: Callable[[], Bench], told: list[str], tmp_path: Path
) -> None:
    bench = open_window()
    label_with_slips(bench)
    train(bench)
    session, first = bench.session, bench.session.project.folder
    shown = review(bench).gallery
    session.show_cells(CellRefs.of(session.current_id, session.cells(), [0, 1]), "two")
    written = (first / "runs" / session.review_run / "unseen.npz").stat().st_mtime_ns
    cross_validate(bench)
    session.new_project(tmp_path / "other.cellstage")
    bench.wait_for_end()
    panel = review(bench)
    assert "Nothing is trained yet" in panel.missing_text.text()
    assert (shown.grid.count, session.shown.title, session.runs()) == (0, "", ())

    session.open_project(first)
    panel = review(bench)
    assert (first / "runs" / session.review_run / "unseen.npz").stat().st_mtime_ns > written
    assert panel.scores.changed.text() == ""
    assert session.shown.title != "two"
    assert told == []


@pytest.mark.parametrize("what", ["cross-validation", "t-SNE", "where the network looks"])
def test_the_dock_is_closed_in_the_middle_and_everything_is_given_back(
    open_window: Callable[[], Bench], told: list[str], what: str
) -> None:
    bench = open_window()
    keys, layers = set(bench.viewer.keymap), len(bench.viewer.layers)
    label_with_slips(bench)
    train(bench)
    panel = review(bench)
    if what == "cross-validation":
        cross_validate(bench)
    elif what == "t-SNE":
        panel.sections.open("Map").kind.setCurrentText("t-SNE")
    else:
        session = bench.session
        session.show_cells(CellRefs.of(session.current_id, session.cells(), np.arange(len(session.cells()))), "all")
        panel.gallery.attention.button.setChecked(True)
    bench.qtbot.waitUntil(lambda: bench.dock.runner.busy, timeout=10_000)
    bench.close_dock()
    bench.qtbot.wait(300)

    assert bench.session.project is None
    assert len(bench.viewer.layers) == layers
    assert set(bench.viewer.keymap) <= keys
    assert told == []
    bench.open_dock()
    assert not bench.dock.runner.busy
