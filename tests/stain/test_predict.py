"""Stains predicted for whole images: shapes, units, pixel sizes, planes, stops, and what is said of them."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from napari_cellstage.core.errors import ImageError, ModelError
from napari_cellstage.core.image_stack import ImageStack
from napari_cellstage.core.images import from_array
from napari_cellstage.learn.events import BatchDone, Note
from napari_cellstage.stain.model import StainModel
from napari_cellstage.stain.predict import predict_many, predict_stains

MakeStack = Callable[..., ImageStack]
MakeModel = Callable[..., StainModel]


def run(work: Generator[Any, None, Any]) -> tuple[Any, list[Any]]:
    events = []
    while True:
        try:
            events.append(next(work))
        except StopIteration as end:
            return end.value, events


def notes(events: list[Any]) -> str:
    return " ".join(event.text for event in events if isinstance(event, Note))


def test_shapes_units_and_progress(make_model: MakeModel, make_stack: MakeStack) -> None:
    model = make_model(stains=2)
    made, events = run(predict_stains(model, make_stack(side=40, stains=2, frames=3)))
    assert made.mean.shape == made.uncertainty.shape == (3, 2, 1, 40, 40)
    assert made.mean.dtype == np.float32
    assert made.unlike.shape == (3, 1, 1, 3, 3)
    assert made.step == (16, 16)
    assert made.stain_names == model.stain_names
    assert len(made.verdicts) == 3
    assert made.times == (0, 1, 2)
    assert not made.stopped
    assert (np.asarray(made.uncertainty) > 0).all()
    low, high = model.scaling.stains[0]
    assert (made.mean[:, 0] > low - (high - low)).all()
    done = [event for event in events if isinstance(event, BatchDone)]
    assert done[-1].done == done[-1].total
    assert [event.done for event in done] == sorted(event.done for event in done)


@pytest.mark.parametrize(
    ("dimensions", "output", "depth", "out"),
    [
        ("2d", "stack", 3, 3),
        ("2.5d", "stack", 5, 5),
        ("2.5d", "plane", 5, 1),
        ("3d", "stack", 6, 6),
        ("3d", "maximum", 4, 1),
    ],
)
def test_every_kind_of_model(
    make_model: MakeModel, make_stack: MakeStack, dimensions: str, output: str, depth: int, out: int
) -> None:
    model = make_model(dimensions=dimensions, output=output, depth=depth)
    made, _ = run(predict_stains(model, make_stack(side=40, depth=depth)))
    assert made.mean.shape == (1, 1, out, 40, 40)
    assert np.isfinite(made.mean).all()


def test_what_comes_out_does_not_depend_on_memory(
    make_model: MakeModel, make_stack: MakeStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, stack = make_model(), make_stack(side=(1100, 300))
    whole, _ = run(predict_stains(model, stack))
    for name, value in (("BUDGET", 1 << 12), ("WIDE", 64), ("TALL", 16)):
        monkeypatch.setattr(f"napari_cellstage.stain.layout.{name}", value)
    monkeypatch.setattr("napari_cellstage.stain.place_looks._BYTES", 1 << 14)
    monkeypatch.setattr(
        "napari_cellstage.stain.one_image.laid_out",
        lambda *given: __import__("napari_cellstage.stain.layout", fromlist=["x"]).laid_out(*given, 1 << 12),
    )
    parts, _ = run(predict_stains(model, stack))
    np.testing.assert_allclose(parts.mean, whole.mean, rtol=1e-4, atol=1e-2)
    np.testing.assert_allclose(parts.unlike, whole.unlike, rtol=1e-4)


def test_into_a_folder_that_is_there_whole(make_model: MakeModel, make_stack: MakeStack, tmp_path: Path) -> None:
    import zarr

    model, stack = make_model(), make_stack(side=40, frames=2)
    plain, _ = run(predict_stains(model, stack))
    made, _ = run(predict_stains(model, stack, into=tmp_path / "stain.zarr"))
    np.testing.assert_array_equal(made.mean[:], plain.mean)
    group: Any = zarr.open_group(tmp_path / "stain.zarr", mode="r")
    np.testing.assert_array_equal(group["uncertainty"][:], plain.uncertainty)
    np.testing.assert_array_equal(group["unlike"][:], plain.unlike)
    assert group.attrs["stains"] == list(model.stain_names)
    assert [one.name for one in tmp_path.iterdir()] == ["stain.zarr"]
    with pytest.raises(ImageError, match="there already"):
        run(predict_stains(model, stack, into=tmp_path / "stain.zarr"))


def test_large_predictions_go_to_a_temporary_folder(
    make_model: MakeModel, make_stack: MakeStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("napari_cellstage.stain.prediction_store.IN_MEMORY", 1000)
    made, _ = run(predict_stains(make_model(), make_stack(side=40)))
    place = Path(str(made.mean.store.root))
    assert np.isfinite(made.mean[:]).all()
    assert place.exists()
    del made
    assert not place.exists()


@pytest.mark.parametrize("into", [False, True])
def test_a_stop_keeps_whole_time_points(
    make_model: MakeModel, make_stack: MakeStack, tmp_path: Path, into: bool
) -> None:
    model, stack = make_model(), make_stack(side=40, frames=3)
    whole, _ = run(predict_stains(model, stack))
    seen = list[BatchDone]()
    place = tmp_path / "stain.zarr" if into else None
    work = predict_stains(
        model, stack, into=place, should_stop=lambda: bool(seen) and seen[-1].done * 3 >= seen[-1].total
    )
    events = []
    while True:
        try:
            events.append(next(work))
        except StopIteration as end:
            made = end.value
            break
        seen += [event for event in events[-1:] if isinstance(event, BatchDone)]
    assert made.stopped
    assert made.times == (0,)
    assert made.mean.shape[0] == made.unlike.shape[0] == len(made.verdicts) == 1
    np.testing.assert_array_equal(made.mean[:], whole.mean[:1])
    assert "1 of 3 time points" in notes(events)


def test_a_stop_at_once_leaves_nothing(make_model: MakeModel, make_stack: MakeStack, tmp_path: Path) -> None:
    made, events = run(
        predict_stains(make_model(), make_stack(side=40), into=tmp_path / "stain.zarr", should_stop=lambda: True)
    )
    assert made.stopped
    assert made.mean.shape[0] == 0
    assert made.worst is None
    assert "nothing was kept" in notes(events)
    assert not list(tmp_path.iterdir())


def test_an_error_or_a_closed_window_leaves_nothing(
    make_model: MakeModel, make_stack: MakeStack, tmp_path: Path
) -> None:
    work = predict_stains(make_model(), make_stack(side=40, frames=2), into=tmp_path / "stain.zarr")
    next(work)
    work.close()
    assert not list(tmp_path.iterdir())


def test_another_pixel_size_is_resampled_and_said(make_model: MakeModel, make_stack: MakeStack) -> None:
    model = make_model(pixel_size_um=(1.0, 0.5, 0.5))
    fine = make_stack(side=40)
    stack = replace(fine, pixel_size_um=(1.0, 0.25, 0.25))
    made, events = run(predict_stains(model, stack))
    assert made.mean.shape == (1, 1, 1, 40, 40)
    assert made.unlike.shape[3:] == (2, 2)  # 20 pixels of the model's
    assert made.step == (32, 32)
    assert "0.25 µm" in notes(events)
    assert "0.5 µm" in notes(events)
    same, events = run(predict_stains(model, replace(fine, pixel_size_um=(1.0, 0.5, 0.5))))
    assert not notes(events)
    assert not np.allclose(same.mean, made.mean)
    _, events = run(predict_stains(model, fine))
    assert "does not say" in notes(events)


def test_resampled_there_and_back_gives_the_same_places(make_model: MakeModel) -> None:
    """A slow wave survives, in place: half a pixel off would show."""
    from napari_cellstage.stain.bring_back import BroughtBack
    from napari_cellstage.stain.resample import resampled

    y, x = np.mgrid[:120, :90]
    wave = (np.sin(y / 15) + np.cos(x / 20)).astype(np.float32)
    for size in (0.5, 0.31, 2.2):
        stack = from_array(wave, "YX", "wave", pixel_size_um=(1.0, size, size))
        other = resampled(stack, (1.0, 1.0))
        values = other.pixels[0, :, :]
        np.testing.assert_allclose(other.pixels[0, 0, 0, 3:9, 5:8], values[0, 0, 3:9, 5:8], atol=1e-6)
        out = np.zeros_like(wave)

        def put(row: int, column: int, mean: NDArray[Any], _: NDArray[Any], out: NDArray[Any] = out) -> None:
            out[row : row + mean.shape[2], column : column + mean.shape[3]] = mean[0, 0]

        back = BroughtBack(put, (1, 1, *other.shape[3:]), (120, 90))
        back.put(0, 0, values, values)
        back.finish()
        back.close()
        assert np.abs(out - wave)[8:-8, 8:-8].max() < 0.06


def test_planes_that_do_not_fit_are_refused(make_model: MakeModel, make_stack: MakeStack) -> None:
    model = make_model(dimensions="2.5d", output="plane", depth=5)
    with pytest.raises(ModelError, match=r"5 planes, but 'seven' has 7"):
        run(predict_stains(model, make_stack(side=40, depth=7, name="seven")))


@pytest.mark.parametrize("dimensions", ["2.5d", "3d"])
def test_a_model_of_stacks_refuses_a_flat_image_and_says_where_planes_are_few(
    make_model: MakeModel, make_stack: MakeStack, dimensions: str
) -> None:
    model = make_model(dimensions=dimensions, depth=5)
    seen = model.plan.planes
    with pytest.raises(ModelError, match=rf"looks at {seen} planes at once, but 'flat' has only one"):
        run(predict_stains(model, make_stack(side=40, name="flat")))
    made, _ = run(predict_stains(model, make_stack(side=40, depth=seen - 1, name="low")))
    assert made.mean.shape[2] == seen - 1
    assert f"'low' has {seen - 1} planes, but the model looks at {seen} at once" in made.notes[0]


def test_other_channels(make_model: MakeModel, make_stack: MakeStack) -> None:
    model, stack = make_model(), make_stack(side=40, stains=2)
    named, _ = run(predict_stains(model, stack))
    given, _ = run(predict_stains(model, stack, inputs=[0]))
    np.testing.assert_array_equal(named.mean, given.mean)
    other = replace(stack, channel_names=("light", "a", "b"))
    with pytest.raises(ModelError, match="'light', 'a', 'b'"):
        run(predict_stains(model, other))
    with pytest.raises(ImageError, match="no channel 'phase'"):
        run(predict_stains(model, other, inputs=["phase"]))
    with pytest.raises(ModelError, match="2 input channels"):
        run(predict_stains(model, other, inputs=[0, 1]))
    single = from_array(stack.pixels[:, :1], "TCZYX", "single", channel_names=("light",))
    taken, events = run(predict_stains(model, single))
    assert "'light'" in notes(events)
    np.testing.assert_array_equal(taken.mean, named.mean)


def test_no_such_time_point(make_model: MakeModel, make_stack: MakeStack) -> None:
    with pytest.raises(ImageError, match="no time point 3"):
        run(predict_stains(make_model(), make_stack(side=40, frames=2), times=[3]))
    made, _ = run(predict_stains(make_model(), make_stack(side=40, frames=2), times=[1]))
    assert made.times == (1,)


def test_pixels_that_are_no_numbers_are_mended_and_marked(make_model: MakeModel, make_stack: MakeStack) -> None:
    array = np.asarray(make_stack(side=64).pixels[:], np.float32)
    array[0, 0, 0, 40:44, 40:44] = np.nan
    made, _ = run(
        predict_stains(make_model(), from_array(array, "TCZYX", "holes", channel_names=("bright field", "DNA")))
    )
    assert np.isfinite(made.mean).all()
    assert made.unlike[0, 0, 0, 2, 2] > 1


def test_several_models_on_one_image(make_model: MakeModel, make_stack: MakeStack, tmp_path: Path) -> None:
    stack, models = make_stack(side=40), [make_model(), make_model(seed=1)]
    made, events = run(predict_many(models, stack, into=tmp_path / "both"))
    assert len(made) == 2
    assert not np.allclose(made[0].mean[:], made[1].mean[:])
    assert sorted(one.name for one in (tmp_path / "both").iterdir()) == ["0.zarr", "1.zarr"]
    done = [event.done / event.total for event in events if isinstance(event, BatchDone)]
    assert done == sorted(done)
    assert done[-1] == 1
    stopped, _ = run(predict_many(models, stack, should_stop=lambda: True))
    assert stopped == ()


def test_views_and_members_are_averaged(make_model: MakeModel, make_stack: MakeStack) -> None:
    stack = make_stack(side=40)
    turned = from_array(
        np.rot90(stack.pixels[:], 1, (3, 4)).copy(), "TCZYX", "turned", channel_names=stack.channel_names
    )
    model = make_model(views=8)
    plain, rotated = run(predict_stains(model, stack))[0], run(predict_stains(model, turned))[0]
    np.testing.assert_allclose(np.rot90(plain.mean, 1, (3, 4)), rotated.mean, rtol=1e-3, atol=0.5)
    one = run(predict_stains(make_model(views=1), stack))[0]
    assert not np.allclose(one.mean, plain.mean)
    three = run(predict_stains(make_model(members=3, views=1), stack))[0]
    assert three.uncertainty[:].mean() > one.uncertainty[:].mean()


def test_a_wider_calibration_widens_the_interval(make_model: MakeModel, make_stack: MakeStack) -> None:
    model, stack = make_model(), make_stack(side=40)
    wide = replace(model, calibration=dict.fromkeys(model.stain_names, 3.0))
    a, b = (run(predict_stains(one, stack))[0] for one in (model, wide))
    np.testing.assert_allclose(b.uncertainty, 3 * a.uncertainty, rtol=1e-5)
    np.testing.assert_array_equal(a.mean, b.mean)


def test_a_blank_time_point_of_a_large_value_is_no_crash(make_model: MakeModel) -> None:
    stack = from_array(np.full((1, 1, 1, 5, 7), np.inf, np.float32), "TCZYX", "blank", channel_names=("bright field",))
    made, _ = run(predict_stains(make_model(), stack))
    assert made.mean.shape == (1, 1, 1, 5, 7)
    assert np.isfinite(made.mean).all()
    assert (made.unlike > 1).all()


def test_a_full_graphics_memory_halves_the_batch(
    make_model: MakeModel, make_stack: MakeStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    from napari_cellstage.learn.torch_start import torch
    from napari_cellstage.stain.inference import Asker

    model, stack = make_model(), make_stack(side=40, depth=5)
    plain, _ = run(predict_stains(model, stack))
    ask, sizes = Asker._asked, list[int]()

    def small(self: Asker, windows: Any) -> Any:
        sizes.append(len(windows))
        if len(windows) > 2:
            raise torch.OutOfMemoryError("no room")
        return ask(self, windows)

    monkeypatch.setattr(Asker, "_asked", small)
    made, _ = run(predict_stains(model, stack))
    np.testing.assert_allclose(made.mean, plain.mean, rtol=1e-4, atol=1e-2)
    assert sizes == [5, 3, 2, 1, 2]
    monkeypatch.setattr(Asker, "_asked", lambda self, windows: (_ for _ in ()).throw(torch.OutOfMemoryError("no room")))
    with pytest.raises(ModelError, match="no room"):
        run(predict_stains(model, stack))
