"""Predicted stains as files: they are read again, and say that they are predicted."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from napari_cellstage.core.exporting.source import ExportError
from napari_cellstage.core.image_stack import ImageStack
from napari_cellstage.core.images import from_array, open_image
from napari_cellstage.core.predicted import is_predicted
from napari_cellstage.stain import ome_writing
from napari_cellstage.stain.files import Answer, Predicted, check_place, verdict_lines, write_predicted
from napari_cellstage.stain.prediction import StainPrediction
from napari_cellstage.stain.verdicts import Verdict

LIKE = Verdict("like", "It looks like the training images.", 0.01, 0.1)
UNLIKE = Verdict("unlike", "80 % of it is unlike the training images. Don't trust it.", 0.8, 0.6)


def stack(frames: int = 1, depth: int = 1, side: tuple[int, int] = (20, 30)) -> ImageStack:
    pixels = np.random.default_rng(0).integers(0, 999, (frames, 1, depth, *side)).astype(np.uint16)
    made = from_array(pixels, "TCZYX", "a field.tif", channel_names=("phase",), pixel_size_um=(1.5, 0.4, 0.4))
    return replace(made, time_step_s=600.0 if frames > 1 else None)


def prediction(
    image: ImageStack, stains: tuple[str, ...] = ("DNA",), times: tuple[int, ...] = (0,), seed: int = 1, depth: int = 0
) -> StainPrediction:
    shape = (len(times), len(stains), depth or image.shape[2], *image.shape[3:])
    mean = np.random.default_rng(seed).normal(500, 200, shape).astype(np.float32)
    unlike = np.zeros((len(times), 1, 1, 2, 3), dtype=np.float32)
    return StainPrediction(stains, mean, mean / 10, unlike, (10, 10), (LIKE,) * len(times), times)


@pytest.mark.parametrize("ending", ["ome.tif", "ome.zarr"])
def test_a_prediction_is_read_again_with_its_names_and_sizes(tmp_path: Path, ending: str) -> None:
    image = stack(frames=2, depth=3)
    made = prediction(image, ("DNA", "tubulin"), (0, 1))
    file = tmp_path / "new" / f"out.{ending}"
    write_predicted(Predicted(image, [Answer("run1", made, ("phase",))], uncertainty=True), file)
    back = open_image(file)
    assert back.channel_names == (
        "DNA (predicted)", "tubulin (predicted)", "DNA (uncertainty)", "tubulin (uncertainty)",
    )  # fmt: skip
    assert is_predicted(back.channel_names[0])
    assert back.pixel_size_um == pytest.approx((1.5, 0.4, 0.4))
    assert back.time_step_s == pytest.approx(600)
    assert back.data.dtype == np.float32
    np.testing.assert_array_equal(np.asarray(back.data)[:, :2], made.mean)
    np.testing.assert_array_equal(np.asarray(back.data)[:, 2:], made.uncertainty)
    assert not list(tmp_path.rglob(".part*"))


def test_the_metadata_say_that_it_is_predicted_by_what_and_how_far_to_trust_it(tmp_path: Path) -> None:
    image = stack()
    made = replace(prediction(image), verdicts=(UNLIKE,))
    predicted = Predicted(image, [Answer("run1", made, ("phase",))])
    write_predicted(predicted, tmp_path / "a.ome.tif")
    write_predicted(predicted, tmp_path / "a.ome.zarr")
    with tifffile.TiffFile(tmp_path / "a.ome.tif") as tif:
        xml = tif.ome_metadata
    assert "PREDICTED by napari-cellstage, not measured. DNA: predicted from phase by the model 'run1'." in xml
    assert "Verdict: unlike. 80 % of it is unlike" in xml
    assert "<MapAnnotation" in xml
    about = json.loads((tmp_path / "a.ome.zarr" / "zarr.json").read_text(encoding="utf-8"))["attributes"]
    own = about["napari-cellstage"]
    assert own["predicted"] is True
    assert own["models"] == [
        {"run": "run1", "inputs": ["phase"], "stains": ["DNA"], "verdicts": [UNLIKE.to_dict()]},
    ]
    assert about["ome"]["version"] == "0.5"


def test_many_models_are_channels_of_one_file_and_named_apart(tmp_path: Path) -> None:
    image = stack()
    answers = [
        Answer("first", prediction(image, ("DNA", "actin"))),
        Answer("second", prediction(image, ("DNA",), seed=2)),
    ]
    predicted = Predicted(image, answers, uncertainty=True)
    assert predicted.names == (
        "DNA (predicted)", "actin (predicted)", "DNA (predicted by second)",
        "DNA (uncertainty)", "actin (uncertainty)", "DNA (uncertainty by second)",
    )  # fmt: skip
    write_predicted(predicted, tmp_path / "a.tif")
    np.testing.assert_array_equal(
        np.asarray(open_image(tmp_path / "a.tif").data)[0, 2], answers[1].prediction.mean[0, 0]
    )


def test_only_time_points_that_all_models_reached_are_written() -> None:
    image = stack(frames=3)
    answers = [Answer("a", prediction(image, times=(0, 1, 2))), Answer("b", prediction(image, ("actin",), (0, 1)))]
    predicted = Predicted(image, answers)
    assert predicted.times == (0, 1)
    assert predicted.shape == (2, 2, 1, 20, 30)
    some = prediction(image, times=(0, 2))
    apart = Predicted(image, [Answer("a", some)])
    assert apart.facts.time_step_s is None  # not evenly spaced
    np.testing.assert_array_equal(apart.read(1, 0, 0, slice(0, 20), slice(0, 30)), some.mean[1, 0, 0])


def test_nothing_predicted_is_said() -> None:
    image = stack()
    none = prediction(image, times=())
    with pytest.raises(ExportError, match=r"No time point of 'a field.tif' was predicted"):
        Predicted(image, [Answer("run1", none)])


def test_models_of_other_planes_do_not_fit_into_one_file() -> None:
    image = stack(depth=3)
    answers = [Answer("deep", prediction(image)), Answer("flat", prediction(image, depth=1))]
    with pytest.raises(ExportError, match=r"different numbers of planes \(3 by 'deep', 1 by 'flat'\)"):
        Predicted(image, answers)


@pytest.mark.parametrize("ending", ["tif", "zarr"])
def test_a_large_plane_is_written_part_by_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str) -> None:
    for name, value in {"_LARGE": 400, "_TILE": 16, "_CHUNK": 16}.items():
        monkeypatch.setattr(ome_writing, name, value)
    monkeypatch.setattr(ome_writing, "levels_of", lambda shape: 2)
    image = stack(side=(40, 53))
    made, asked = prediction(image), []
    predicted = Predicted(image, [Answer("run1", made)])

    class Counted(Predicted):
        def read(self, t: int, c: int, z: int, rows: slice, columns: slice) -> Any:
            asked.append((rows.stop - rows.start) * (columns.stop - columns.start))
            return predicted.read(t, c, z, rows, columns)

    write_predicted(Counted(image, predicted.answers), tmp_path / f"a.{ending}")
    assert max(asked) <= 16 * 53
    back = open_image(tmp_path / f"a.{ending}")
    np.testing.assert_array_equal(np.asarray(back.data), made.mean)
    if ending == "zarr":
        np.testing.assert_array_equal(np.asarray(back.pyramid[0][0, 0, 0]), made.mean[0, 0, 0, ::2, ::2])


def test_what_is_there_is_kept_unless_it_may_be_replaced(tmp_path: Path) -> None:
    image = stack()
    predicted = Predicted(image, [Answer("run1", prediction(image))])
    for file in (tmp_path / "a.tif", tmp_path / "a.zarr"):
        write_predicted(predicted, file)
        with pytest.raises(ExportError, match="is there already"):
            write_predicted(predicted, file)
        write_predicted(predicted, file, overwrite=True)
        assert open_image(file).shape == predicted.shape


def test_a_name_without_a_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"'a.png' does not say in which format"):
        check_place(tmp_path / "a.png")


def test_a_place_that_cant_be_written_leaves_nothing(tmp_path: Path) -> None:
    image = stack()
    (tmp_path / "file").touch()
    with pytest.raises(ExportError, match="can't be written"):
        write_predicted(Predicted(image, [Answer("run1", prediction(image))]), tmp_path / "file" / "a.tif")


def test_a_prediction_that_breaks_leaves_no_file(tmp_path: Path) -> None:
    image = stack()

    class Broken(Predicted):
        def read(self, *_: Any) -> Any:
            raise OSError(28, "No space left on device")

    for name in ("a.tif", "a.zarr"):
        with pytest.raises(ExportError, match="no space left on device"):
            write_predicted(Broken(image, [Answer("run1", prediction(image))]), tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_verdicts_are_said_of_each_time_point_where_they_differ() -> None:
    image = stack(frames=3)
    made = prediction(image, times=(0, 1, 2))
    assert verdict_lines(Answer("a", made)) == ["like: It looks like the training images."]
    mixed = verdict_lines(Answer("a", replace(made, verdicts=(LIKE, UNLIKE, UNLIKE))))
    assert mixed[0].startswith("time point 0: like")
    assert mixed[1].startswith("time points 1, 2: unlike: 80 %")
