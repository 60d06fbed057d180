"""Which images a model has learned from, told by their pixels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from napari_cellstage.stain.card import split_values
from napari_cellstage.stain.learned_from import calibrated_by, fresh, identity
from napari_cellstage.stain.pair import StainSet
from napari_cellstage.stain.splits import Region, StainSplit, split_pairs, whole

MakePairs = Callable[..., StainSet]


def renamed(data: StainSet) -> StainSet:
    return replace(data, pairs=tuple(replace(pair, name=f"renamed {pair.name}") for pair in data.pairs))


def test_images_trained_on_are_left_out_whatever_they_are_called(make_pairs: MakePairs) -> None:
    data = make_pairs(count=4)
    card = split_values(data, StainSplit(whole(data, (0, 1)), whole(data, (2,)), whole(data, (3,)), ""))
    for one in (data, renamed(data)):
        new = fresh(card, one)
        assert new.regions == whole(data, (3,))
        assert new.train == whole(data, (0, 1))
        assert new.left_out == tuple(pair.name for pair in one.pairs[:3])


def test_another_image_of_the_same_name_is_new(make_pairs: MakePairs) -> None:
    data, other = make_pairs(count=2), make_pairs(count=2, seed=50)
    other = replace(other, pairs=tuple(replace(b, name=a.name) for a, b in zip(data.pairs, other.pairs, strict=True)))
    card = split_values(data, StainSplit(whole(data), (), (), ""))
    assert fresh(card, other).regions == whole(other)
    assert fresh(card, other).left_out == ()
    assert fresh(card, data).regions == ()


def test_of_an_image_that_was_cut_the_held_out_part_is_new(make_pairs: MakePairs) -> None:
    data = make_pairs(count=1, side=(32, 64))
    split = split_pairs(data)
    new = fresh(split_values(data, split), renamed(data))
    assert new.regions == split.held_out
    assert new.train == split.train


def test_a_group_that_was_learned_from_is_left_out_where_groups_count(make_pairs: MakePairs) -> None:
    data = make_pairs(count=3)
    same = replace(data, pairs=tuple(replace(pair, group="one well") for pair in data.pairs))
    card = split_values(same, StainSplit(whole(same, (0,)), (), (), ""))
    assert fresh(card, same).regions == whole(same, (1, 2))
    assert fresh(card, same, by_group=True).regions == ()


def test_a_card_without_pixels_is_read_by_names(make_pairs: MakePairs) -> None:
    data = make_pairs(count=2)
    card = split_values(data, StainSplit(whole(data, (0,)), (), (), ""))
    for one in card["train"]:
        del one["identity"]
    assert fresh(card, data).regions == whole(data, (1,))


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(seed=st.integers(0, 1000))
def test_no_part_that_was_learned_from_is_ever_new(make_pairs: MakePairs, seed: int) -> None:
    data = make_pairs(count=5)
    split = split_pairs(data, 0.4, 0.3, seed)
    new = fresh(split_values(data, split), data)
    learned = {one.pair for one in (*split.train, *split.validation)}
    assert not learned & {one.pair for one in new.regions}
    assert len(new.left_out) + len(new.regions) == len(data)


def test_pixels_tell_images_and_planes_apart(make_pairs: MakePairs) -> None:
    flat, deep = make_pairs(count=2), make_pairs(count=1, depth=3)
    told = [identity(pair) for pair in (*flat.pairs, *deep.pairs)]
    assert len(set(told)) == 3
    assert told == [identity(pair) for pair in (*flat.pairs, *deep.pairs)]


def test_images_that_the_interval_was_calibrated_on_are_known(make_pairs: MakePairs) -> None:
    data = make_pairs(count=3)
    split = StainSplit((Region(0, 0, 0, 32, 32),), (), (Region(1, 0, 0, 32, 32),), "")
    card = {"calibrated_on": "held_out", "split": split_values(data, split)}
    assert calibrated_by(card, data, split.held_out)
    assert not calibrated_by(card, data, (Region(0, 0, 0, 32, 32), Region(2, 0, 0, 32, 32)))
    assert not calibrated_by(card | {"calibrated_on": "validation"}, data, split.held_out)
    assert not calibrated_by({}, data, split.held_out)
