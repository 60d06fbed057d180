"""The commands that hand things on: cells of a project, a run with all that it needs, and such a run trained again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from napari_cellstage.cli.options import Device, Json
from napari_cellstage.core.exporting.source import ExportError

hand_on = typer.Typer()


@hand_on.command()
def export(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="PROJECT|RUN",
            help="Project (NAME.cellstage); with --bundle the folder of a run.",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path, typer.Option(help="File to write; for crops and geojson a folder; for a bundle a folder or a .zip.")
    ],
    to: Annotated[
        str | None,
        typer.Option(help="crops, csv, people (what each person said, CSV), geojson or anndata.", show_default=False),
    ] = None,
    bundle: Annotated[
        bool,
        typer.Option(
            "--bundle", help="The run with its cells, labels, split, recipe, model and report, to train again."
        ),
    ] = False,
    references: Annotated[
        bool, typer.Option("--references", help="Bundle: names and hashes of the cells instead of their pictures.")
    ] = False,
    data: Annotated[
        Path | None,
        typer.Option(help="Bundle: the run's data, where it does not know them any more.", show_default=False),
    ] = None,
    labelled_only: Annotated[bool, typer.Option("--labelled-only", help="Only cells that you labelled.")] = False,
    with_predicted: Annotated[
        bool, typer.Option("--with-predicted", help="Crops: cells without a label too, by their predicted class.")
    ] = False,
    size: Annotated[int, typer.Option(help="Side of crops in pixels.")] = 64,
    png: Annotated[bool, typer.Option("--png", help="Crops as PNG, where it holds the pixels; else TIFF.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what is there.")] = False,
    json: Json = False,
) -> None:
    """Write the cells of a project, as class folders, CSV, GeoJSON for QuPath or AnnData; or a run as a bundle."""
    if bundle:
        from napari_cellstage.cli.bundling import BundleChoices, export_bundle

        given = {"--to": to, "--labelled-only": labelled_only, "--with-predicted": with_predicted, "--png": png}
        _check(given, f"is for the cells of a project, but --bundle writes all of the run '{source}'")
        export_bundle(source, out, BundleChoices(data, references, overwrite), as_json=json)
        return
    from napari_cellstage.cli.exporting import export_project
    from napari_cellstage.learn.exports import FORMATS, ExportChoices

    _check({"--references": references, "--data": data}, "is for bundles, and --bundle is not there")
    _check_is_no_run(source)
    if to is None:
        raise ExportError(f"Say what to write of '{source}': --to with one of {', '.join(FORMATS)}.")
    choices = ExportChoices(to, out, labelled_only, with_predicted, size, png, overwrite)
    export_project(source, choices, as_json=json)


@hand_on.command()
def rerun(
    bundle: Annotated[Path, typer.Argument(help="Folder or .zip that export --bundle wrote.", show_default=False)],
    out: Annotated[
        Path | None, typer.Option(help="Folder for the new run; without one it is not kept.", show_default=False)
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="The data, for a bundle that has no pictures.", show_default=False)
    ] = None,
    device: Device = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the run that is in that folder.")] = False,
    json: Json = False,
) -> None:
    """Train a bundle again, and say whether the figures agree. Exit code 4: they do not."""
    from napari_cellstage.cli.bundling import rerun_command

    rerun_command(bundle, out, data, device=device, overwrite=overwrite, as_json=json)


def _check(given: Mapping[str, object], why: str) -> None:
    """Raise `ExportError` where an option of the other kind of export is given."""
    for name, value in given.items():
        if value:
            raise ExportError(f"{name} {why}. Leave one of the two out.")


def _check_is_no_run(folder: Path) -> None:
    from napari_cellstage.learn.model import CARD

    if (folder / CARD).is_file():
        raise ExportError(f"'{folder}' is a run. Add --bundle to hand it on, or name the project to export its cells.")
