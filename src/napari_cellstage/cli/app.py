"""The commands and their options; each hands over to the module that does the work."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from napari_cellstage import __version__
from napari_cellstage.cli.export_commands import hand_on
from napari_cellstage.cli.import_command import takes_in
from napari_cellstage.cli.options import (
    Axes,
    Channel,
    Classes,
    Data,
    Device,
    GroupFrom,
    Image,
    Json,
    Project,
    Run,
    SentenceGroup,
)
from napari_cellstage.cli.review_commands import review
from napari_cellstage.cli.sample_commands import samples
from napari_cellstage.cli.search_commands import searches
from napari_cellstage.cli.staining import staining
from napari_cellstage.cli.study_command import studies


class Tasks(StrEnum):
    """What is trained of the classes."""

    ONE = "one"
    PAIRS = "pairs"


app = typer.Typer(
    name="napari-cellstage",
    cls=SentenceGroup,
    help="Label single cells by stage or exposure, train a network on them, predict every other cell.",
    epilog="Exit codes: 0 done; 1 not done, with one sentence on standard error; 2 wrong options; "
    "3 from import and stain predict: some files could not be used, the others were; "
    "4 from rerun: the figures do not agree.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

for more in (takes_in, review, searches, samples, studies, hand_on, staining):
    app.add_typer(more)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"napari-cellstage {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Options that need no command."""


@app.command()
def train(
    data: Data,
    out: Annotated[Path, typer.Option(help="Folder for the run: model, card, history, predictions.")],
    recipe: Annotated[
        str, typer.Option(help="A recipe by name, such as quick, finetune or ensemble; or a .toml file.")
    ] = "finetune",
    seed: Annotated[int | None, typer.Option(help="Same seed, same result.", show_default=False)] = None,
    device: Device = None,
    epochs: Annotated[
        int | None, typer.Option(help="How often the network sees every cell.", show_default=False)
    ] = None,
    weights: Annotated[
        str | None, typer.Option(help="Where the network starts: imagenet, none, or a file.", show_default=False)
    ] = None,
    network: Annotated[str | None, typer.Option(help="A torchvision network by name.", show_default=False)] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Another choice, such as crop=cell; may be repeated."),
    ] = None,
    group_from: GroupFrom = None,
    classes: Classes = None,
    tasks: Annotated[
        Tasks,
        typer.Option(help="pairs: a model for all classes and one for each two, in folders of OUT, on one split."),
    ] = Tasks.ONE,
    folds: Annotated[
        int | None,
        typer.Option(
            help="Cross-validate with so many models more, so that every labelled cell is scored; 0: not.",
            show_default="0, or what a recipe file says",
        ),
    ] = None,
    report: Annotated[bool, typer.Option("--report", help="Write report.html into the run folder.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the run that is in that folder.")] = False,
    json: Json = False,
) -> None:
    """Train on the labelled cells of DATA, and score on a part held out."""
    from napari_cellstage.cli.settings import written
    from napari_cellstage.cli.task_runs import train_tasks
    from napari_cellstage.cli.training import TrainChoices, train_run

    given = {"seed": seed, "device": device, "epochs": epochs, "weights": weights, "network": network, "folds": folds}
    choices = written(settings or ()) | {name: value for name, value in given.items() if value is not None}
    wanted = TrainChoices(data, out, recipe, choices, group_from, classes, overwrite, report)
    (train_tasks if tasks is Tasks.PAIRS else train_run)(wanted, as_json=json)


@app.command()
def evaluate(
    run: Run,
    data: Data,
    device: Device = None,
    group_from: GroupFrom = None,
    classes: Classes = None,
    report: Annotated[
        Path | None, typer.Option(help="HTML file to write, with all that is known of these cells.", show_default=False)
    ] = None,
    json: Json = False,
) -> None:
    """Score a model on the labelled cells of DATA that it was not trained on."""
    from napari_cellstage.cli.scoring import evaluate_run

    evaluate_run(run, data, device=device, group_from=group_from, classes=classes, report=report, as_json=json)


@app.command()
def predict(
    run: Run,
    image: Image,
    out: Annotated[Path, typer.Option(help="Table to write, a .csv file.")],
    labels: Annotated[
        Path | None,
        typer.Option(help="Label image of the cells; without one they are found.", show_default=False),
    ] = None,
    channel: Channel = None,
    use_channel: Annotated[
        list[int] | None,
        typer.Option(help="A channel for the model, from 0; once for each that it needs.", show_default=False),
    ] = None,
    device: Device = None,
    axes: Axes = None,
    scene: Annotated[
        str | None,
        typer.Option(help="Scene, position or well by name; all: all of them in one table.", show_default=False),
    ] = None,
    json: Json = False,
) -> None:
    """Predict the class of every cell of IMAGE."""
    from napari_cellstage.cli.cells import predict_image

    use = tuple(use_channel or ())
    predict_image(
        run, image, labels, out, channel=channel, use_channels=use, device=device, axes=axes, scene=scene, as_json=json
    )


@app.command()
def segment(
    image: Image,
    out: Annotated[Path, typer.Option(help="Label image to write: a .tif file, or a .zarr folder.")],
    channel: Channel = None,
    method: Annotated[
        str | None,
        typer.Option(help="How cells are found: otsu, local, log, dark, cells, texture, cellpose, stardist."),
    ] = None,
    second_channel: Annotated[
        int | None, typer.Option(help="Channel that shows whole cells, for the method cells.", show_default=False)
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Another choice, such as sensitivity=2; may be repeated."),
    ] = None,
    axes: Axes = None,
    scene: Annotated[
        str | None, typer.Option(help="Scene, position or well by name; all: each in its own file.", show_default=False)
    ] = None,
    json: Json = False,
) -> None:
    """Find the cells of IMAGE."""
    from napari_cellstage.cli.segmenting import SegmentChoices, segment_image

    choices = SegmentChoices(channel, second_channel, method, tuple(settings or ()))
    segment_image(image, out, choices, axes=axes, scene=scene, as_json=json)


@app.command("open")
def open_(project: Project) -> None:
    """Open a project in napari."""
    from napari_cellstage.window import open_project

    open_project(project)
