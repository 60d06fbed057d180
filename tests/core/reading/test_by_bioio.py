"""ND2 and LIF: scenes, axes, names, colours and sizes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from napari_cellstage.core.errors import ImageError
from napari_cellstage.core.images import open_image, open_images
from tests.core.reading.writing import write_lif


@pytest.mark.data
def test_nd2_has_its_axes_names_and_sizes(data_dir: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (stack,) = open_images(data_dir / "formats" / "cluster.nd2")
    assert stack.shape == (3, 2, 10, 31, 38)
    assert stack.channel_names == ("5-FAM/pH 9.0", "FM 4-64/2% CHAPS")
    assert stack.channel_colors == ("#78e90f", "#fe0100")
    assert stack.pixel_size_um == pytest.approx((0.5, 0.1678, 0.1678), abs=1e-4)
    assert (stack.name, stack.scene) == ("cluster.nd2", "")
    assert stack.volume(2, 1).any()
    whole = np.asarray(stack.data)
    np.testing.assert_array_equal(stack.region(1, 4, (1,), slice(3, 9), slice(5, 30)), whole[1, [1], 4, 3:9, 5:30])
    assert capfd.readouterr() == ("", "")


def test_lif_has_an_image_each_with_its_own_axes(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(0)
    images = {
        "before": rng.integers(0, 4000, (3, 4, 2, 20, 30), dtype=np.uint16),
        "after": rng.integers(0, 4000, (1, 1, 2, 24, 26), dtype=np.uint16),
    }
    before, after = open_images(write_lif(tmp_path / "day 1.lif", images, ["Blue", "Green"]))
    np.testing.assert_array_equal(np.asarray(before.data), images["before"].transpose(0, 2, 1, 3, 4))
    np.testing.assert_array_equal(np.asarray(after.data), images["after"].transpose(0, 2, 1, 3, 4))
    assert before.name == "day 1.lif · before"
    assert before.channel_names == ("Blue", "Green")
    assert before.channel_colors == ("#0000ff", "#00ff00")
    assert before.pixel_size_um == pytest.approx((2.0, 0.25, 0.25))
    assert after.pixel_size_um == pytest.approx((1.0, 0.25, 0.25))
    assert (before.time_step_s, after.time_step_s) == (pytest.approx(30.0), None)
    again = open_image(tmp_path / "day 1.lif", scene=after.scene)
    np.testing.assert_array_equal(again.volume(0, 1), images["after"][0, :, 1])
    assert before.fingerprint != after.fingerprint
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("ending", ["nd2", "lif"])
def test_cut_files_are_refused_quietly(ending: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    start = {"nd2": b"\xda\xce\xbe\x0a", "lif": b"\x70\0\0\0"}[ending]
    (tmp_path / f"cut.{ending}").write_bytes(start + bytes(100))
    with pytest.raises(ImageError, match=rf"'cut.{ending}' can't be read as an image: .*copy it again"):
        open_images(tmp_path / f"cut.{ending}")
    assert capfd.readouterr() == ("", "")


def test_a_scene_that_is_not_there_is_named_with_those_that_are(tmp_path: Path) -> None:
    images = {name: np.ones((1, 1, 1, 8, 9), dtype=np.uint16) for name in ("one", "two")}
    with pytest.raises(ImageError, match=r"'a.lif' has no scene 'three': it has 'one', 'two'"):
        open_image(write_lif(tmp_path / "a.lif", images, ["Gray"]), scene="three")
