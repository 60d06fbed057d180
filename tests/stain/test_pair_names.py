"""Files of the same place, told by their names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_cellstage.stain.pair_names import by_channel, partners


@pytest.mark.parametrize(
    ("inputs", "targets", "found"),
    [
        (["a", "b"], ["b", "a"], [{"": 1}, {"": 0}]),
        (["a", "b"], ["a_DNA", "b-dna"], [{"dna": 0}, {"dna": 1}]),
        (["img1", "img10"], ["img10_DNA", "img1_DNA"], [{"dna": 1}, {"dna": 0}]),
        (["a_BF", "b_BF"], ["a_DNA", "b_DNA"], [{"dna": 0}, {"dna": 1}]),
        (["BF_a", "BF_b"], ["DNA_b", "DNA_a"], [{"dna": 1}, {"dna": 0}]),
        (["a", "a_b"], ["a_b_DNA", "a_DNA"], [{"dna": 1}, {"dna": 0}]),
        (["x/a", "y/a"], ["y/a", "x/a"], [{"": 1}, {"": 0}]),
        (["x/a", "x/b"], ["a_DNA", "deep/er/b"], [{"dna": 0}, {"": 1}]),
        (["x/a", "y/a"], ["a"], [{}, {}]),
        (["a", "b"], ["a_DNA", "a_actin", "c"], [{"dna": 0, "actin": 1}, {}]),
        (["phase"], ["DAPI", "NFH"], [{"dapi": 0, "nfh": 1}]),
        (["a", "b"], ["c", "d"], [{}, {}]),
        (["001_1", "002_1"], ["001_2", "002_2"], [{"2": 0}, {"2": 1}]),
        ([], ["a"], []),
    ],
)
def test_partners(inputs, targets, found):
    assert partners(inputs, targets) == found


@given(
    names=st.lists(st.from_regex(r"[a-c]{1,2}(_[0-9]{1,2}){0,2}", fullmatch=True), min_size=1, max_size=8, unique=True),
    more=st.sampled_from(["", "_DNA", "-w2"]),
    data=st.data(),
)
def test_each_file_finds_the_one_named_like_it(names, more, data):
    order = data.draw(st.permutations(range(len(names))))
    found = partners(names, [names[i] + more for i in order])
    assert [list(one.values()) for one in found] == [[order.index(i)] for i in range(len(names))]


def test_channels_are_sorted_by_what_names_begin_or_end_with():
    names = ["p/a_BF", "p/a_dna", "p/DNA-b", "p/b", "q/a_BF_DNA", "DNA"]
    assert by_channel(names, ["BF"]) == [{"p/a": 0}]
    assert by_channel(names, ["DNA"]) == [{"p/a": 1, "p/b": 2, "q/a_bf": 4, "": 5}]
    assert by_channel(names, ["BF", "GFP"]) == []


def test_a_channel_whose_name_has_several_parts():
    assert by_channel(["phase_zyx", "a_phase_zyx"], ["phase_zyx"]) == [{"": 0, "a": 1}]
