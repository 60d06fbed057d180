from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from napari_cellstage.core.classes import ClassScheme
from napari_cellstage.core.errors import ModelError
from napari_cellstage.learn.examples import EXAMPLES, RIGHT, SUSPECT, UNLIKE, WRONG, Examples, examples_of, losses
from tests.reporting.made import answers, training_set

SCHEME = ClassScheme.from_names(("a", "b", "c"))


def test_right_and_wrong_cells_of_each_class_are_shown(tmp_path: Path) -> None:
    unseen = answers(SCHEME, 300)
    examples_of(training_set(unseen, ("dna",)), unseen).save(tmp_path)
    found = Examples.load(tmp_path)
    assert found is not None
    loss = dict(zip(unseen.names.tolist(), losses(unseen).tolist(), strict=True))
    for place in range(3):
        right, wrong = found.of(RIGHT, place), found.of(WRONG, place)
        assert len(right) == len(wrong) == 6
        assert (found.predicted[right] == place).all()
        assert (found.predicted[wrong] != place).all()
        hardest = np.flatnonzero((unseen.truth == place) & (unseen.predicted != place))
        hardest = hardest[np.argsort(-losses(unseen)[hardest])][:6]
        assert found.names[wrong].tolist() == unseen.names[hardest].tolist()
        np.testing.assert_allclose(found.value[wrong], [loss[name] for name in found.names[wrong].tolist()], rtol=1e-6)
    assert len(found.of(SUSPECT)) > 0
    assert (np.diff(found.value[found.of(SUSPECT)]) <= 1e-6).all()
    assert (found.value[found.of(UNLIKE)] > 1).all()
    assert found.pictures.dtype == np.uint8
    assert found.pictures.shape[1:] == (64, 64, 3)


def test_same_data_same_pictures() -> None:
    unseen = answers(SCHEME, 120)
    data = training_set(unseen, ("dna", "actin"))
    one, two = examples_of(data, unseen), examples_of(data, unseen)
    assert one.names.tolist() == two.names.tolist()
    np.testing.assert_array_equal(one.pictures, two.pictures)


def test_channels_are_coloured_as_in_the_viewer() -> None:
    unseen = answers(SCHEME, 60)
    for channels, lit in ((("a",), (1, 1, 1)), (("a", "b"), (1, 1, 1)), (("red", "green", "blue"), (1, 1, 1))):
        pictures = examples_of(training_set(unseen, channels, side=64), unseen).pictures
        middle = pictures[:, 32, 32].astype(int)
        assert ((middle > 150) == np.array(lit, dtype=bool)).all()
    alone = training_set(unseen, ("a", "b"), side=64)
    alone.crops[:, 1] = 0  # type: ignore[index]
    middle = examples_of(alone, unseen).pictures[:, 32, 32]
    assert (middle[:, 0] > 150).all()
    assert (middle[:, 1] == 0).all()
    assert (middle[:, 2] > 150).all()


def test_cells_that_the_data_do_not_have_are_left_out() -> None:
    unseen = answers(SCHEME, 60)
    data = training_set(unseen, ("a",)).take(np.arange(30))
    assert set(examples_of(data, unseen).names.tolist()) <= set(data.names)
    none = examples_of(data, unseen.take(np.arange(40, 60)))
    assert len(none) == 0
    one = examples_of(data, unseen.take(np.arange(1)))
    assert len(one) >= 1


def test_pictures_of_200_classes_fit(tmp_path: Path) -> None:
    unseen = answers(ClassScheme.from_names([f"c{i}" for i in range(200)]), 1200)
    examples_of(training_set(unseen, ("a", "b", "c"), side=70), unseen).save(tmp_path)
    assert (tmp_path / EXAMPLES).stat().st_size < 2_000_000


def test_none_and_damaged_files(tmp_path: Path) -> None:
    assert Examples.load(tmp_path) is None
    (tmp_path / EXAMPLES).write_bytes(b"nonsense")
    with pytest.raises(ModelError, match=r"examples.npz' is damaged: .*Delete it; the report does without pictures"):
        Examples.load(tmp_path)
    unseen = answers(SCHEME, 60)
    (tmp_path / "file").touch()
    with pytest.raises(ModelError, match=r"examples.npz' can't be written: .*Make room, and train again"):
        examples_of(training_set(unseen, ("a",)), unseen).save(tmp_path / "file")
