"""The Review step on runs as trainings leave them: what it says, and where its parts lead."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from napari_cellstage.core.review.cell_refs import CellRefs
from napari_cellstage.session import Session
from napari_cellstage.ui.next_step import made_text
from napari_cellstage.ui.pieces import READ_ONLY
from napari_cellstage.ui.review.panel import ReviewPanel
from napari_cellstage.ui.theme import PanelTheme
from napari_cellstage.ui.workers import JobRunner
from tests.session.runs_scene import labelled_refs, make_run


@pytest.fixture
def labelled(session: Session) -> Session:
    """Twelve cells, nine labelled: three of each of three classes."""
    for row in range(9):
        session.label_cells([row], row % 3 + 1)
    return session


@pytest.fixture
def panel(qtbot: Any, labelled: Session) -> Iterator[ReviewPanel]:
    theme, runner = PanelTheme(ViewerModel()), JobRunner()
    pressed: list[str] = []
    made = ReviewPanel(labelled, runner, theme, lambda key: bool(pressed.append(key)) or True)
    made.pressed = pressed
    qtbot.addWidget(made)
    made.show()
    yield made
    made.close_link()
    runner.close()
    theme.close_link()


def wait(panel: ReviewPanel, qtbot: Any) -> None:
    qtbot.waitUntil(lambda: not panel._stale, timeout=10_000)


def test_without_a_model_it_says_what_to_do_and_leads_there(panel: ReviewPanel, qtbot: Any) -> None:
    assert "Train once; cross-validation then says" in panel.missing_text.text()
    with qtbot.waitSignal(panel.training_wanted):
        panel.train.click()


def test_a_run_without_answers_for_unseen_cells_leads_to_cross_validation(
    panel: ReviewPanel, labelled: Session
) -> None:
    make_run(labelled, "one")
    (labelled.project.runs / "one" / "unseen.npz").unlink()
    labelled.note_run()
    panel.refresh()
    assert "Cross-validate" in panel.missing_text.text()
    runs = panel.sections.open("Runs")
    assert not runs.review.isEnabled()
    assert runs.cross.isEnabled() is False or runs.table.selected()


def test_a_click_in_the_matrix_fills_the_gallery_and_a_corrected_label_moves_on(
    panel: ReviewPanel, labelled: Session, qtbot: Any
) -> None:
    make_run(labelled, "one", wrong=[0, 3])  # two of class 1, said to be of class 2
    wait(panel, qtbot)
    view = panel.sections.section("Matrix").view
    at = view.visualRect(view.counts.index(0, 1)).center()
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=at)
    cells, _ids = labelled_refs(labelled)
    assert labelled.shown.cells == cells.take([0, 3])
    assert labelled.shown.title == "interphase, predicted as prophase"

    labelled.choose(cells.take([0]))
    assert view.counts.outlined == {(1, 2)}
    labelled.label_refs(cells.take([0]), 2)
    wait(panel, qtbot)
    assert view.counts.count(0, 1) == 1
    assert "1 has changed since" in panel.scores.changed.text()
    assert labelled.shown.cells == cells.take([0, 3])  # what is shown does not jump away under the hand


def test_a_run_of_a_held_out_part_says_how_few_cells_are_reviewed(
    panel: ReviewPanel, labelled: Session, qtbot: Any
) -> None:
    folder = labelled.project.runs / "one"
    make_run(labelled, "one").take(np.arange(3)).save(folder / "unseen.npz")
    card = json.loads((folder / "card.json").read_text())
    (folder / "card.json").write_text(json.dumps(card | {"cross_validated": 0}))
    labelled.note_run("one")
    wait(panel, qtbot)
    assert "Only the 3 cells held out of 9 labelled ones are reviewed." in panel.scores.changed.text()


def test_before_anything_is_chosen_all_errors_are_shown_and_after_a_training_the_new_ones(
    panel: ReviewPanel, labelled: Session, qtbot: Any
) -> None:
    make_run(labelled, "one", wrong=[0, 3])
    wait(panel, qtbot)
    assert labelled.shown.title == "All errors"
    assert labelled.shown.cells.cell_id.tolist() == [1, 4]
    assert labelled.shown.order == "loss"
    make_run(labelled, "two", wrong=[1])
    labelled.note_run("two")
    wait(panel, qtbot)
    qtbot.waitUntil(lambda: labelled.shown.cells.cell_id.tolist() == [2], timeout=20_000)
    labelled.show_cells(CellRefs.of(1, labelled.cells()).take([5]), "mine")
    make_run(labelled, "three", wrong=[0])
    labelled.note_run("three")
    qtbot.waitUntil(lambda: not panel._stale, timeout=20_000)
    assert labelled.shown.title == "mine"


def test_without_errors_the_least_sure_cells_are_shown(panel: ReviewPanel, labelled: Session, qtbot: Any) -> None:
    make_run(labelled, "one")
    wait(panel, qtbot)
    assert labelled.shown.title == "Least confident"
    assert len(labelled.shown.cells) == 9


def test_a_section_that_wants_much_room_takes_none_from_the_gallery(
    panel: ReviewPanel, labelled: Session, qtbot: Any
) -> None:
    make_run(labelled, "one", wrong=[0, 3])
    wait(panel, qtbot)
    QTest.qWait(50)
    least = panel.minimumSizeHint().height()
    for title in ("Matrix", "Lists", "Map", "Runs", "People"):
        panel.sections.open(title)
    panel.resize(330, 520)
    QTest.qWait(50)
    assert panel.minimumSizeHint().height() == least
    assert panel.gallery.grid.viewport().height() >= 2 * panel.gallery.grid.places.pitch - 10


def test_tab_comes_to_a_section_before_the_gallery(panel: ReviewPanel) -> None:
    runs, order = panel.sections.open("Runs"), []
    one: Any = panel.sections.tabBar()
    while (one := one.nextInFocusChain()) is not panel.sections.tabBar():
        order.append(one)
    assert order.index(runs.table) < order.index(runs.predict) < order.index(panel.gallery.grid)


def test_the_score_has_interval_n_and_what_to_know(panel: ReviewPanel, labelled: Session, qtbot: Any) -> None:
    make_run(labelled, "one", wrong=[0])
    wait(panel, qtbot)

    assert panel.scores.score.text().endswith(f"accuracy {labelled.review_scores().text}")
    assert "⚠ 2 warnings" in panel.scores.folded.head.text()
    assert "one image" in panel.scores.more.text()
    assert panel.scores.classes.item(0, 0).text() == "interphase"


def test_lists_open_and_suspects_are_decided_one_by_one(panel: ReviewPanel, labelled: Session, qtbot: Any) -> None:
    make_run(labelled, "one", wrong=[0, 3, 4], confidence=0.95)
    wait(panel, qtbot)
    lists = panel.sections.open("Lists")
    assert lists.list.item(0).text() == "Suspected label errors: looking for them …"
    qtbot.waitUntil(lambda: lists.suspects.known, timeout=20_000)
    texts = [lists.list.item(row).text() for row in range(lists.list.count())]
    assert texts[0] == "Suspected label errors: 3"
    assert "interphase → prophase: 2" in texts
    lists.list.itemClicked.emit(lists.list.item(0))
    box = lists.suspects
    first = labelled.suspects().take([0])
    assert labelled.chosen == first
    assert "1 of 3" in box.said.text()
    box.correct.click()
    row = labelled.row_of(int(first.t[0]), int(first.cell_id[0]))
    assert labelled.class_ids()[row] == labelled.review_table().predicted[row]
    assert labelled.origins()[row] == "review"
    box.accept.click()
    box.skip.click()
    assert "No suspected label is left" in box.said.text()
    assert len(labelled.skipped) == 1
    qtbot.waitUntil(lambda: lists.suspects.known and not lists.suspects._finding.busy, timeout=20_000)
    labelled.undo()
    assert len(labelled.suspects()) == 1
    box.again.click()
    assert len(box.left) == 2


def test_read_only_all_can_be_looked_at_and_what_would_write_says_why_not(
    qtbot: Any, labelled: Session, tmp_path: Path
) -> None:
    make_run(labelled, "one", wrong=[0, 3, 4], confidence=0.95)
    make_run(labelled, "two", "2026-11-02T12:00:00+00:00")
    second, theme, runner = Session(tmp_path / "other"), PanelTheme(ViewerModel()), JobRunner()
    second.open_project(labelled.project.folder)
    made = ReviewPanel(second, runner, theme)
    qtbot.addWidget(made)
    made.show()
    wait(made, qtbot)

    runs = made.sections.open("Runs")
    runs.table.select(("one",))
    for one in (runs.predict, runs.cross, runs.report):
        assert not one.isEnabled()
        assert one.toolTip().endswith("\n\n" + READ_ONLY)
    runs.review.click()
    assert second.review_run == "one"
    assert "the one that is reviewed" in runs.review.toolTip()
    lists = made.sections.open("Lists")
    qtbot.waitUntil(lambda: lists.suspects.known and len(lists.suspects.left) == 3, timeout=20_000)
    lists.list.itemClicked.emit(lists.list.item(0))
    box = lists.suspects
    assert [one.isEnabled() for one in (box.accept, box.correct, box.skip)] == [False, False, True]
    assert READ_ONLY in box.correct.toolTip()
    texts = [one.text() for one in made.gallery.menu.made().actions() if not one.isEnabled()]
    assert texts[0] == READ_ONLY
    assert not any("Label as" in one.text() for one in made.gallery.menu.made().actions())

    made.close_link()
    runner.close()
    theme.close_link()
    second.close()


def test_labels_that_have_changed_since_are_said_with_the_time_of_those_that_it_saw(
    panel: ReviewPanel, labelled: Session, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_run(labelled, "one", "2026-11-01T12:00:00+00:00")
    monkeypatch.setattr(labelled, "labels_seen", lambda _run: "2026-11-02T12:00:00+00:00")
    labelled.label_cells([0], 2)
    wait(panel, qtbot)
    assert panel.scores.changed.text().startswith(f"Labels of {made_text('2026-11-02T12:00:00+00:00')}; 1 has changed")


def test_a_run_whose_card_is_gone_can_be_reviewed_and_nothing_else(panel: ReviewPanel, labelled: Session) -> None:
    make_run(labelled, "one", wrong=[0])
    make_run(labelled, "two", "2026-11-02T12:00:00+00:00")
    (labelled.project.runs / "one" / "card.json").unlink()
    labelled.note_run()
    panel.refresh()
    runs = panel.sections.open("Runs")
    runs.table.select(("one",))
    assert [one.isEnabled() for one in (runs.review, runs.predict, runs.cross, runs.report)] == [True, *[False] * 3]
    assert "card.json is missing" in runs.predict.toolTip()
    assert "card.json is missing" in runs.said.text()
    runs.review.click()
    panel.refresh()
    assert panel.scores.score.text().startswith("Run one, whose card is damaged: accuracy 0.89")


def test_two_runs_are_compared_and_what_was_won_is_shown(panel: ReviewPanel, labelled: Session) -> None:
    make_run(labelled, "one", "2026-11-01T12:00:00+00:00", wrong=[0, 1, 2])
    make_run(labelled, "two", "2026-11-02T12:00:00+00:00", wrong=[2, 3], model=False)
    panel.refresh()
    runs = panel.sections.open("Runs")
    assert [runs.table.item(row, 0).text()[0] for row in range(2)] == ["⚠", "0"]
    assert "gone" in runs.table.item(0, 0).toolTip()
    runs.table.select(("one", "two"))
    cells, _ids = labelled_refs(labelled)
    assert "right on 2 that the older gets wrong, wrong on 1" in runs.said.text()
    assert (runs.won.text(), runs.lost.text()) == ("Won: 2", "Lost: 1")
    runs.won.click()
    assert labelled.shown.cells == cells.take([0, 1])
    runs.lost.click()
    assert labelled.shown.cells == cells.take([3])
    runs.table.select(("one",))
    assert runs.won.isHidden()
    runs.review.click()
    assert labelled.review_run == "one"
    assert not runs.review.isEnabled()


def test_a_run_without_its_model_can_be_reviewed_but_not_predict(panel: ReviewPanel, labelled: Session) -> None:
    make_run(labelled, "one", model=False)
    panel.refresh()
    runs = panel.sections.open("Runs")
    runs.table.select(("one",))

    assert "can't predict" in runs.said.text()
    assert not runs.predict.isEnabled()
    assert runs.report.isEnabled()


def test_work_that_fails_says_so_and_the_report_opens(
    panel: ReviewPanel, labelled: Session, qtbot: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from napari_cellstage.ui.review import runs_part

    make_run(labelled, "one")
    panel.refresh()
    runs = panel.sections.open("Runs")
    runs.table.select(("one",))
    opened: list[Path] = []
    runs.open_file = opened.append

    def writes(_run: Path) -> Any:
        def work(_stop: Any) -> Any:
            yield from ()
            return tmp_path / "report.html"

        return work

    monkeypatch.setattr(runs_part, "reporting", writes)
    runs.report.click()
    assert not runs.report.isEnabled()
    qtbot.waitUntil(lambda: not panel.runner.busy, timeout=10_000)
    assert opened == [tmp_path / "report.html"]


def test_predictions_of_an_earlier_run_go_to_the_session(
    panel: ReviewPanel, labelled: Session, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from napari_cellstage.core.predictions import Predictions
    from napari_cellstage.learn.job import Answer
    from napari_cellstage.ui.review import runs_part

    make_run(labelled, "one")
    panel.refresh()
    runs = panel.sections.open("Runs")
    runs.table.select(("one",))
    count, ids = len(labelled.cells()), labelled.scheme.ids
    found = Predictions(np.full((count, len(ids)), 1 / len(ids), np.float32), ids, np.zeros(count, np.uint8), "one")

    def predicts(_snapshot: Any, _run: Path) -> Any:
        def work(_stop: Any) -> Any:
            yield from ()
            return Answer("quick", {labelled.current_id: found}, None, "one")

        return work

    monkeypatch.setattr(runs_part, "predicting", predicts)
    runs.predict.click()
    qtbot.waitUntil(lambda: labelled.predictions() is not None, timeout=10_000)
    assert labelled.predictions().run == "one"


def test_it_goes_into_its_own_window_and_back_with_all_it_shows(
    panel: ReviewPanel, labelled: Session, qtbot: Any
) -> None:
    make_run(labelled, "one", wrong=[0])
    wait(panel, qtbot)
    panel.sections.section("Matrix").per_cent.setChecked(True)
    panel.larger.click()
    assert panel.is_large
    assert panel.window_.isVisible()
    QTest.keyClick(panel.sections.section("Matrix").view, Qt.Key.Key_3)
    QTest.keyClick(panel.window_, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert panel.pressed == ["3", "Ctrl+Z"]
    panel.window_.close()
    assert not panel.is_large
    assert panel.content.isVisible()
    assert panel.sections.section("Matrix").per_cent.isChecked()
    panel.enlarge()
    panel.back.click()
    assert not panel.is_large


def test_blind_labelling_leaves_only_the_people(panel: ReviewPanel, labelled: Session, qtbot: Any) -> None:
    make_run(labelled, "one", wrong=[0])
    cells, _ids = labelled_refs(labelled)
    labelled.show_cells(cells, "all")
    assert panel.gallery.shown.table.predicted.any()
    labelled.blind = True
    wait(panel, qtbot)
    qtbot.wait(500)  # as long as the gallery takes to see what has changed
    assert panel.gallery.shown is None or not panel.gallery.shown.table.predicted.any()
    assert "Blind" in panel.missing_text.text()
    assert not panel.scores.isVisible()
    assert [panel.sections.isTabEnabled(n) for n in range(5)] == [False, False, False, False, True]
    assert not panel.train.isVisible(), "nothing is trained in blind labelling"
    labelled.blind = False
    panel.refresh()
    assert panel.sections.isTabEnabled(0)


def test_what_is_not_seen_is_not_refreshed(panel: ReviewPanel, labelled: Session, qtbot: Any) -> None:
    make_run(labelled, "one", wrong=[0])
    wait(panel, qtbot)
    panel.hide()
    labelled.label_cells([0], 2)
    qtbot.wait(300)
    assert panel._stale
    panel.show()
    wait(panel, qtbot)
    assert "changed since" in panel.scores.changed.text()


def test_the_first_look_loads_nothing_heavy() -> None:
    script = (
        "import sys, napari_cellstage.ui.dock, napari_cellstage.ui.review.panel;"
        "heavy = 'torch sklearn cleanlab statsmodels matplotlib pyqtgraph umap captum napari_cellstage.core.features';"
        "print(*(name for name in heavy.split() if name in sys.modules))"
    )
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert answer.stdout.split() == []
