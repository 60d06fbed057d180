"""One place shows errors: ours as a sentence, others with their traceback."""

from __future__ import annotations

import pytest
from napari.utils.notifications import ErrorNotification, notification_manager

from napari_cellstage.core.errors import CellStageError
from napari_cellstage.ui.notices import show, showing_errors, shown


@pytest.fixture
def records():
    before = len(notification_manager.records)
    return lambda: notification_manager.records[before:]


def test_our_error_is_its_sentence(records):
    show(CellStageError("Class 'G2' has 1 labelled cell."))
    (one,) = records()
    assert one.message == "Class 'G2' has 1 labelled cell."
    assert not isinstance(one, ErrorNotification)


def test_another_error_keeps_its_traceback(records, monkeypatch):
    monkeypatch.setattr(notification_manager, "catch_error", True)
    monkeypatch.setattr(notification_manager, "exit_on_error", False)
    show(ValueError("a bug"))
    (one,) = records()
    assert isinstance(one, ErrorNotification)
    assert isinstance(one.exception, ValueError)


def test_callback_goes_on_after_our_error_only(records):
    @showing_errors
    def fail(error):
        raise error

    fail(CellStageError("told"))
    assert [r.message for r in records()] == ["told"]
    with pytest.raises(KeyError):
        fail(KeyError("bug"))


def test_block_goes_on_after_our_error(records):
    with shown():
        raise CellStageError("told")
    assert [r.message for r in records()] == ["told"]
