"""Cells followed over time in the window: the box, the lines, and what a class goes to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.utils.notifications import notification_manager

from napari_cellstage.core.tracks import Tracks
from napari_cellstage.session import Session
from napari_cellstage.ui.label_scope import NOT_FOLLOWED, LabelScope, ScopeBox
from napari_cellstage.ui.time_box import TimeBox
from napari_cellstage.ui.track_layer import CLASS, UNCLASSED
from napari_cellstage.ui.viewer_link import ViewerLink
from napari_cellstage.ui.workers import JobRunner

FRAMES, CELLS = 3, 12


@pytest.fixture
def session(make_session: Callable[..., Session]) -> Session:
    """Session with 12 cells in each of 3 frames, at the same places."""
    return make_session((FRAMES, 1, 40, 50))


def follow(session: Session) -> None:
    """Each cell is one track, but for the first, which divides after the first frame."""
    track_id = np.tile(np.arange(1, CELLS + 1), FRAMES)
    track_id[CELLS] = track_id[2 * CELLS] = 20
    session.set_tracks(Tracks(track_id, {20: (1,)}))


@pytest.fixture
def box(qtbot: Any, session: Session) -> TimeBox:
    made = TimeBox(session, JobRunner())
    qtbot.addWidget(made)
    return made


def test_without_time_there_is_no_box(qtbot: Any, make_session: Callable[..., Session]) -> None:
    flat = TimeBox(make_session(), JobRunner())
    qtbot.addWidget(flat)
    assert flat.isHidden()


def test_without_cells_it_says_what_to_do(qtbot: Any, make_session: Callable[..., Session]) -> None:
    box = TimeBox(make_session((FRAMES, 1, 40, 50), cells=False), JobRunner())
    qtbot.addWidget(box)
    assert not box.isHidden()
    assert not box.follow.isEnabled()
    assert "Find the cells first" in box.state.text()


def test_cells_are_followed_in_a_worker(qtbot: Any, box: TimeBox, session: Session) -> None:
    assert box.state.text().startswith("3 time points. Follow the cells")
    assert box.colors.isHidden()
    with qtbot.waitSignal(box._runner.ended, timeout=20000):
        box.follow.click()
    qtbot.wait(10)
    found = session.tracks()
    assert found is not None
    assert found.track_id.reshape(FRAMES, -1).tolist() == [list(range(1, CELLS + 1))] * FRAMES
    assert "36 cells in 12 tracks, 0 divisions" in box.state.text()
    assert box.follow.text() == "Follow them again"
    assert not box.colors.isHidden()


def test_the_choices_are_kept_with_the_project(qtbot: Any, box: TimeBox, session: Session) -> None:
    box.form.widgets["gap"].value = 5
    with qtbot.waitSignal(box._runner.ended, timeout=20000):
        box.follow.click()
    assert session.link_settings.gap == 5


def test_cells_that_change_meanwhile_are_not_mixed_up(qtbot: Any, box: TimeBox, session: Session) -> None:
    with qtbot.waitSignal(box._runner.ended, timeout=20000):
        box.follow.click()
        session.set_labels(np.roll(np.asarray(session.labels()), 3, axis=3))
    qtbot.wait(10)
    assert session.tracks() is None
    assert "cells have changed while they were followed" in notification_manager.records[-1].message


def test_a_stop_changes_nothing(qtbot: Any, box: TimeBox, session: Session) -> None:
    with qtbot.waitSignal(box._runner.ended, timeout=20000):
        box.follow.click()
        box._runner.stop()
    qtbot.wait(10)
    assert session.tracks() is None or session.tracks().count == CELLS  # it may have been faster than the stop


def test_tracks_are_drawn_with_the_image(model: ViewerModel, session: Session, link: ViewerLink) -> None:
    assert link.tracks.layer is None
    active = model.layers.selection.active
    follow(session)
    layer = link.tracks.layer
    assert layer is not None
    assert layer in model.layers
    assert layer.data.shape == (36, 4)
    assert layer.graph == {20: [1]}
    assert model.layers.selection.active is active
    np.testing.assert_allclose(layer.scale, link.layers.cells_layer.scale)
    session.set_labels(np.asarray(session.labels()) * 2)
    assert link.tracks.layer is None
    assert layer not in model.layers


def test_lines_have_the_colour_of_the_family_or_of_the_class(session: Session, link: ViewerLink) -> None:
    follow(session)
    colors = link.tracks.layer.track_colors
    first = {int(track): tuple(colors[link.tracks.layer.data[:, 0] == track][0]) for track in (1, 2, 20)}
    assert first[1] == first[20] != first[2]
    link.tracks.coloring = CLASS
    np.testing.assert_allclose(link.tracks.layer.track_colors, np.tile(UNCLASSED, (36, 1)), atol=1e-6)
    session.label_track(1, session.scheme.ids[0])
    lines = link.tracks.layer
    classed = (np.abs(lines.track_colors - np.array(UNCLASSED)) > 1e-3).any(axis=1)
    assert lines.data[classed, 0].tolist() == [2, 2, 2]


def test_a_hidden_layer_stays_hidden_when_it_is_made_anew(session: Session, link: ViewerLink) -> None:
    follow(session)
    link.tracks.layer.visible = False
    follow(session)
    assert not link.tracks.layer.visible


def test_the_layer_goes_with_the_dock(model: ViewerModel, session: Session, link: ViewerLink) -> None:
    follow(session)
    link.close()
    assert not any(layer.name == "Tracks" for layer in model.layers)
    follow(session)
    assert not any(layer.name == "Tracks" for layer in model.layers)


def classes(session: Session) -> list[list[int]]:
    return session.class_ids().reshape(FRAMES, -1)[:, :3].tolist()


def test_a_number_key_goes_to_the_cell_its_track_or_later_frames(session: Session, link: ViewerLink) -> None:
    follow(session)
    link.selected_row = CELLS + 1  # the second cell in the second frame
    link.press_key("1")
    assert classes(session) == [[0, 0, 0], [0, 1, 0], [0, 0, 0]]
    link.press_key("T")
    link.press_key("2")
    assert classes(session) == [[0, 2, 0]] * FRAMES
    link.press_key("T")
    link.press_key("3")
    assert classes(session) == [[0, 2, 0], [0, 3, 0], [0, 3, 0]]
    link.undo()
    assert classes(session) == [[0, 2, 0]] * FRAMES


def test_clicks_and_strokes_go_to_whole_tracks_too(session: Session, link: ViewerLink, mouse: Any) -> None:
    follow(session)
    link.viewer.dims.set_point(0, 1)
    link.scope.value = "track"
    link.armed_class = session.scheme.ids[0]
    mouse.click(6, 18)
    assert classes(session) == [[0, 1, 0]] * FRAMES
    mouse.drag((6, 18), (6, 30), modifiers=("Shift",))
    assert classes(session) == [[0, 1, 1]] * FRAMES
    link.undo()
    assert classes(session) == [[0, 1, 0]] * FRAMES


def test_the_key_says_what_a_class_goes_to(model: ViewerModel, session: Session, link: ViewerLink) -> None:
    link.press_key("T")
    assert model.status == NOT_FOLLOWED
    follow(session)
    link.press_key("T")
    assert model.status == "A class now goes to: all frames of the cell."


def test_the_choice_is_seen_where_cells_were_followed(qtbot: Any, session: Session) -> None:
    scope = LabelScope(session)
    box = ScopeBox(session, scope)
    qtbot.addWidget(box)
    assert box.isHidden()
    follow(session)
    assert not box.isHidden()
    box.choice.setCurrentIndex(2)
    box.choice.activated.emit(2)
    assert scope.value == "onward"
    scope.cycle()
    assert box.choice.currentText() == "this frame only"
    scope.value = "track"
    session.set_labels(np.asarray(session.labels()) * 2)
    assert scope.value == "cell"  # no tracks, so a class can't go to one
