"""What a network gets of a stack: planes, and by how much they are merged."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_cellstage.core.errors import TrainingError
from napari_cellstage.stain.plan import Plan, plan_of
from napari_cellstage.stain.recipe import StainRecipe


def plan(dimensions: str = "2.5d", depth: int = 9, output: str = "stack", size=None, inputs: int = 1, **but) -> Plan:
    return plan_of(StainRecipe(dimensions=dimensions, **but), inputs, output, depth, size)


def test_2d_looks_at_each_plane_alone():
    assert plan("2d", 3).looks(3) == ((0,), (1,), (2,))
    assert plan("2d", 3).channels == 1


def test_25d_sees_the_planes_beside_each_mirrored_at_the_ends():
    made = plan("2.5d", 6, planes=3, inputs=2)
    assert made.looks(6)[0] == (0, 0, 1)
    assert made.looks(6)[2] == (1, 2, 3)
    assert made.looks(6)[5] == (4, 5, 5)
    assert made.channels == 6


@pytest.mark.parametrize("output", ["plane", "maximum"])
def test_where_one_plane_is_predicted_all_are_seen(output):
    made = plan("2.5d", 13, output)
    assert made.looks(13) == (tuple(range(13)),)
    assert (made.channels, made.exact_depth) == (13, 13)


@given(depth=st.integers(1, 40), planes=st.integers(1, 40), there=st.integers(1, 60))
def test_looks_are_within_the_stack(depth, planes, there):
    made = plan("2.5d", depth, planes=min(planes, depth))
    looks = made.looks(there)
    assert len(looks) == there
    assert all(len(look) == made.planes and min(look) >= 0 and max(look) < there for look in looks)
    assert all(z in look for z, look in enumerate(looks))


def test_2d_makes_no_plane_of_several():
    with pytest.raises(TrainingError, match="can't make one plane of 9"):
        plan("2d", 9, "maximum")
    assert plan("2d", 1, "plane").looks(1) == ((0,),)


def test_more_planes_than_there_are():
    with pytest.raises(TrainingError, match="sees 7 planes at once, but the images have 3"):
        plan("2.5d", 3, planes=7)


def test_planes_far_apart_are_merged_later_than_pixels():
    assert plan("3d", 16, levels=4).strides == (2, 2, 2)
    assert plan("3d", 16, levels=4, size=(2.0, 0.5, 0.5)).strides == (1, 2, 2)
    assert plan("3d", 5, levels=4).strides == (2, 1, 1)
    assert plan("3d", 32, levels=2).planes == 16
    assert plan("3d", 32, "plane", levels=2).planes == 32


def test_a_plan_comes_back_from_json():
    made = plan("3d", 8, levels=3)
    assert Plan.from_dict(json.loads(json.dumps(made.to_dict()))) == made
