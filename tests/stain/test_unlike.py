"""Where an image is unlike the training data, and what is said of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from napari_cellstage.core.image_stack import ImageStack
from napari_cellstage.core.images import from_array
from napari_cellstage.sample_photographs import photograph_field
from napari_cellstage.stain.fields import Field
from napari_cellstage.stain.model import StainModel
from napari_cellstage.stain.pair import StainSet
from napari_cellstage.stain.predict import StainPrediction, predict_stains
from napari_cellstage.stain.scaling import Scaling
from napari_cellstage.stain.splits import Region
from napari_cellstage.stain.unlike import field_of, learn_familiar
from napari_cellstage.stain.verdicts import judged
from napari_cellstage.stain.whole_looks import Difference

MakeModel = Callable[..., StainModel]
MakeStack = Callable[..., ImageStack]


def predicted(model: StainModel, stack: ImageStack, **options: Any) -> StainPrediction:
    work = predict_stains(model, stack, **options)
    while True:
        try:
            next(work)
        except StopIteration as end:
            made: StainPrediction = end.value
            return made


@pytest.fixture(scope="module")
def model(make_model: MakeModel, make_pairs: Callable[..., StainSet]) -> StainModel:
    return make_model(data=make_pairs(count=6, side=128))


def changed(stack: ImageStack, change: Callable[[Any], Any]) -> ImageStack:
    array = np.asarray(stack.pixels[:], np.float32)
    array[:, 0] = change(array[:, 0])
    return from_array(array, "TCZYX", stack.name, channel_names=stack.channel_names)


def test_new_images_of_the_same_kind_are_like(model: StainModel, make_stack: MakeStack) -> None:
    for seed in range(20, 24):
        made = predicted(model, make_stack(seed, side=128))
        assert made.verdicts[0].level == "like", made.verdicts[0]
        assert made.verdicts[0].share_unlike < 0.1


@pytest.mark.parametrize("scaling", ["dataset", "image"])
def test_a_photograph_is_unlike(make_model: MakeModel, make_pairs: Callable[..., StainSet], scaling: str) -> None:
    model = make_model(data=make_pairs(count=6, side=128), input_scaling=scaling)
    photograph = photograph_field(cells=3, width=400).stack
    assert photograph.rgb
    made = predicted(model, photograph)
    assert made.verdicts[0].level == "unlike"
    assert "Unlike the training data" in made.verdicts[0].text
    assert "may be invented" in made.verdicts[0].text
    assert made.worst == made.verdicts[0]
    assert "'green'" in made.notes[0].casefold()


@pytest.mark.parametrize(
    "change",
    [
        lambda light: light * 0.5,
        lambda light: gaussian_filter(light, (0, 0, 4, 4)),
        lambda light: 2 * light.mean() - light,
        lambda light: light + np.random.default_rng(0).normal(0, 2000, light.shape),
        lambda light: np.repeat(np.repeat(light, 4, 2), 4, 3)[:, :, :128, :128],
    ],
    ids=["darker", "out of focus", "inverted", "noisy", "magnified"],
)
def test_other_conditions_are_not_like(model: StainModel, make_stack: MakeStack, change: Callable[[Any], Any]) -> None:
    made = predicted(model, changed(make_stack(30, side=128), change))
    assert made.verdicts[0].level != "like"


def test_the_map_says_where(model: StainModel, make_stack: MakeStack) -> None:
    def scratch(light: Any) -> Any:
        light = light.copy()
        light[..., 64:, 64:] = np.random.default_rng(0).uniform(0, 40_000, (64, 64))
        return light

    found = predicted(model, changed(make_stack(30, side=128), scratch)).unlike[0, 0, 0]
    assert found.shape == (8, 8)
    assert (found[5:, 5:] > 1).all()
    assert (found[:3, :3] <= 1).mean() > 0.7


def test_a_stack_turned_upside_down_is_noticed(make_pairs: Callable[..., StainSet]) -> None:
    """Blur and contrast change from the first plane to the last; the same light in the other order does not fit."""
    rng = np.random.default_rng(0)

    def stack(upwards: bool, seed: int) -> Field:
        light = np.random.default_rng(seed).normal(size=(1, 5, 96, 96))
        planes = [gaussian_filter(light[:, z], (0, 1 + z / 2, 1 + z / 2)) for z in range(5)]
        values = np.stack(planes[:: 1 if upwards else -1], axis=1).astype(np.float32)
        return Field(lambda z, y, x: values[:, z, y, x], lambda raw: raw, (5, 96, 96))

    data = make_pairs(count=5, side=96, depth=5)
    pairs = []
    for seed, pair in enumerate(data.pairs):
        light = stack(True, seed).read(*[slice(None)] * 3)[0]
        pairs.append(replace(pair, name=str(seed), group=str(seed), inputs=from_array(light, "ZYX", "light")))
    familiar = learn_familiar(
        replace(data, pairs=tuple(pairs)),
        [Region(number, 0, 0, 96, 96) for number in range(5)],
        Scaling("dataset", ((-1.0, 1.0),), ((0.0, 1.0),)),
    )
    right, wrong = (familiar.compare(stack(upwards, int(rng.integers(100, 200))))[0] for upwards in (True, False))
    assert (right > 1).mean() < 0.1
    assert (wrong > 1).mean() > 0.5


def test_one_image_is_compared_with_its_other_parts(make_pairs: Callable[..., StainSet]) -> None:
    data = make_pairs(count=1, side=(320, 192))
    scaling = Scaling.of(data, [Region(0, 0, 0, 192, 192)])
    familiar = learn_familiar(data, [Region(0, 0, 0, 192, 192)], scaling)
    found, whole = familiar.compare(field_of(data.pairs[0], scaling, Region(0, 208, 0, 320, 192)))
    assert whole.amount < 0.1
    assert (found > 1).mean() < 0.1
    again = learn_familiar(data, [Region(0, 0, 0, 192, 192)], scaling)
    np.testing.assert_array_equal(familiar.places.references, again.places.references)


def test_of_large_images_parts_are_looked_at(
    make_pairs: Callable[..., StainSet], monkeypatch: pytest.MonkeyPatch
) -> None:
    data = make_pairs(count=2, side=192)
    regions = [Region(number, 0, 0, 192, 192) for number in range(2)]
    for name, value in (("TILE", 64), ("MOST_PIXELS", 4 * 64 * 64)):
        monkeypatch.setattr(f"napari_cellstage.stain.unlike.{name}", value)
    familiar = learn_familiar(data, regions, Scaling.of(data, regions))
    assert len(familiar.places.references) == 4 * 16


def test_a_model_that_has_seen_too_little_says_so(
    make_model: MakeModel, make_pairs: Callable[..., StainSet], make_stack: MakeStack
) -> None:
    model = make_model(data=make_pairs(count=2, side=32))
    verdict = predicted(model, make_stack(side=40)).verdicts[0]
    assert np.isnan(verdict.share_unlike)
    assert "can't be told" in verdict.text
    assert verdict.to_dict()["share_unlike"] is None
    json.dumps(verdict.to_dict(), allow_nan=False)


def level(share: float = 0.0, width: float = 0.1, whole: float = 0.0) -> str:
    places = np.where(np.arange(100) < 100 * share, 2.0, 0.5).astype(np.float32)
    return judged(places, {"DNA": width}, Difference(whole, "brightness"), {}).level


def test_levels_follow_from_shares_widths_and_the_whole() -> None:
    assert [level(share) for share in (0.02, 0.1, 0.11, 0.5, 0.51)] == ["like", "like", *["doubtful"] * 2, "unlike"]
    assert [level(whole=amount) for amount in (0.2, 0.3, 0.6, 0.7)] == ["like", *["doubtful"] * 2, "unlike"]
    vague = judged(np.zeros(10, np.float32), {"DNA": 0.1, "actin": 0.8}, Difference(float("nan"), ""), {})
    assert vague.level == "doubtful"
    assert "actin 80%" in vague.text
    assert "bright from dark places of actin" in vague.text
    assert vague.uncertainty == pytest.approx(0.45)


@pytest.mark.parametrize(
    ("whole", "words"),
    [
        (0.1, "Like the training data: only 0% of the image is unlike it. Mean"),
        (0.3, "Place by place only 0% of the image is unlike the training data. As a whole the image differs"),
        (0.8, "As a whole the image is unlike the training images, most in brightness, so the stain may be invented."),
    ],
)
def test_it_is_said_how_the_whole_differs(whole: float, words: str) -> None:
    assert words in judged(np.zeros(10, np.float32), {"DNA": 0.1}, Difference(whole, "brightness"), {}).text


def test_a_poor_model_is_said_also_where_the_image_is_like_its_own() -> None:
    places, whole = np.zeros(10, np.float32), Difference(0.0, "")
    poor = judged(places, {"DNA": 0.1}, whole, {"DNA": 0.02, "actin": 0.8})
    assert poor.level == "doubtful"
    assert poor.text.startswith("The model itself is poor: on images held out it reached DNA r 0.02. Train longer")
    assert judged(places, {"DNA": 0.1}, whole, {"DNA": 0.3}).level == "like"


def test_what_a_model_reached_is_in_its_card(make_model: MakeModel) -> None:
    model = make_model()
    assert model.reached == {}
    scored = replace(model, card=model.card | {"pearson": {"DNA": 0.4, "actin": None}})
    assert scored.reached == {"DNA": 0.4}
