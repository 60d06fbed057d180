"""The command `reproduce` and its options."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from napari_cellstage.cli.options import GroupFrom, Json

studies = typer.Typer()


class Study(StrEnum):
    """The published studies."""

    JURKAT = "jurkat"
    MICROTUBULES = "microtubules"


@studies.command()
def reproduce(
    study: Annotated[Study, typer.Argument(help="Which study.", show_default=False)],
    data: Annotated[
        Path | None,
        typer.Option(
            help="Folder with one folder of cells a class; for microtubules, one with train and test, too.",
            show_default="jurkat: a folder of that name beside; microtubules: a synthetic sample",
        ),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Ten minutes on two cores; the table says what is less.")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="Folder for table and runs.", show_default="reproduce-STUDY")] = None,
    seed: Annotated[int, typer.Option(help="Same seed, same result.")] = 0,
    group_from: GroupFrom = None,
    json: Json = False,
) -> None:
    """Run a published study end to end: published figures beside those obtained, and a report of each run."""
    from napari_cellstage.cli.reproducing import Wanted, reproduce_jurkat, reproduce_microtubules

    wanted = Wanted(data, out, quick, seed, group_from, json)
    (reproduce_jurkat if study is Study.JURKAT else reproduce_microtubules)(wanted)
