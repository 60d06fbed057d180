"""The command `import` and its options."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from napari_cellstage.cli.options import Channel, GroupFrom, Json

takes_in = typer.Typer()


class LabelFiles(StrEnum):
    """What becomes of files that look like the cells of others."""

    AUTO = "auto"
    NONE = "none"


@takes_in.command("import")
def import_(
    files: Annotated[
        list[Path], typer.Argument(help="Images, folders of images, or folders of class folders.", show_default=False)
    ],
    project: Annotated[Path, typer.Option(help="Project (NAME.cellstage); made when it is not there.")],
    axes: Annotated[
        str | None, typer.Option(help="Axes of the files, such as TCYX, instead of what they say.", show_default=False)
    ] = None,
    series: Annotated[bool, typer.Option("--series", help="Numbered TIFFs of a folder make one image.")] = False,
    sheets: Annotated[
        bool | None,
        typer.Option(
            "--sheets/--no-sheets", help="Folders are class folders, or not.", show_default="what they look like"
        ),
    ] = None,
    group_from: GroupFrom = None,
    pattern: Annotated[
        str | None,
        typer.Option(
            help="How plate, well and so on stand in file names: '{plate}_{well}_f{field}*'.", show_default=False
        ),
    ] = None,
    plate_map: Annotated[
        Path | None, typer.Option(help="CSV with well, treatment, dose and so on.", show_default=False)
    ] = None,
    find: Annotated[bool, typer.Option("--find", help="Find the cells of the images.")] = False,
    channel: Channel = None,
    method: Annotated[str | None, typer.Option(help="How cells are found, by name.", show_default=False)] = None,
    labels: Annotated[
        LabelFiles, typer.Option(help="auto: files such as a_masks.tif are the cells of a.tif; none: they are images.")
    ] = LabelFiles.AUTO,
    json: Json = False,
) -> None:
    """Put FILES into a project. Exit code 3: some could not be used, the others were."""
    from napari_cellstage.cli.importing import ImportChoices, import_files

    choices = ImportChoices(
        axes, series, sheets, group_from, pattern, plate_map, find, channel, method, labels == LabelFiles.AUTO
    )
    import_files(files, project, choices, as_json=json)
