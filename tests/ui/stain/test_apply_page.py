"""Models applied to images: predictions given to the session, verdicts said, stains looked at and taken away."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from napari.utils.notifications import notification_manager
from qtpy.QtCore import Qt

from napari_cellstage.core.errors import ImageError
from napari_cellstage.core.images import each_image
from napari_cellstage.core.reading.axes import axes_choices
from napari_cellstage.core.reading.gather import axes_key
from napari_cellstage.session import Session
from napari_cellstage.stain.verdicts import Level
from napari_cellstage.ui.opening import ANSWERS
from napari_cellstage.ui.stain import applying as applying_module
from napari_cellstage.ui.stain.apply_page import ApplyPage
from napari_cellstage.ui.stain.apply_work import Stained
from napari_cellstage.ui.stain.verdict_words import COLORS, verdict_text
from napari_cellstage.ui.theme import PanelTheme
from napari_cellstage.ui.workers import JobRunner
from tests.ui.stain.scene import prediction


@pytest.fixture
def page(qtbot: Any, session: Session, runner: JobRunner, theme: PanelTheme) -> ApplyPage:
    """The page, for that session."""
    made = ApplyPage(session, runner, theme)
    qtbot.addWidget(made)
    made.show()
    return made


@pytest.fixture
def predicted(monkeypatch: pytest.MonkeyPatch) -> dict[str, Level]:
    """Let models predict noise for every image but those named "broken"; the level of each image is in here."""
    levels: dict[str, Level] = {}

    def applying(snapshot: Any, runs: Any) -> Any:
        def work(_should_stop: Any) -> Any:
            for image in snapshot.images:
                for run in runs:
                    if image.name == "broken":
                        yield Stained(image.image_id, image.name, run, problem="its file can't be opened.")
                        continue
                    said = prediction(image.opened(), level=levels.get(image.name, "like"))
                    yield Stained(image.image_id, image.name, run, snapshot.keep(image.image_id, said))

        return work

    monkeypatch.setattr(applying_module, "applying", applying)
    return levels


def press(qtbot: Any, page: ApplyPage, button: Any) -> None:
    with qtbot.waitSignal(page._runner.ended, timeout=20_000):
        button.click()
    qtbot.wait(10)


def test_without_a_model_it_says_where_one_comes_from(page: ApplyPage) -> None:
    assert "Train one under Learn" in page.empty.text()
    assert not page.here.isVisible()
    assert not page.stains.isVisible()


def test_models_are_listed_with_r_and_its_interval(page: ApplyPage, make_run: Callable[..., str]) -> None:
    make_run("a")
    assert page.models.item(0).text().startswith("phase → DNA\n")
    assert page.models.item(0).text().endswith("stain-2d · r 0.90 (0.85–0.95)")
    make_run("b", ("DNA", "tubulin"))
    assert "DNA r 0.90 (0.85–0.95)\ntubulin r 0.90" in page.models.item(0).text()
    assert [one.name for one in page.ticked] == ["a"]  # what was ticked stays so


def test_a_model_without_weights_can_not_be_ticked(page: ApplyPage, make_run: Callable[..., str]) -> None:
    make_run(weights=False)
    assert page.models.ticked == ()
    assert page.models.item(0).flags() == Qt.ItemFlag.NoItemFlags
    assert "gone" in page.models.item(0).toolTip()
    assert not page.here.isEnabled()


def test_a_model_from_elsewhere_is_opened_and_known_from_then_on(
    qtbot: Any, page: ApplyPage, make_run: Callable[..., str], predicted: dict[str, Level], tmp_path: Path
) -> None:
    make_run("mine")
    elsewhere = tmp_path / "theirs"
    shutil.copytree(page.session.project.runs / "mine", elsewhere)
    page.open_model(elsewhere)
    assert [one.folder for one in page.ticked] == [elsewhere]
    press(qtbot, page, page.here)
    assert page.session.stains()[0].run == "theirs"
    folder = page.session.project.folder
    page.session.new_project(tmp_path / "other.cellstage")
    assert page.models.count() == 0
    page.session.open_project(folder)
    assert page.models.count() == 2


def test_a_folder_that_is_no_model_says_so(page: ApplyPage, tmp_path: Path) -> None:
    before = len(notification_manager.records)
    page.open_model(tmp_path)
    assert "There is no model in" in notification_manager.records[before].message
    assert page.models.count() == 0


def test_this_image_gets_its_stain_and_the_verdict_is_said(
    qtbot: Any, page: ApplyPage, make_run: Callable[..., str], predicted: dict[str, Level]
) -> None:
    make_run()
    press(qtbot, page, page.here)
    assert page.session.channel_names == ("phase", "DNA (predicted)")
    assert page.stains.isVisible()
    assert page.stains.list.item(0).text() == "✓ DNA (predicted)"
    assert COLORS["like"] in page.stains.verdict.text()
    assert [page.session.stains(i) for i in (1, 2)] == [(), ()]


def test_several_models_give_a_channel_each(
    qtbot: Any, page: ApplyPage, make_run: Callable[..., str], predicted: dict[str, Level]
) -> None:
    make_run("a"), make_run("b")
    page.tick("a", "b")
    press(qtbot, page, page.here)
    stains = page.session.stains()
    assert len({one.name for one in stains}) == 2
    assert all("predicted" in one.name for one in stains)
    assert {one.run for one in stains} == {"a", "b"}


def test_all_images_are_predicted_and_those_unlike_the_training_are_warned_of(
    qtbot: Any, page: ApplyPage, make_run: Callable[..., str], predicted: dict[str, Level]
) -> None:
    make_run()
    predicted["stained 2"] = "unlike"
    before = len(notification_manager.records)
    press(qtbot, page, page.everywhere)
    assert all(page.session.stains(i) for i in (1, 2, 3))
    assert "⚠ unlike the training images: stained 2" in page.said.text()
    assert "✓ like the training images: stained 1, plain" in page.said.text()
    warned = [one.message for one in notification_manager.records[before:]]
    assert any("stained 2" in one and "invented" in one for one in warned)
    page.session.set_current(2)
    assert page.stains.list.item(0).text().startswith("⚠")
    assert COLORS["unlike"] in page.stains.verdict.text()


def test_what_can_not_be_predicted_is_named_and_the_others_are(
    qtbot: Any, page: ApplyPage, make_run: Callable[..., str], predicted: dict[str, Level], monkeypatch: Any
) -> None:
    make_run()
    monkeypatch.setattr(page.session.images[0], "name", "broken")
    press(qtbot, page, page.everywhere)
    assert "⚠ broken: its file can't be opened." in page.said.text()
    assert page.session.stains(2)


def test_files_are_opened_into_the_project_and_predicted(
    qtbot: Any, page: ApplyPage, make_run: Callable[..., str], predicted: dict[str, Level], tmp_path: Path
) -> None:
    make_run()
    tifffile.imwrite(tmp_path / "new.tif", np.arange(32 * 32, dtype=np.uint16).reshape(32, 32))
    (tmp_path / "cut.tif").write_bytes(b"II*")
    before = len(notification_manager.records)
    page.apply_to_files([tmp_path / "cut.tif", tmp_path / "new.tif"])
    qtbot.waitUntil(lambda: len(page.session.images) == 4 and bool(page.session.stains(4)), timeout=20_000)
    assert page.session.current.name == "new.tif"
    assert "cut.tif" in notification_manager.records[before].message


def test_a_file_that_is_none_is_said(qtbot: Any, page: ApplyPage, make_run: Callable[..., str], tmp_path: Path) -> None:
    make_run()
    before = len(notification_manager.records)
    page.apply_to_files([tmp_path / "none.tif"])
    qtbot.waitUntil(lambda: not page._runner.busy, timeout=20_000)
    assert "none.tif" in notification_manager.records[before].message
    assert len(page.session.images) == 3


def test_true_and_predicted_are_asked_for_side_by_side(
    qtbot: Any, page: ApplyPage, make_run: Callable[..., str], predicted: dict[str, Level]
) -> None:
    make_run()
    press(qtbot, page, page.everywhere)
    assert not page.stains.compare.isEnabled()  # "plain" has no true stain
    assert "nothing true" in page.stains.compare.toolTip()
    page.session.set_current(1)
    asked: list[Any] = []
    page.stains.compare_wanted.connect(asked.append)
    page.stains.compare.click()
    assert asked == [[1, 2]]
    page.session.set_current(2)  # another image: the view is given back
    assert asked[-1] == []
    assert not page.stains.compare.isChecked()


def test_what_is_side_by_side_is_named(
    qtbot: Any, page: ApplyPage, make_run: Callable[..., str], predicted: dict[str, Level]
) -> None:
    make_run()
    page.session.set_current(1)
    press(qtbot, page, page.here)
    page.stains.compare.click()
    assert page.stains.beside.text() == "From left to right: DNA, DNA (predicted)."
    page.stains.compare.click()
    assert page.stains.beside.isHidden()


def test_long_names_of_stains_hide_no_line(
    qtbot: Any, page: ApplyPage, make_run: Callable[..., str], predicted: dict[str, Level]
) -> None:
    page.resize(320, 700)
    for place in range(2):
        page.tick(make_run(f"a run that has a very long name, longer than the page is wide {place}"))
        press(qtbot, page, page.here)
    stains = page.stains.list
    assert stains.count() == 2
    assert not stains.horizontalScrollBar().isVisible()
    assert stains.visualItemRect(stains.item(1)).bottom() <= stains.viewport().height()


def test_maps_are_asked_for_and_taken_away(
    qtbot: Any, page: ApplyPage, make_run: Callable[..., str], predicted: dict[str, Level]
) -> None:
    make_run()
    press(qtbot, page, page.here)
    asked: list[Any] = []
    page.stains.map_wanted.connect(lambda *what: asked.append(what))
    page.stains.maps["unlike"].click()
    page.stains.maps["unlike"].click()
    assert asked == [("DNA (predicted)", "unlike", True), ("DNA (predicted)", "unlike", False)]


def test_cells_are_found_in_it_next(
    qtbot: Any, page: ApplyPage, make_run: Callable[..., str], predicted: dict[str, Level]
) -> None:
    make_run()
    press(qtbot, page, page.here)
    with qtbot.waitSignal(page.stains.cells_wanted):
        page.stains.find.click()
    assert page.session.channel_names[page.session.find_channel] == "DNA (predicted)"


def test_a_predicted_stain_is_removed(
    qtbot: Any, page: ApplyPage, make_run: Callable[..., str], predicted: dict[str, Level]
) -> None:
    make_run()
    press(qtbot, page, page.here)
    page.stains.remove.click()
    assert page.session.stains() == ()
    assert not page.stains.isVisible()


def test_one_model_is_taught_more(qtbot: Any, page: ApplyPage, make_run: Callable[..., str]) -> None:
    make_run("a"), make_run("b")
    page.tick("a", "b")
    assert not page.more.isEnabled()
    page.tick("b")
    with qtbot.waitSignal(page.more_wanted) as wanted:
        page.more.click()
    assert wanted.args[0].name == "b"


def test_a_project_closed_meanwhile_gets_nothing(
    qtbot: Any,
    page: ApplyPage,
    make_run: Callable[..., str],
    predicted: dict[str, Level],
    tmp_path: Path,
) -> None:
    make_run()
    before = len(notification_manager.records)
    page.here.click()
    page.session.new_project(tmp_path / "other.cellstage")
    qtbot.waitUntil(lambda: not page._runner.busy, timeout=20_000)
    qtbot.wait(10)
    assert "project was closed meanwhile" in notification_manager.records[before].message


@pytest.mark.parametrize("level", ["like", "doubtful", "unlike"])
def test_each_verdict_has_its_sign_and_colour(session: Session, theme: PanelTheme, level: Level) -> None:
    stack = session.current
    session.add_stains(3, prediction(stack, level=level, text="Head: <b>rest</b>."), "a")
    said = verdict_text(session.stains()[0], theme)
    assert COLORS[level] in said
    assert "&lt;b&gt;rest&lt;/b&gt;." in said


def test_a_project_without_images_has_nothing_to_predict(page: ApplyPage, make_run: Callable[..., str]) -> None:
    make_run()
    assert page.everywhere.isEnabled()
    page.session.remove_images([1, 2, 3])
    assert not page.everywhere.isEnabled()
    assert "no images" in page.everywhere.toolTip()


def test_an_image_is_named_once_by_however_many_models(
    qtbot: Any, page: ApplyPage, make_run: Callable[..., str], predicted: dict[str, Level]
) -> None:
    make_run("a"), make_run("b")
    page.tick("a", "b")
    press(qtbot, page, page.everywhere)
    assert page.said.text() == "✓ like the training images: stained 1, stained 2, plain"


def test_what_came_before_an_error_is_said_too(
    qtbot: Any, page: ApplyPage, make_run: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def applying(snapshot: Any, runs: Any) -> Any:
        def work(_should_stop: Any) -> Any:
            for image in snapshot.images[:2]:
                kept = snapshot.keep(image.image_id, prediction(image.opened(), level="unlike"))
                yield Stained(image.image_id, image.name, runs[0], kept)
            raise ImageError("The disk is full.")

        return work

    monkeypatch.setattr(applying_module, "applying", applying)
    make_run()
    before = len(notification_manager.records)
    press(qtbot, page, page.everywhere)
    told = "\n".join(one.message for one in notification_manager.records[before:])
    assert "The disk is full." in told
    assert "invented" in told
    assert "stained 1, stained 2" in page.said.text()


def test_files_are_opened_with_the_axes_that_were_given_before_or_it_is_said_what_they_were_taken_for(
    qtbot: Any, page: ApplyPage, make_run: Callable[..., str], predicted: dict[str, Level], tmp_path: Path
) -> None:
    make_run()
    file = tmp_path / "new.tif"
    tifffile.imwrite(file, np.zeros((30, 32, 32), np.uint16))
    (guessed,) = each_image(file)
    before = len(notification_manager.records)
    page.apply_to_files([file])
    qtbot.waitUntil(lambda: len(page.session.images) == 4, timeout=20_000)
    qtbot.waitUntil(lambda: not page._runner.busy, timeout=20_000)
    assert "'new.tif' is taken for 30" in notification_manager.records[before].message
    other = next(axes for axes in axes_choices(guessed.guessed_axes) if axes != guessed.guessed_axes)
    page.session.remove_images([4])
    page.session.put_setting(ANSWERS, {axes_key(guessed): other})
    page.apply_to_files([file])
    qtbot.waitUntil(lambda: len(page.session.images) == 4, timeout=20_000)
    assert page.session.current.shape != guessed.shape
    qtbot.waitUntil(lambda: not page._runner.busy, timeout=20_000)


def test_files_are_not_put_into_another_project(
    qtbot: Any, page: ApplyPage, make_run: Callable[..., str], tmp_path: Path
) -> None:
    make_run()
    tifffile.imwrite(tmp_path / "new.tif", np.zeros((32, 32), np.uint16))
    before = len(notification_manager.records)
    page.apply_to_files([tmp_path / "new.tif"])
    page.session.new_project(tmp_path / "other.cellstage")
    qtbot.waitUntil(lambda: not page._runner.busy, timeout=20_000)
    assert not page.session.images
    assert "Another project is open" in notification_manager.records[before].message
