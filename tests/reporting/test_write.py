from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_cellstage.core.classes import ClassScheme
from napari_cellstage.core.errors import ModelError
from napari_cellstage.core.scoring.scores import Scores, score_unseen
from napari_cellstage.core.scoring.words import class_texts, figures_of
from napari_cellstage.learn.examples import EXAMPLES, save_examples
from napari_cellstage.learn.model import CARD
from napari_cellstage.learn.recipe import Recipe
from napari_cellstage.learn.run_records import UNSEEN
from napari_cellstage.learn.runs import HISTORY
from napari_cellstage.reporting import ReportError, write_report
from napari_cellstage.reporting.data_part import ImageCount, data_part
from napari_cellstage.reporting.run_facts import read_run
from tests.reporting.made import Made

NASTY = ("<script>alert(1)</script>", "=1+1", "\"quotes\" & 'more'", "{{ 7*7 }}")
VOID = {"meta", "img", "br"}
Make = Callable[..., Made]


class Checked(HTMLParser):
    """Reads a page, and fails where tags do not match; keeps tags, addresses and text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.alts: list[str | None] = []
        self.text = ""
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        found = dict(attrs)
        self.addresses += [str(found[name]) for name in ("src", "href", "xlink:href") if name in found]
        assert not [name for name in found if name.startswith("on")]
        if tag == "img":
            self.alts.append(found.get("alt"))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def report(folder: Path) -> Checked:
    return Checked(write_report(folder).read_text(encoding="utf-8"))


def changed(made: Made, **values: Any) -> None:
    (made.folder / CARD).write_text(json.dumps(made.card | values), encoding="utf-8")


def test_the_page_has_every_part_and_needs_no_network(make_run: Make) -> None:
    made = make_run()
    page = report(made.folder)
    for part in ("Data and split", "Scores", "Confusion matrix", "Calibration", "Examples", "Suspected label errors"):
        assert part in page.text
    for part in ("unlike the training data", "Learning curves", "Model card", "Recipe", "Reproduce", "Versions"):
        assert part in page.text
    assert all(address.startswith(("data:image/png;base64,", "#")) for address in page.addresses)
    assert "@import" not in page.text
    assert "url(" not in page.text
    assert "script" not in page.tags
    assert page.tags.count("svg") == 4
    assert all(page.alts)
    assert len(page.alts) >= 30
    assert made.folder.joinpath("report.html").stat().st_size < 3_000_000


def test_figures_are_those_of_the_scores_to_the_last_digit(make_run: Make) -> None:
    made = make_run()
    scores = score_unseen(made.unseen)
    text = report(made.folder).text
    assert scores.text in text
    for one in figures_of(scores):
        assert one.text in text
    for single in scores.per_class:
        assert all(words in text for words in class_texts(single))
    card = Scores.from_dict(json.loads((made.folder / CARD).read_text())["scores"])
    assert [one.text for one in figures_of(card)] == [one.text for one in figures_of(scores)]


def test_same_run_same_bytes(make_run: Make, tmp_path: Path) -> None:
    folder = make_run().folder
    one = write_report(folder, tmp_path / "new folder" / "one.html").read_bytes()
    assert one == write_report(folder, tmp_path / "two.html").read_bytes()
    assert not list(tmp_path.glob("**/.part-*"))


def test_text_from_outside_is_harmless(make_run: Make) -> None:
    made = make_run(names=NASTY, name="<b>run & 'one'")
    unseen = replace(made.unseen, groups=np.array([f"donor <i>{g}</i>" for g in made.unseen.groups]))
    unseen.save(made.folder / UNSEEN)
    changed(made, channel_names=["<u>dapi</u>"], data="/data/<x>/it's", group_from="<m>\\d+", versions={"<q>": "<q>"})
    page = report(made.folder)
    assert not {"script", "b", "i", "u", "x", "q"} & set(page.tags)
    for text in (*NASTY, "<b>run & 'one'", "<u>dapi</u>"):
        assert text in page.text


def test_a_run_without_model_or_pictures_or_answers_says_so(make_run: Make) -> None:
    made = make_run()
    (made.folder / "head.ubj").unlink()
    assert "model's file is gone" in report(made.folder).text
    (made.folder / EXAMPLES).unlink()
    text = report(made.folder).text
    assert "This run has no pictures of its cells. Train again to get them." in text
    assert "Suggested" in text
    (made.folder / UNSEEN).unlink()
    text = report(made.folder).text
    assert f"This run has no {UNSEEN}" in text
    assert score_unseen(made.unseen).text in text
    (made.folder / HISTORY).unlink()
    assert "this recipe is fitted in one go" in report(made.folder).text


def test_damaged_parts_are_named_and_the_rest_is_there(make_run: Make) -> None:
    made = make_run()
    for name in (UNSEEN, EXAMPLES, HISTORY):
        (made.folder / name).write_bytes(b"nonsense")
    text = report(made.folder).text
    assert f"{UNSEEN}' is damaged" in text
    assert f"{EXAMPLES}' is damaged" in text
    assert score_unseen(made.unseen).text in text


def test_a_run_without_scores_or_of_an_earlier_version(make_run: Make) -> None:
    made = make_run()
    for name in (UNSEEN, EXAMPLES):
        (made.folder / name).unlink()
    changed(made, scores=None)
    text = report(made.folder).text
    assert "No cells were held out of this training" in text
    assert "there is no score" in text
    old = {name: value for name, value in made.card.items() if name not in ("labels", "moment", "temperature")}
    few = ("accuracy", "low", "high", "balanced_accuracy", "macro_f1", "n", "confusion", "classes")
    old["scores"] = {name: made.card["scores"][name] for name in few}
    (made.folder / CARD).write_text(json.dumps(old), encoding="utf-8")
    text = report(made.folder).text
    assert score_unseen(made.unseen).text in text
    assert "Matthews" not in text


@pytest.mark.parametrize("cells", [1, 7])
def test_a_few_scored_cells_are_enough(make_run: Make, cells: int) -> None:
    made = make_run()
    some = made.unseen.take(np.arange(cells))
    some.save(made.folder / UNSEEN)
    changed(made, scores=score_unseen(some).to_dict())
    assert score_unseen(some).text in report(made.folder).text


def test_two_hundred_classes_and_three_channels(make_run: Make) -> None:
    made = make_run(tuple(f"class {place}" for place in range(200)), 600, ("a", "b", "c"))
    page = report(made.folder)
    assert "class 199" in page.text
    assert any("200 classes" in str(alt) for alt in page.alts)
    assert (made.folder / EXAMPLES).stat().st_size < 2_000_000
    assert (made.folder / "report.html").stat().st_size < 3_000_000


def test_of_many_classes_only_those_with_errors_have_pictures_in_one_grid(make_run: Make) -> None:
    made = make_run(tuple(f"class {place}" for place in range(60)), 600)
    predicted = made.unseen.truth.copy()
    predicted[np.flatnonzero(predicted == 7)[1:]] = 8
    sure = np.eye(60, dtype=np.float32)[predicted] * 0.9 + 0.1 / 60
    save_examples(made.folder, made.data, replace(made.unseen, probabilities=sure))
    page = write_report(made.folder).read_text(encoding="utf-8")
    part = page[page.index('id="examples"') : page.index('id="suspects"')]
    assert "<h3>" not in part
    assert part.count("<ul") == 1
    labels = set(re.findall(r"label (class \d+)<br>", part))
    assert labels == {"class 7"}
    assert part.count("<li>") == 1 + part.count("as class 8<br>")


def test_the_table_of_images_says_what_is_scored(make_run: Make) -> None:
    made = make_run()
    names = [f"a.tif#0123/0/{row}" if row % 3 else f"b.tif#4567/0/{row}" for row in range(len(made.unseen))]
    unseen = replace(made.unseen, names=np.array(names))
    split = {"trained": names[10:], "held_out": names[:10], "groups_held_out": []}
    changed(made, split=split)
    unseen.save(made.folder / UNSEEN)
    facts = read_run(made.folder)
    assert data_part(facts).images == (ImageCount("a.tif", 160, 160), ImageCount("b.tif", 80, 80))
    facts = replace(facts, folds=0, unseen=unseen.take(np.arange(10)))
    assert data_part(facts).images == (ImageCount("a.tif", 154, 6), ImageCount("b.tif", 76, 4))
    others = np.array(["c.tif#89ab/0/1", "a.tif#0123/0/999", "c.tif#89ab/0/2"])
    tried = replace(facts, tried_on="new", unseen=replace(unseen.take(np.arange(3)), names=others))
    assert data_part(tried).images == (ImageCount("c.tif", 0, 2), ImageCount("a.tif", 154, 1))
    assert "in 2 images of a project" in data_part(tried).sentences[0]


@pytest.mark.parametrize("name", ["channel_names", "crop_size", "normalisation", "split"])
@pytest.mark.parametrize("value", [None, "text", {}, -1.5])
def test_a_card_that_lacks_what_a_report_needs_is_said(make_run: Make, name: str, value: Any) -> None:
    made = make_run()
    changed(made, **{name: value})
    with pytest.raises(ModelError, match=f"does not say what a report needs: {name}"):
        write_report(made.folder)


@pytest.mark.parametrize("name", ["versions", "audit", "held_out_scores", "chosen_scores"])
@pytest.mark.parametrize("value", ["text", [], {"a": "b"}, True, None])
def test_a_report_does_without_the_rest_of_a_card(make_run: Make, name: str, value: Any) -> None:
    made = make_run()
    changed(made, **{name: value})
    assert made.folder.name in report(made.folder).text


@pytest.mark.parametrize("name", ["pictures", "kind", "truth", "predicted", "confidence", "value", "names"])
@pytest.mark.parametrize("how", ["gone", "shorter", "a text"])
def test_damaged_pictures_leave_a_report_without_them(make_run: Make, name: str, how: str) -> None:
    made = make_run()
    with np.load(made.folder / EXAMPLES) as found:
        arrays = dict(found)
    was = arrays.pop(name)
    made_of = {"gone": {}, "shorter": {name: was[:-1]}, "a text": {name: np.array("x")}}
    np.savez(made.folder / EXAMPLES, **arrays, **made_of[how])
    page = report(made.folder)
    assert "examples.npz' is damaged" in page.text
    assert "There are no pictures in this run." in page.text


def test_all_labels_in_one_image_is_said_first(make_run: Make) -> None:
    made = make_run(by_cell=True)
    text = report(made.folder).text
    assert "on both sides of the split" in text[: text.index("Data and split")]


def test_the_command_has_every_choice_that_is_not_the_usual_one(make_run: Make) -> None:
    recipe = Recipe.load("finetune").but(seed=7, epochs=3, rotate=False, crop="cell", fixed_low="1, 2", fixed_high="9")
    made = make_run(recipe=recipe, name="a run")
    changed(made, data="/data/my cells", group_from=r"movie(\d+)")
    page = write_report(made.folder).read_text(encoding="utf-8")
    command = Checked(page).text.partition("napari-cellstage train")[2].splitlines()[0]
    assert " '/data/my cells' --out 'a run-again' --recipe finetune --group-from 'movie(\\d+)'" in command
    assert "--folds" not in command
    for words in ("--seed 7", "--epochs 3", "--set rotate=false", "--set crop=cell", "--set 'fixed_low=1, 2'"):
        assert words in command
    assert "margin" not in command


def test_a_run_of_a_project_names_the_project(make_run: Make, tmp_path: Path) -> None:
    made = make_run()
    project = tmp_path / "p.cellstage"
    (project / "runs").mkdir(parents=True)
    (project / "project.sqlite").touch()
    folder = made.folder.rename(project / "runs" / made.folder.name)
    text = report(folder).text
    assert f"train {project} --out" in text
    assert "the labels that the project has by then" in text
    assert "--recipe quick --folds 5" in text
    assert "up to entry 412 of the project's journal" in text


def test_mistakes_are_said(make_run: Make, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"There is no run folder '.*nowhere'\. Name the folder that a training"):
        write_report(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelError, match=r"No report can be made of '.*empty': card.json is missing"):
        write_report(tmp_path / "empty")
    made = make_run()
    (tmp_path / "file").touch()
    with pytest.raises(ReportError, match=r"The report can't be written to '.*': .*\. Choose another place, or make"):
        write_report(made.folder, tmp_path / "file" / "report.html")


def test_colours_are_those_of_the_classes(make_run: Make) -> None:
    made = make_run()
    page = write_report(made.folder).read_text(encoding="utf-8")
    assert all(one.color in page for one in ClassScheme.from_dict(made.card["classes"]))


def test_the_card_of_an_ensemble_names_its_members(make_run: Make) -> None:
    made = make_run(recipe=Recipe.load("ensemble").but(members="quick, mine.toml"))
    quick = {"recipe": "quick", "kind": "quick", "seed": 0, "classifier": "boosted trees <b>", "accuracy": 0.875}
    network = {"recipe": "mine", "kind": "finetune", "seed": 1, "network": "resnet18"}
    changed(made, members=[quick, network, "damaged"])
    text = report(made.folder).text
    assert "Several models trained on the same cells, whose probabilities are averaged." in text
    assert "quick (seed 0): boosted trees <b>; alone 0.88 right of the held-out cells." in text
    assert "mine (seed 1): network resnet18." in text
    assert "Member 3" not in text
    assert "--recipe ensemble --set 'members=quick, mine.toml'" in text
    changed(made, members=5)
    assert "Member 1" not in report(made.folder).text


def test_a_report_says_what_rests_on_predicted_stains(make_run: Make) -> None:
    made = make_run()
    assert "Predicted stains" not in report(made.folder).text
    names = ["BF", *made.card["channel_names"]][: len(made.card["channel_names"])]
    changed(made, channel_names=[*names[:-1], "DNA (predicted)"], found_in=["DNA (predicted by x)"])
    text = report(made.folder).text
    assert "The model looks at DNA (predicted). Cells were found in DNA (predicted by x)." in text
    assert "not measured" in text
    changed(made, channel_names=names, found_in=7)
    assert "Predicted stains" not in report(made.folder).text


def test_each_member_of_an_ensemble_has_its_own_line_in_the_curves(make_run: Make) -> None:
    made = make_run()
    lines = [f"{epoch},2,{1 / epoch},0.5,0.7,80,{member}" for member in ("1 a", "2 b") for epoch in (1, 2)]
    head = "epoch,epochs,train_loss,valid_loss,valid_accuracy,images_per_second,member"
    (made.folder / HISTORY).write_text("\n".join([head, *lines]), encoding="utf-8")
    svg = (write_report(made.folder)).read_text(encoding="utf-8")
    loss = svg[svg.index("Loss of each epoch") :].partition("</svg>")[0]
    assert loss.count('stroke-width="2"') == 4  # training and validation cells, for two members
    (made.folder / HISTORY).write_text("\n".join([head, *lines[::2]]), encoding="utf-8")
    assert "Loss of each epoch" not in write_report(made.folder).read_text(encoding="utf-8")  # one epoch each: no curve
