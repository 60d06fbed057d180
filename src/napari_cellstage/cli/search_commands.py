"""The commands that search before a training: for layers, and for a learning rate."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from napari_cellstage.cli.options import Classes, Data, Device, GroupFrom, Json

searches = typer.Typer()


@searches.command()
def search(
    data: Data,
    out: Annotated[Path, typer.Option(help="Folder of the search; one that is there goes on.")],
    trials: Annotated[int, typer.Option(min=1, help="How many networks to try, those of before included.")] = 30,
    minutes: Annotated[
        float | None, typer.Option(min=0, help="Begin no trial after so many minutes.", show_default=False)
    ] = None,
    folds: Annotated[int, typer.Option(min=2, max=20, help="Each network is cross-validated in so many folds.")] = 3,
    epochs: Annotated[int, typer.Option(min=1, max=1000, help="The most that each network gets.")] = 20,
    recipe: Annotated[
        str, typer.Option(help="All other choices of the training: a recipe, or a .toml file.")
    ] = "microtubule-cnn",
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Another choice of the recipe; may be repeated."),
    ] = None,
    ranges: Annotated[
        list[str] | None,
        typer.Option(
            "--range",
            metavar="NAME=LOW-HIGH",
            help="Another range, such as filters=8-64 or input_size=32-64; may be repeated.",
            show_default="those of the microtubule study",
        ),
    ] = None,
    memory: Annotated[float, typer.Option(min=0.01, help="Try no network that needs more GB of memory.")] = 4.0,
    classes: Classes = None,
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same trials.")] = 0,
    device: Device = None,
    group_from: GroupFrom = None,
    json: Json = False,
) -> None:
    """Search for layers that suit DATA: many networks, each cross-validated. The same line again resumes a search."""
    from napari_cellstage.cli.searching import SearchOptions, read_ranges, search_layers
    from napari_cellstage.cli.settings import written
    from napari_cellstage.learn.search_space import SearchChoices

    choices = written(settings or ()) | ({} if device is None else {"device": device})
    how = SearchChoices(trials, minutes, folds, epochs, seed, memory, read_ranges(ranges or ()))
    search_layers(data, out, SearchOptions(recipe, choices, classes, group_from, how), as_json=json)


@searches.command("find-rate")
def find_rate(
    data: Data,
    recipe: Annotated[str, typer.Option(help="A recipe that trains a network, or a .toml file.")] = "finetune",
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Another choice, such as batch_size=64; may be repeated."),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Same seed, same curve.", show_default=False)] = None,
    device: Device = None,
    group_from: GroupFrom = None,
    classes: Classes = None,
    out: Annotated[Path | None, typer.Option(help="CSV to write the curve to.", show_default=False)] = None,
    json: Json = False,
) -> None:
    """Find a learning rate for DATA: train at rising rates, show the curve, suggest a tenth of the lowest one's."""
    from napari_cellstage.cli.rate import show_rate
    from napari_cellstage.cli.settings import written

    given = {name: value for name, value in {"seed": seed, "device": device}.items() if value is not None}
    choices = written(settings or ()) | given
    show_rate(data, recipe, choices, group_from=group_from, classes=classes, out=out, as_json=json)
