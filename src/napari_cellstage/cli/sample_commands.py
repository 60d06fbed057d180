"""The commands that show what the tool does without data of one's own: samples as files, and the demo."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from napari_cellstage.cli.options import Json

samples = typer.Typer()


class SampleName(StrEnum):
    """The built-in synthetic samples."""

    FIELD = "field"
    MOVIE = "movie"
    MICROTUBULES = "microtubules"
    PHOTOGRAPHS = "photographs"
    STAINED = "stained"


@samples.command()
def sample(
    name: Annotated[SampleName, typer.Argument(help="Which synthetic sample.", show_default=False)],
    out: Annotated[Path, typer.Option(help="Folder to write, empty or not there yet.")],
    per_class: Annotated[
        int | None,
        typer.Option(
            help="Crops of each class, in class folders; of microtubules and photographs.",
            show_default="1100 microtubules, 60 photographs",
        ),
    ] = None,
    fields: Annotated[
        int | None,
        typer.Option(
            help="Whole images with label images and truth.csv, instead of crops.", show_default="1; 4 of stained"
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Same seed, same pixels.")] = 0,
    width: Annotated[
        int | None,
        typer.Option(help="Width of whole photographs; 3264 has 8 megapixels.", show_default="1200"),
    ] = None,
    planes: Annotated[
        int | None, typer.Option(help="Planes in depth of stained cells, in phase contrast.", show_default="1")
    ] = None,
    json: Json = False,
) -> None:
    """Write a SYNTHETIC sample as files, to try things on: nothing in it is real data."""
    from napari_cellstage.cli.sampling import SampleChoices, write_sample

    write_sample(SampleChoices(name.value, out, per_class, fields, seed, width, planes), as_json=json)


@samples.command()
def demo(
    headless: Annotated[bool, typer.Option("--headless", help="Without a window that you see.")] = False,
    out: Annotated[Path, typer.Option(help="Folder for what the headless demo leaves.")] = Path("demo-output"),
) -> None:
    """Do the main job on the built-in synthetic sample."""
    from napari_cellstage.demo import run_demo

    run_demo(headless=headless, out=out)
