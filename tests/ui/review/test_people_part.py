"""The section People: names as they are, blind, agreement, disputed cells, persons beside the model."""

from __future__ import annotations

from threading import Event, current_thread, main_thread

import numpy as np
import pytest
from napari.utils.notifications import notification_manager
from qtpy.QtCore import Qt

from napari_cellstage.core.people.agreement import agreement
from napari_cellstage.core.predictions import Predictions
from napari_cellstage.ui.review import people_part
from napari_cellstage.ui.review.people_part import PeoplePart
from napari_cellstage.ui.theme import PanelTheme

BOB = '=1+1 <b>Bob & "O\'Hara"</b>'


@pytest.fixture
def part(qtbot, session, model):
    theme = PanelTheme(model)
    made = PeoplePart(session, theme)
    qtbot.addWidget(made)
    made.show()
    yield made
    made.close_link()
    theme.close_link()


@pytest.fixture
def disputed(qtbot, part, session):
    """Ada and Bob agree on cell 1, Ada says 1 and Bob 2 of cells 2 and 3."""
    for who, class_id, rows in (("Ada", 1, [0, 1, 2]), (BOB, 2, [1, 2]), (BOB, 1, [0])):
        session.annotator, session.blind = who, who == BOB
        session.label_cells(rows, class_id)
        session.blind = False
    session.annotator = "Ada"
    part.refresh()
    qtbot.waitUntil(lambda: part.pairs.rowCount() == 1, timeout=20_000)
    return part


def texts(table):
    return [[table.item(r, c).text() for c in range(table.columnCount())] for r in range(table.rowCount())]


def test_with_one_person_it_says_what_to_do(part, session):
    session.annotator = "Ada"
    session.label_cells([0], 1)
    part.refresh()

    assert texts(part.persons) == [["Ada (you)", "1"]]
    assert part.about.text().startswith("Ask a colleague to label the same cells")
    assert not part.disputed_row.isVisible()
    assert not part.settle.isVisible()


def test_persons_and_their_agreement(disputed):
    assert sorted(texts(disputed.persons)) == [[BOB, "3"], ["Ada (you)", "3"]]
    ((pair, kappa, same, cells),) = texts(disputed.pairs)
    assert (pair, same, cells) in {(f"Ada and {BOB}", "33%", "3"), (f"{BOB} and Ada", "33%", "3")}
    assert kappa.endswith("poor")
    assert "&lt;b&gt;" in disputed.pairs.item(0, 0).toolTip()
    assert "Cohen's kappa" in disputed.about.text()


def test_disputed_cells_are_shown_and_settled_with_a_button(disputed, session):
    part = disputed
    assert part.show_disputed.text() == "2 disputed cells"
    part.show_disputed.click()
    assert session.shown.cells == session.disputed()
    session.choose(session.disputed().take(slice(0, 1)))
    part.mark(session.chosen)

    assert part.settle.said.text().splitlines()[0] == "Said of this cell:"
    assert f"{BOB}: {session.scheme.by_id(2).name}" in part.settle.said.text()
    buttons = [part.settle._grid.itemAt(n).widget() for n in range(part.settle._grid.count())]
    next(b for b in buttons if session.scheme.by_id(2).name in b.text()).click()
    assert session.origins()[1] == "settled"
    part.refresh()
    assert part.show_disputed.text() == "1 disputed cell"
    session.undo()
    part.refresh()
    assert part.show_disputed.text() == "2 disputed cells"


def test_the_majority_is_taken_and_told(disputed, session):
    session.annotator, session.blind = "Cy", True
    session.label_cells([1], 2)
    session.blind = False
    disputed.refresh()
    disputed.vote.click()

    assert session.origins()[1] == "vote"
    assert notification_manager.records[-1].message.startswith("1 cell has the class of the majority now")
    assert disputed.show_disputed.text() == "1 disputed cell"


def test_what_all_said_blind_becomes_labels_also_without_a_dispute(qtbot, part, session):
    for who in ("Ada", "Bo"):
        session.annotator, session.blind = who, True
        session.label_cells([0, 1], 1)
        session.blind = False
    part.refresh()
    qtbot.waitUntil(lambda: part.pairs.rowCount() == 1, timeout=20_000)
    assert session.counts()[1] == 0
    part.vote.click()

    assert session.counts()[1] == 2
    assert not part.show_disputed.isEnabled()


def test_agreement_is_measured_beside_and_the_window_says_so(qtbot, part, session, monkeypatch):
    go, threads = Event(), []

    def slowly(answers):
        threads.append(current_thread())
        assert go.wait(20)
        return agreement(answers)

    monkeypatch.setattr(people_part, "agreement", slowly)
    for who in ("Ada", "Bob"):
        session.annotator, session.blind = who, who == "Bob"
        session.label_cells([0, 1], 1)
        session.blind = False
    part.refresh()
    assert part.about.text() == "Counting how far persons agree …"
    go.set()
    qtbot.waitUntil(lambda: part.pairs.rowCount() == 1, timeout=20_000)
    part.refresh()  # nothing has changed
    assert len(threads) == 1
    assert threads[0] is not main_thread()


def test_blind_hides_what_others_said(qtbot, disputed, session):
    disputed.show_disputed.click()
    disputed.blind.click()

    assert session.blind
    assert texts(disputed.persons) == [["Ada (you)", "3"]]
    assert not disputed.pairs.isVisible()
    assert not disputed.disputed_row.isVisible()
    assert not disputed.compared.isVisible()
    assert len(session.shown.cells) == 0
    disputed.blind.click()
    qtbot.waitUntil(disputed.pairs.isVisible, timeout=20_000)


def test_a_name_is_changed_and_one_that_is_none_comes_back(part, session):
    part.name.setText("Ada")
    part.name.editingFinished.emit()
    assert session.annotator == "Ada"
    part.name.setText(" ")
    part.name.editingFinished.emit()
    assert part.name.text() == "Ada"
    assert "is no name" in notification_manager.records[-1].message


def test_persons_beside_the_model(qtbot, disputed, session):
    count, classes = len(session.cells()), len(session.scheme)
    sure = np.full((count, classes), 0.01, dtype=np.float32)
    sure[:, 0] = 1 - 0.01 * (classes - 1)
    answer = Predictions(sure, session.scheme.ids, np.zeros(count, np.uint8), "r")
    session.set_predictions({1: answer}, session.snapshot().version)
    session.settle(session.disputed(), 2)
    disputed.compared.head.setChecked(True)

    against = disputed.against
    assert against.about.text() == "Comparing persons with the model …"
    qtbot.waitUntil(lambda: against.table.rowCount() > 0, timeout=20_000)
    assert "3 cells: 2 with a settled or known class, 1 against" in against.about.text()
    rows = {row[0]: row[1:] for row in texts(against.table)}
    assert rows["Ada"][1] == "0.33"
    assert rows[BOB][0].startswith("1.00 (")
    assert "Model" in rows
    assert against.people.isVisible()
    assert against.model.view.counts.rowCount() == against.people.view.counts.rowCount() == 3


def test_answers_are_imported_and_what_became_of_them_is_said(qtbot, part, session, tmp_path, monkeypatch):
    table = tmp_path / "answers.csv"
    rows = [f"field;{cell};{who};prophase" for cell in (1, 2) for who in ("Ada", BOB)]
    table.write_text("\n".join(("Image;Cell_ID;Person;Answer", *rows, "field;99;Ada;prophase")), encoding="utf-8")
    monkeypatch.setattr(
        "napari_cellstage.ui.review.import_answers.QFileDialog.getOpenFileNames", lambda *_: ([str(table)], "")
    )
    assert part.answers.button.isEnabled()
    part.answers.button.click()

    assert sorted(texts(part.persons)) == [[BOB, "2"], ["Ada", "2"]]
    report = part.answers.report
    assert report.isVisible()
    assert "4 answers of 2 persons to 2 cells" in report.text()
    assert "'field/99' (answers.csv, line 6)" in report.text()
    assert report.textFormat() == Qt.TextFormat.PlainText
    qtbot.waitUntil(lambda: part.pairs.rowCount() == 1, timeout=20_000)
    session.undo()
    part.refresh()
    assert texts(part.persons) == []


def test_a_table_that_can_not_be_used_is_said_and_changes_nothing(part, session, tmp_path):
    (tmp_path / "bad.csv").write_text("cell,answer\na,b\n", encoding="utf-8")
    part.answers.take([str(tmp_path / "bad.csv")])
    assert "has no column 'person'" in notification_manager.records[-1].message
    assert not part.answers.report.isVisible()
    assert len(session.opinions()) == 0


def test_nothing_is_imported_in_blind_mode(part, session):
    session.annotator, session.blind = "Ada", True
    part.refresh()
    assert not part.answers.button.isVisible()
