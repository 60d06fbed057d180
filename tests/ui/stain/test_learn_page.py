"""Learning a stain, with a training that is played."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from napari.utils.notifications import notification_manager

from napari_cellstage.core.errors import ImageError, TrainingError
from napari_cellstage.learn.events import BatchDone, Note
from napari_cellstage.session import Session
from napari_cellstage.stain.recipe import StainRecipe
from napari_cellstage.stain.registration import Shift
from napari_cellstage.stain.scores import StainScore, StainScores
from napari_cellstage.ui.pieces import scrolled
from napari_cellstage.ui.stain import learning
from napari_cellstage.ui.stain.estimate import AROUND, expected_seconds, measured
from napari_cellstage.ui.stain.learn_page import LearnPage
from napari_cellstage.ui.stain.learn_work import Learned, Measured
from napari_cellstage.ui.stain.score_words import score_text
from napari_cellstage.ui.stain.shift_box import shifts_text
from napari_cellstage.ui.stain.source_box import LAYERS
from napari_cellstage.ui.stain.sources import ProjectSource, look_into
from napari_cellstage.ui.theme import PanelTheme
from napari_cellstage.ui.workers import JobRunner
from tests.ui.stain.scene import epoch, image

NAN = float("nan")


def score(r: float = 0.91, baseline: float = 0.6) -> StainScores:
    """What a model is worth."""
    ends = (r - 0.03, r + 0.02)
    one = StainScore("<DNA>", r, ends, 0.8, NAN, NAN, NAN, 0.4, 0.8, (), baseline, "plane 3", ())
    return StainScores((one,), 4, ("One image was blank.",))


@pytest.fixture
def page(qtbot: Any, session: Session, runner: JobRunner, theme: PanelTheme) -> LearnPage:
    """The page, for that session."""
    made = LearnPage(session, runner, theme, dict)
    qtbot.addWidget(made)
    return made


def play(monkeypatch: pytest.MonkeyPatch, work: Callable[[Any], Generator[Any, None, Any]]) -> list[Any]:
    """Let the worker play `work(should_stop)`, and return with what trainings were started."""
    started: list[Any] = []

    def training(*what: Any) -> Callable[[Any], Any]:
        started.append(what)
        return work

    monkeypatch.setattr(learning, "learning", training)
    return started


def train(qtbot: Any, page: LearnPage) -> None:
    with qtbot.waitSignal(page._runner.ended, timeout=20_000):
        page.train.click()
    qtbot.wait(10)


def test_what_it_takes_is_said_before(page: LearnPage) -> None:
    assert page.forecast.text().startswith("Looking for a graphics card, ")
    page.show_device('{"device": "cuda", "name": "RTX 4090"}')
    assert page.forecast.text().startswith("Graphics card (RTX 4090), ")
    page.source.channels.choose(["phase"], [])
    assert "Tick the stains" in page.forecast.text()
    assert not page.train.isEnabled()


def test_a_training_shows_picture_curve_score_and_notes(
    qtbot: Any, page: LearnPage, make_run: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def work(_should_stop: Any) -> Any:
        yield Note("Split by blocks.")
        for number in (1, 2):
            yield BatchDone(f"epoch {number}/2", number, 2)
            yield epoch(number, 2, DNA=0.4 * number)
        return Learned("run 1", "stain-2d", ("DNA",), score())

    started = play(monkeypatch, work)
    page.set_recipe(epochs=2)
    page.shift.correct.setChecked(True)
    train(qtbot, page)
    source, recipe, runs, start = started[0]
    assert isinstance(source, ProjectSource)
    assert (recipe.epochs, recipe.register, start) == (2, True, None)
    assert runs == page.session.project.runs
    assert page.outcome.picture.scores == {"DNA": 0.8}
    assert page.outcome.curve.lines["DNA"].getData()[1].tolist() == [0.4, 0.8]
    assert "0.910 (0.88–0.93)" in page.outcome.score.text()
    assert "Split by blocks" in page.outcome.notes.text()
    with qtbot.waitSignal(page.apply_wanted) as wanted:
        page.outcome.apply.click()
    assert wanted.args == ["run 1"]


def test_picture_and_curve_come_in_sight(qtbot: Any, page: LearnPage, monkeypatch: pytest.MonkeyPatch) -> None:
    def work(_should_stop: Any) -> Any:
        yield epoch(1)

    play(monkeypatch, work)
    area = scrolled(page)
    qtbot.addWidget(area)
    area.resize(340, 420)
    area.show()
    train(qtbot, page)
    end = page.outcome.curve.mapTo(area.viewport(), page.outcome.curve.rect().bottomLeft())
    assert 0 < end.y() <= area.viewport().height()
    area.takeWidget()  # the page goes as in other tests


def test_why_nothing_was_learned_stays_in_the_page(
    qtbot: Any, page: LearnPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def work(_should_stop: Any) -> Any:
        yield Note("1 of 3 images is left out.")
        raise TrainingError("The stain 'DNA' is blank in all images.")

    play(monkeypatch, work)
    train(qtbot, page)
    assert page.outcome.notes.text().splitlines()[-1] == "• The stain 'DNA' is blank in all images."


def test_a_second_training_begins_anew(qtbot: Any, page: LearnPage, monkeypatch: pytest.MonkeyPatch) -> None:
    def work(_should_stop: Any) -> Any:
        yield epoch(1)
        return Learned("run 1", "stain-2d", ("DNA",), score())

    def stopped(_should_stop: Any) -> Any:
        yield Note("Training was stopped before its first epoch was done.")

    play(monkeypatch, work)
    train(qtbot, page)
    play(monkeypatch, stopped)
    train(qtbot, page)
    assert page.outcome.score.isHidden()
    assert page.outcome.apply.isHidden()
    assert page.outcome.picture.isHidden()
    assert "stopped" in page.outcome.notes.text()
    assert page.train.isEnabled()


def test_the_choices_rest_while_it_goes_on(qtbot: Any, page: LearnPage, monkeypatch: pytest.MonkeyPatch) -> None:
    def work(should_stop: Any) -> Any:
        while not should_stop():
            yield BatchDone("epoch 1/2", 1, 2)

    play(monkeypatch, work)
    page.train.click()
    qtbot.waitUntil(lambda: page._runner.busy, timeout=20_000)
    assert not page.train.isEnabled()
    assert not page.source.isEnabled()
    with qtbot.waitSignal(page._runner.ended, timeout=20_000):
        page._runner.stop()
    assert page.source.isEnabled()


def test_a_model_learns_one_more_stain(
    qtbot: Any, page: LearnPage, make_run: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_run(stains=("tubulin",))
    run = page.session.stain_runs()[0]
    started = play(monkeypatch, lambda _stop: iter(()))
    page.start_from(run)
    assert "goes on doing so" in page.start_said.text()
    assert not page.source.channels.inputs.isEnabled()
    train(qtbot, page)
    assert started[0][3] == run.folder
    page.anew.click()
    assert page.start_run is None
    assert page.source.channels.inputs.isEnabled()


def test_a_stain_that_the_model_knows_is_not_taught_again(page: LearnPage, make_run: Callable[..., str]) -> None:
    make_run()
    page.start_from(page.session.stain_runs()[0])
    assert "predicts these stains already" in page.forecast.text()
    assert not page.train.isEnabled()


def test_another_project_shows_nothing_of_this_one(
    qtbot: Any, page: LearnPage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    play(monkeypatch, lambda _stop: iter([epoch(1)]))
    train(qtbot, page)
    assert page.outcome.picture.looks
    page.session.new_project(tmp_path / "other.cellstage")
    assert not page.outcome.picture.looks


def test_shifts_are_measured_shown_and_what_to_do_is_said(
    qtbot: Any, page: LearnPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def work(_source: Any) -> Any:
        return lambda _stop: iter([Measured("field 1", Shift(4.0, 0.0, 0.9)), Measured("field 2", Shift(0, 0, 0.1))])

    monkeypatch.setattr(learning, "measuring", work)
    with qtbot.waitSignal(page.work.measuring_ended, timeout=20_000):
        page.shift.measure.click()
    said = page.shift.said.text()
    assert "field 1: The stain is 4" in said
    assert "Of 1 it can't be told" in said
    assert said.endswith("Tick the box below to correct this.")


def test_shifts_in_words() -> None:
    assert shifts_text([]) == ""
    assert "can't be told" in shifts_text([Measured("a", Shift(9, 9, 0.0))])
    assert shifts_text([Measured("a", Shift(0, 0, 1.0))]).endswith("nothing to correct.")
    many = [Measured(f"field {i}", Shift(float(i), 0, 1.0)) for i in range(9)]
    assert shifts_text(many).startswith("field 8: ")
    assert "4 more are shifted less" in shifts_text(many)


def test_a_score_has_its_interval_its_n_and_what_it_is_against() -> None:
    text = score_text(Learned("run", "stain-2d", ("DNA",), score()))
    assert "on 4 held-out images" in text
    assert "&lt;DNA&gt;: r 0.910 (0.88–0.93); best single plane, blurred: 0.600" in text
    assert "⚠ One image was blank." in text
    assert "no score" in score_text(Learned("run", "stain-2d", ("DNA",), None))
    assert "there is no r" in score_text(Learned("run", "stain-2d", ("DNA",), score(NAN)))


def test_the_time_is_that_of_all_pieces_and_learned_from_epochs() -> None:
    recipe = StainRecipe(epochs=10, patches=100, patch=64)
    seconds = expected_seconds(recipe, 0, 50.0)
    assert expected_seconds(recipe.but(epochs=20), 0, 50.0) > 1.5 * seconds
    assert expected_seconds(recipe.but(patch=128), 0, 50.0) > 2.5 * seconds
    speed = measured(recipe.but(patch=128), epoch(1), 1.0)
    assert expected_seconds(recipe.but(patch=128), 0, speed) == pytest.approx(AROUND + 1000 / 50)


def test_a_folder_without_images_says_so(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="no images in"):
        look_into(tmp_path)


def test_a_training_of_another_project_is_not_shown_and_its_model_is_told_of(
    qtbot: Any, page: LearnPage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    go_on = threading.Event()

    def work(_should_stop: Any) -> Any:
        go_on.wait(20)
        yield Note("Split by blocks.")
        yield epoch(1)
        return Learned("run 1", "stain-2d", ("DNA",), score())

    play(monkeypatch, work)
    page.train.click()
    before = len(notification_manager.records)
    runs = page.session.project.runs
    page.session.new_project(tmp_path / "other.cellstage")
    with qtbot.waitSignal(page._runner.ended, timeout=20_000):
        go_on.set()
    qtbot.wait(10)
    assert not page.outcome.picture.looks
    assert page.outcome.notes.isHidden()
    assert str(runs / "run 1") in notification_manager.records[before].message


def test_another_project_has_no_shift_of_this_one(page: LearnPage, tmp_path: Path) -> None:
    page.shift.add(Measured("field 1", Shift(4.0, 0.0, 0.9)))
    page.shift.correct.setChecked(True)
    page.session.new_project(tmp_path / "other.cellstage")
    assert page.shift.said.isHidden()
    assert not page.recipe.register


def test_a_model_keeps_to_its_channels_when_images_with_others_come(
    page: LearnPage, make_run: Callable[..., str]
) -> None:
    make_run(stains=("tubulin",))
    page.start_from(page.session.stain_runs()[0])
    page.session.add_image(image("more", ("phase", "DIC", "DNA")))
    assert page.source.channels.input_names == ("phase",)
    page.start_from(replace(page.start_run, inputs=("DIC", "phase")))
    assert page.source.wanted.inputs == ("DIC", "phase"), "in the order in which the network looks at them"


def test_light_that_has_another_name_here_can_be_chosen_for_a_model(
    page: LearnPage, make_run: Callable[..., str]
) -> None:
    make_run(stains=("tubulin",))
    run = replace(page.session.stain_runs()[0], inputs=("bright field", "DIC"))
    page.start_from(run)
    assert page.source.channels.inputs.isEnabled()
    assert "looks at 2 channels (bright field, DIC)" in page.forecast.text()
    assert not page.train.isEnabled()
    page.start_from(replace(run, inputs=("bright field",)))
    assert page.train.isEnabled()


def test_no_project_is_made_for_what_can_not_be_learned_from(
    qtbot: Any, empty_session: Session, runner: JobRunner, theme: PanelTheme
) -> None:
    def unusable() -> Any:
        raise ImageError("It has too many dimensions.")

    page = LearnPage(empty_session, runner, theme, lambda: {"light": unusable, "DNA": unusable})
    qtbot.addWidget(page)
    page.source.use(LAYERS)
    page.source.channels.choose(["light"], ["DNA"])
    page.train.click()
    assert empty_session.project is None


def test_the_shift_of_layers_is_corrected_in_each_training(
    qtbot: Any, empty_session: Session, runner: JobRunner, theme: PanelTheme, monkeypatch: pytest.MonkeyPatch
) -> None:
    layers = {name: lambda: image("x", ("channel 0",)) for name in ("light", "DNA")}
    page = LearnPage(empty_session, runner, theme, lambda: layers)
    qtbot.addWidget(page)
    page.source.use(LAYERS)
    page.source.channels.choose(["light"], ["DNA"])
    page.shift.correct.setChecked(True)
    started = play(monkeypatch, lambda _stop: iter(()))
    for _ in range(2):
        train(qtbot, page)
    assert [recipe.register for _, recipe, *_ in started] == [True, True]
