"""Codes of cells and colours of codes."""

from dataclasses import replace

import numpy as np
import pytest

from napari_cellstage.core.classes import ClassScheme
from napari_cellstage.core.predictions import Predictions
from napari_cellstage.ui.overlay import (
    FIRST_CLASS,
    NO_LABEL,
    NO_LABEL_COLOR,
    NOTHING,
    UNLIKE,
    UNLIKE_COLOR,
    UNSURE,
    class_colors,
    labelled_table,
    predicted_table,
)
from napari_cellstage.ui.overlay_settings import Confidence, OverlaySettings

SCHEME = ClassScheme.from_names(["a", "b", "c"])


def answer(*rows: tuple[float, ...]) -> Predictions:
    return Predictions(np.array(rows, dtype=np.float32), SCHEME.ids, np.zeros(len(rows), dtype=np.uint8))


def test_class_colours_are_those_of_the_scheme() -> None:
    scheme = ClassScheme().add("x", "#ff8000")
    assert class_colors(scheme).tolist() == [[1.0, pytest.approx(128 / 255), 0.0, 1.0]]
    assert class_colors(ClassScheme()).shape == (0, 4)


def test_labelled_codes_follow_the_order_of_classes_and_skip_deleted_ones() -> None:
    scheme = SCHEME.move(3, 0).remove(2)
    table = labelled_table(np.array([0, 1, 2, 3, 99]), scheme, OverlaySettings())
    assert table.codes.tolist() == [NO_LABEL, FIRST_CLASS + 1, NO_LABEL, FIRST_CLASS, NO_LABEL]
    assert table.colors[table.codes[1]][:3] == pytest.approx(class_colors(SCHEME)[0][:3])


def test_hidden_labels_look_like_cells_without_one() -> None:
    table = labelled_table(np.array([0, 1]), SCHEME, OverlaySettings(show_labelled=False))
    assert table.codes.tolist() == [NO_LABEL, NO_LABEL]
    assert table.colors[NO_LABEL] == pytest.approx(NO_LABEL_COLOR)


def test_hidden_outlines_are_transparent() -> None:
    table = labelled_table(np.array([0]), SCHEME, OverlaySettings(show_outlines=False))
    assert table.colors[NO_LABEL, 3] == 0


def test_unsure_and_missing_predictions() -> None:
    nan = float("nan")
    table = predicted_table(answer((0.4, 0.3, 0.3), (nan, nan, nan), (0.1, 0.8, 0.1)), SCHEME, OverlaySettings())
    assert table.codes[:2].tolist() == [UNSURE, NOTHING]
    assert table.colors[table.codes[2], :3] == pytest.approx(class_colors(SCHEME)[1, :3])
    assert table.colors[NOTHING].tolist() == [0, 0, 0, 0]


def test_threshold_is_exact() -> None:
    settings = OverlaySettings(unsure_below=0.5)
    assert (predicted_table(answer((0.5, 0.25, 0.25)), SCHEME, settings).codes != UNSURE).all()
    assert (predicted_table(answer((0.4999, 0.25, 0.2501)), SCHEME, settings).codes == UNSURE).all()


def test_a_surer_cell_is_stronger() -> None:
    table = predicted_table(answer((0.6, 0.2, 0.2), (0.99, 0.01, 0.0)), SCHEME, OverlaySettings())
    weak, strong = table.colors[table.codes]
    assert weak[:3] == pytest.approx(strong[:3])
    assert weak[3] < strong[3]


def test_confidence_off_draws_all_cells_of_a_class_alike() -> None:
    table = predicted_table(answer((0.6, 0.2, 0.2), (0.99, 0.01, 0.0)), SCHEME, OverlaySettings(confidence="off"))
    assert table.codes[0] == table.codes[1]


def test_colour_map_shows_confidence_and_not_the_class() -> None:
    settings = OverlaySettings(confidence="colour map")
    table = predicted_table(answer((0.9, 0.1, 0.0), (0.1, 0.9, 0.0), (0.55, 0.45, 0.0)), SCHEME, settings)
    assert table.codes[0] == table.codes[1] != table.codes[2]


@pytest.mark.parametrize(("classes", "dtype"), [(15, np.uint8), (16, np.uint16), (200, np.uint16)])
def test_many_classes_need_two_bytes(classes: int, dtype: type) -> None:
    scheme = ClassScheme.from_names([f"c{i}" for i in range(classes)])
    probabilities = np.eye(classes, dtype=np.float32)
    table = predicted_table(
        Predictions(probabilities, scheme.ids, np.zeros(classes, dtype=np.uint8)), scheme, OverlaySettings()
    )
    assert table.codes.dtype == dtype
    assert table.colors[table.codes][:, :3] == pytest.approx(class_colors(scheme)[:, :3])
    assert len(table.colors) > table.codes.max()


def test_prediction_of_a_deleted_class_draws_nothing() -> None:
    assert predicted_table(answer((0.9, 0.1, 0.0)), SCHEME.remove(1), OverlaySettings()).codes.tolist() == [NOTHING]


def unlike(predictions: Predictions, *ratios: float) -> Predictions:
    return replace(predictions, unlike=np.array(ratios, dtype=np.float32))


def test_cells_unlike_the_training_cells_get_no_class_colour() -> None:
    nan = float("nan")
    given = answer((0.9, 0.1, 0.0), (0.9, 0.1, 0.0), (0.4, 0.3, 0.3), (nan, nan, nan), (0.9, 0.1, 0.0))
    table = predicted_table(unlike(given, 1.01, 1.0, 3.0, 3.0, nan), SCHEME, OverlaySettings())
    assert table.codes[:4].tolist() == [UNLIKE, table.codes[4], UNLIKE, NOTHING]
    assert table.colors[UNLIKE] == pytest.approx(UNLIKE_COLOR)
    assert table.colors[UNLIKE].tolist() != table.colors[UNSURE].tolist()


@pytest.mark.parametrize("confidence", ["opacity", "colour map", "off"])
def test_flagging_can_be_switched_off(confidence: Confidence) -> None:
    given = answer((0.9, 0.1, 0.0), (0.4, 0.3, 0.3))
    shown = OverlaySettings(confidence=confidence)
    table = predicted_table(unlike(given, 2.0, 2.0), SCHEME, replace(shown, flag_unlike=False))
    assert table.codes.tolist() == predicted_table(given, SCHEME, shown).codes.tolist()
    assert predicted_table(unlike(given, 2.0, 2.0), SCHEME, shown).codes.tolist() == [UNLIKE, UNLIKE]
