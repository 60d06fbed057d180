"""`napari-cellstage stain train`, `add` and `recipes`: one training of a stain, and its run folder."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_cellstage.cli.answers import aligned, write_json
from napari_cellstage.cli.progress import Reporter, stop_on_interrupt
from napari_cellstage.cli.settings import written
from napari_cellstage.cli.stain_answers import figures, score_lines
from napari_cellstage.cli.stain_pairs import PairChoices, load_stain_model, shift_lines
from napari_cellstage.cli.training import check_free
from napari_cellstage.core.errors import TrainingError
from napari_cellstage.learn.runs import note_in_card
from napari_cellstage.stain.job import StainTrained, train_stain
from napari_cellstage.stain.model import StainModel
from napari_cellstage.stain.pairs import StainSet
from napari_cellstage.stain.recipe import StainRecipe, recipe_names


@dataclass(frozen=True)
class StainChoices:
    """How and where to train.

    Parameters
    ----------
    out
        Run folder.
    recipe_name
        A named recipe or a TOML file; empty: that of the model that a stain is added to.
    settings
        ``NAME=VALUE`` of a recipe.
    seed, device
        None: as the recipe says.
    register
        Whether shifted stains are moved.
    overwrite
        Whether a model that is in `out` already may be replaced.
    """

    out: Path
    recipe_name: str
    settings: tuple[str, ...] = ()
    seed: int | None = None
    device: str | None = None
    register: bool = False
    overwrite: bool = False

    def on(self, recipe: StainRecipe) -> StainRecipe:
        """Return a recipe with what was chosen.

        Raises
        ------
        TrainingError
            If there is no such choice, or its value can't be.
        """
        given = {"seed": self.seed, "device": self.device, "register": self.register or None}
        chosen = {name: value for name, value in given.items() if value is not None}
        return recipe.but(**written(self.settings, StainRecipe) | chosen)


def train_stains(pairs: PairChoices, choices: StainChoices, *, as_json: bool) -> None:
    """Train a network that predicts stains, score it, and write the run folder.

    Parameters
    ----------
    pairs
        What it is trained on.
    choices
        How and where.
    as_json
        Whether to end with a line of JSON.
    """
    check_free(choices.out, choices.overwrite)
    recipe, reporter = choices.on(StainRecipe.load(choices.recipe_name)), Reporter()
    _train(pairs, pairs.read(reporter), recipe, choices, reporter, None, as_json)


def add_stains(run: Path, pairs: PairChoices, choices: StainChoices, *, as_json: bool) -> None:
    """Teach a model new stains, and write it as a run of its own.

    Parameters
    ----------
    run
        Folder of the model; it is not changed.
    pairs
        What the new stains are learned from.
    choices
        How and where.
    as_json
        Whether to end with a line of JSON.

    Raises
    ------
    TrainingError
        If the model knows a stain of that name, or the run would be written over the model.
    """
    if choices.out.resolve() == run.resolve():
        raise TrainingError(f"--out '{choices.out}' is the model itself. Choose another folder, so that it is kept.")
    check_free(choices.out, choices.overwrite)
    start, reporter = load_stain_model(run), Reporter()
    data = pairs.for_model(start, new_stains=True).read(reporter)
    if known := [name for name in data.stain_names if name in start.stain_names]:
        raise TrainingError(
            f"The model in '{run}' predicts {', '.join(known)} already. Name a new stain with --target, or train "
            "anew with stain train."
        )
    _train(pairs, data, choices.on(start.recipe), choices, reporter, start, as_json)


def list_recipes(*, as_json: bool) -> None:
    """Say which recipes there are, and what for."""
    found = [StainRecipe.load(name) for name in recipe_names()]
    reporter = Reporter()
    for line in aligned([("recipe", "for"), *((one.name, one.about) for one in found)]):
        reporter.say(line)
    if as_json:
        write_json({"recipes": [one.to_dict() for one in found]})


def _train(
    pairs: PairChoices,
    data: StainSet,
    recipe: StainRecipe,
    choices: StainChoices,
    reporter: Reporter,
    start: StainModel | None,
    as_json: bool,
) -> None:
    reporter.say(_what_is_trained(data, recipe, start))
    for line in [] if recipe.register else shift_lines(data):
        reporter.say(line)
    begun = time.perf_counter()
    with stop_on_interrupt(reporter.say) as should_stop:
        done = reporter.follow(train_stain(data, recipe, lambda: _folder(choices.out), should_stop, start))
    seconds = time.perf_counter() - begun
    note_in_card(choices.out, data=str(pairs.path), group_from=pairs.group_from)
    for line in _closing_lines(done, choices.out):
        reporter.say(line)
    if as_json:
        speed = {"seconds": round(seconds, 3), "patches_per_second": reporter.patches_per_second}
        write_json(_answer(done, data) | speed | {"recipe": recipe.name, "run": str(choices.out)})


def _folder(out: Path) -> Path:
    out.mkdir(parents=True, exist_ok=True)
    return out


def _what_is_trained(data: StainSet, recipe: StainRecipe, start: StainModel | None) -> str:
    images, groups = "1 image" if len(data) == 1 else f"{len(data)} images", len(set(data.groups))
    known = f", added to {', '.join(start.stain_names)}" if start is not None else ""
    what = f"{', '.join(data.stain_names)} from {', '.join(data.input_names)}"
    of = f" of {groups} group{'' if groups == 1 else 's'}" if groups < len(data) else ""
    return f"{recipe.name}: {what}, {images}{of}{known}"


def _closing_lines(done: StainTrained, out: Path) -> list[str]:
    none = ["No image was held out, so there is no score."]
    return [*(score_lines(done.scores, "held out") if done.scores else none), "", f"saved in {out}"]


def _answer(done: StainTrained, data: StainSet) -> dict[str, Any]:
    split = done.model.card["split"]
    counts = {"n_train": _images(split["train"]), "n_test": _images(split["held_out"])}
    return figures(done.scores) | counts | {"inputs": list(data.input_names), "split": split["how"]}


def _images(regions: list[dict[str, Any]]) -> int:
    return len({one["image"] for one in regions})
