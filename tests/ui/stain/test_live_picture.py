"""The live validation picture and the curve of r."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from napari_cellstage.ui.stain.live_picture import LivePicture
from napari_cellstage.ui.stain.r_curve import COLORS, RCurve
from napari_cellstage.ui.theme import PanelTheme
from tests.ui.stain.scene import epoch


@pytest.fixture
def picture(qtbot: Any, theme: PanelTheme) -> LivePicture:
    """A picture of nothing yet."""
    made = LivePicture(theme)
    qtbot.addWidget(made)
    made.resize(330, 100)
    made.show()
    return made


def test_it_takes_no_room_before_there_is_an_epoch(picture: LivePicture) -> None:
    one = epoch(1)
    picture.show_picture(one.picture, one.pearson)
    assert picture.isVisible()
    picture.forget()
    assert not picture.isVisible()


def test_each_stain_has_a_row_of_four_that_fits(picture: LivePicture) -> None:
    one = epoch(1, DNA=0.5, tubulin=0.25)
    picture.show_picture(one.picture, one.pearson)
    places = [where for where, _ in picture.places()]
    assert len(places) == 8
    assert max(where.right() for where in places) < picture.width()
    assert max(where.bottom() for where in places) <= picture.height()
    assert all(abs(where.width() / where.height() - 16 / 12) < 0.05 for where in places)
    assert not any(a.intersects(b) for i, a in enumerate(places) for b in places[:i])
    assert picture.accessibleDescription() == "DNA  r 0.500, tubulin  r 0.250"


def test_what_is_painted_are_the_pictures(picture: LivePicture) -> None:
    one = epoch(1)
    picture.show_picture(one.picture, one.pearson)
    seen = picture.grab().toImage()
    for where, pixels in picture.places():
        color = seen.pixelColor(where.center())
        wanted = pixels[pixels.shape[0] // 2, pixels.shape[1] // 2].astype(int)
        assert np.abs(np.array([color.red(), color.green(), color.blue()]) - wanted).max() < 60


def test_an_epoch_without_a_picture_keeps_the_one_before(picture: LivePicture) -> None:
    one = epoch(1)
    picture.show_picture(one.picture, {"DNA": 0.5})
    picture.show_picture(None, {"DNA": float("nan")})
    assert len(picture.looks) == 1
    assert picture._text("DNA") == "DNA"  # NaN is no score


def test_a_click_shows_it_larger_and_it_goes_on(picture: LivePicture, qtbot: Any) -> None:
    one = epoch(1)
    picture.show_picture(one.picture, one.pearson)
    QTest.mouseClick(picture, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: picture.large is not None and picture.large.isVisible(), timeout=20_000)
    assert picture.large.picture.places()[0][0].width() > 2 * picture.places()[0][0].width()
    picture.show_picture(epoch(2, DNA=0.75).picture, {"DNA": 0.75})
    assert picture.large.picture.scores == {"DNA": 0.75}


def test_the_curve_has_a_line_a_stain_and_begins_anew(qtbot: Any, theme: PanelTheme) -> None:
    curve = RCurve(theme)
    qtbot.addWidget(curve)
    for number in (1, 2):
        curve.add(epoch(number, DNA=0.4 * number, tubulin=0.2))
    assert curve.lines["DNA"].getData()[1].tolist() == [0.4, 0.8]
    assert curve.lines["tubulin"].opts["symbolBrush"].color().name() == COLORS[1]
    curve.add(epoch(1, actin=0.1))
    assert list(curve.lines) == ["actin"]
    assert curve.lines["actin"].getData()[0].tolist() == [1.0]


def test_words_beside_the_curve_are_not_cut_off(qtbot: Any, theme: PanelTheme) -> None:
    curve = RCurve(theme)
    qtbot.addWidget(curve)
    curve.resize(300, curve.height())
    curve.show()
    curve.add(epoch(1, DNA=0.3))
    qtbot.waitExposed(curve)
    letters = curve.fontMetrics().height() / 2 - 3  # above and below the middle of a number, which has no tail
    assert curve.getPlotItem().vb.sceneBoundingRect().top() >= letters
    name = curve.getAxis("bottom").label
    assert name.mapRectToScene(name.boundingRect()).bottom() <= curve.height() + 3  # it has an empty margin


def test_it_follows_the_theme(qtbot: Any, theme: PanelTheme) -> None:
    curve = RCurve(theme)
    qtbot.addWidget(curve)
    curve.add(epoch(1))
    dark = curve.lines["DNA"].opts["pen"].color().name()
    theme._viewer.theme = "light"
    assert curve.lines["DNA"].opts["pen"].color().name() != dark
    assert theme.text.name() in curve.legend.items[0][1].item.toHtml()


def test_space_enlarges_it_and_what_is_forgotten_is_so_in_its_window_too(qtbot: Any, picture: LivePicture) -> None:
    one = epoch(1)
    picture.show_picture(one.picture, one.pearson)
    QTest.keyClick(picture, Qt.Key.Key_Space)
    large = picture.large
    assert large is not None
    assert large.picture.looks
    QTest.keyClick(large.picture, Qt.Key.Key_Space)
    assert large.picture.large is None
    picture.forget()
    assert not large.picture.looks
    large.close()
