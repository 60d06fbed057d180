"""The commands `stain ...`: fluorescence predicted from transmitted light, by networks that are trained on pairs."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from napari_cellstage.cli.options import Axes, Device, Json, SentenceGroup

staining = typer.Typer(
    name="stain",
    cls=SentenceGroup,
    help="Predict fluorescence from transmitted light. What is predicted is no measurement, and files say so.",
    no_args_is_help=True,
)

Pairs = Annotated[
    Path,
    typer.Argument(
        metavar="DATA",
        help="A folder (also a tree) of images with transmitted light and stains; with --target-folder those of the "
        "input; also one image, or a project.",
        show_default=False,
    ),
]
StainRun = Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a stain's training run.", show_default=False)]
TargetFolder = Annotated[
    Path | None,
    typer.Option(help="Folder of the stains, matched with the images of DATA by name.", show_default=False),
]
Groups = Annotated[
    str | None,
    typer.Option(
        metavar="REGEX",
        help="The part of an image's name that says which well, plate or movie it is of; those stay together.",
        show_default=False,
    ),
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="Another choice, such as filters=16; may be repeated."),
]
Recipe = Annotated[str, typer.Option(help="stain-2d, stain-25d or stain-3d; or a .toml file. See stain recipes.")]
Register = Annotated[
    bool, typer.Option("--register", help="Move each stain to where it fits its input best, if they are shifted.")
]
Seed = Annotated[int | None, typer.Option(help="Same seed, same result.", show_default=False)]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace what is there.")]
OutRun = Annotated[Path, typer.Option(help="Folder for the run: model, card, history, scores.")]
_CHANNELS = "by name or number from 0; several with commas between, or as 0-12"
InputAsTrained = Annotated[
    str | None,
    typer.Option(
        "--input", metavar="CH", help=f"Channels with transmitted light, {_CHANNELS}.", show_default="as in training"
    ),
]
Plane = Annotated[
    int | None,
    typer.Option(help="With --output plane: which plane of the stain, from 0.", show_default="the middle one"),
]


class OutputKind(StrEnum):
    """What is predicted of a z-stack's stain."""

    STACK = "stack"
    PLANE = "plane"
    MAXIMUM = "maximum"


Output = Annotated[
    OutputKind | None,
    typer.Option(
        help="What is predicted of a z-stack: its stain in each plane, in one, or its maximum over the planes.",
        show_default="stack where the stain is one",
    ),
]


@staining.command()
def train(
    data: Pairs,
    input_: Annotated[
        str, typer.Option("--input", metavar="CH", help=f"Channels with transmitted light, {_CHANNELS}.")
    ],
    target: Annotated[str, typer.Option(metavar="CH[,CH]", help=f"Channels with the stains, {_CHANNELS}.")],
    out: OutRun,
    recipe: Recipe = "stain-2d",
    settings: Settings = None,
    target_folder: TargetFolder = None,
    output: Output = None,
    plane: Plane = None,
    register: Register = False,
    group_from: Groups = None,
    seed: Seed = None,
    device: Device = None,
    overwrite: Overwrite = False,
    json: Json = False,
) -> None:
    """Train a network on DATA that predicts stains, and score it on images held out."""
    from napari_cellstage.cli.stain_pairs import PairChoices
    from napari_cellstage.cli.stain_training import StainChoices, train_stains

    pairs = PairChoices(data, input_, target, target_folder, group_from, output and output.value, plane)
    choices = StainChoices(out, recipe, tuple(settings or ()), seed, device, register, overwrite)
    train_stains(pairs, choices, as_json=json)


@staining.command()
def add(
    run: StainRun,
    data: Pairs,
    target: Annotated[str, typer.Option(metavar="CH[,CH]", help=f"Channels with the new stains, {_CHANNELS}.")],
    out: OutRun,
    input_: InputAsTrained = None,
    settings: Settings = None,
    target_folder: TargetFolder = None,
    plane: Plane = None,
    register: Register = False,
    group_from: Groups = None,
    seed: Seed = None,
    device: Device = None,
    overwrite: Overwrite = False,
    json: Json = False,
) -> None:
    """Teach the model of RUN a new stain from few images, by transfer; the stains that it knows are kept."""
    from napari_cellstage.cli.stain_pairs import PairChoices
    from napari_cellstage.cli.stain_training import StainChoices, add_stains

    pairs = PairChoices(data, input_, target, target_folder, group_from, None, plane)
    choices = StainChoices(out, "", tuple(settings or ()), seed, device, register, overwrite)
    add_stains(run, pairs, choices, as_json=json)


@staining.command()
def evaluate(
    run: StainRun,
    data: Pairs,
    target_folder: TargetFolder = None,
    input_: InputAsTrained = None,
    target: Annotated[
        str | None,
        typer.Option(
            metavar="CH[,CH]", help=f"Channels with the true stains, {_CHANNELS}.", show_default="as in training"
        ),
    ] = None,
    group_from: Groups = None,
    nuclei: Annotated[
        str | None,
        typer.Option(
            metavar="STAIN",
            help="Also find nuclei in this stain, predicted and true, and count how many are the same.",
            show_default=False,
        ),
    ] = None,
    classes_by: Annotated[
        Path | None,
        typer.Option(
            metavar="RUN",
            help="Also let this classification model judge each nucleus, with its predicted stain and "
            "with the true one.",
            show_default=False,
        ),
    ] = None,
    device: Device = None,
    json: Json = False,
) -> None:
    """Score the model of RUN against the true stains of DATA, on images that it was not trained on."""
    from napari_cellstage.cli.stain_pairs import PairChoices
    from napari_cellstage.cli.stain_scoring import evaluate_stains
    from napari_cellstage.cli.stain_tasks import Tasks

    pairs = PairChoices(data, input_, target, target_folder, group_from)
    evaluate_stains(run, pairs, Tasks(nuclei, classes_by), device=device, as_json=json)


@staining.command()
def predict(
    run: StainRun,
    images: Annotated[
        list[Path], typer.Argument(metavar="IMAGE...", help="Images, or folders of images.", show_default=False)
    ],
    out: Annotated[
        Path, typer.Option(help="File to write, .ome.tif or .ome.zarr; of several images a folder for .ome.tif files.")
    ],
    also: Annotated[
        list[Path] | None,
        typer.Option(metavar="RUN", help="Another model for the same images, into the same file; may be repeated."),
    ] = None,
    uncertainty: Annotated[
        bool, typer.Option("--uncertainty", help="Write the uncertainty of each stain as a channel, too.")
    ] = False,
    input_: InputAsTrained = None,
    axes: Axes = None,
    scene: Annotated[
        str | None, typer.Option(help="Scene, position or well by name; all: each in its own file.", show_default=False)
    ] = None,
    device: Device = None,
    overwrite: Overwrite = False,
    json: Json = False,
) -> None:
    """Predict the stains of IMAGE, block by block. Exit code 3: some images could not be used, the others were."""
    from napari_cellstage.cli.stain_predicting import PredictChoices, predict_stain_files

    choices = PredictChoices(out, uncertainty, input_, axes, scene, device, overwrite)
    predict_stain_files((run, *(also or ())), images, choices, as_json=json)


@staining.command()
def recipes(json: Json = False) -> None:
    """List the recipes that come with the program, and what each is for."""
    from napari_cellstage.cli.stain_training import list_recipes

    list_recipes(as_json=json)
