"""What commands share: their arguments and options, and how known errors are said."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from napari_cellstage.core.errors import CellStageError
from napari_cellstage.core.whole_files import reason_of

_OF_THE_DISK = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC), errno.EACCES, errno.EPERM, errno.EROFS, errno.EIO)
DATA_HELP = "A project (NAME.cellstage), or a folder with one folder of cropped cells a class."


class SentenceGroup(TyperGroup):
    """Commands whose known errors are one sentence on standard error and exit code 1; bugs keep their traceback.

    So are those of the disk: full, not allowed, broken.
    """

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except CellStageError as error:
            typer.echo(f"Error: {error}", err=True)
            raise typer.Exit(1) from error
        except OSError as error:
            if error.errno not in _OF_THE_DISK:
                raise
            what = f"'{error.filename}'" if error.filename else "A file"
            told = f"{what} can't be read or written: {reason_of(error)}. What was saved before is kept."
            typer.echo(f"Error: {told} Make room, or choose another place.", err=True)
            raise typer.Exit(1) from error


Data = Annotated[Path, typer.Argument(help=DATA_HELP, show_default=False)]
Run = Annotated[Path, typer.Argument(help="Folder of a training run, with the model.", show_default=False)]
RunFolder = Annotated[
    Path, typer.Argument(metavar="RUN", help="Folder of a training run; its model may be gone.", show_default=False)
]
Project = Annotated[Path, typer.Argument(help="Project (NAME.cellstage).", show_default=False)]
Image = Annotated[Path, typer.Argument(help="Image file.", show_default=False)]
Device = Annotated[str | None, typer.Option(help="auto, cuda, mps or cpu.", show_default=False)]
GroupFrom = Annotated[
    str | None,
    typer.Option(
        metavar="REGEX",
        help="The part of a crop's file name that says which movie, well or image it is from; its cells stay together.",
        show_default=False,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="End with one line of JSON on standard output.")]
Channel = Annotated[
    int | None,
    typer.Option(
        help="Channel to find cells in, from 0; else one that shows nuclei by name or looks.", show_default=False
    ),
]
Axes = Annotated[
    str | None, typer.Option(help="Axes of the file, such as TCYX, instead of what it says.", show_default=False)
]
Classes = Annotated[
    str | None,
    typer.Option(
        metavar="NAMES",
        help="Only these classes are told apart, as 0,0.1; cells of all others are left out.",
        show_default=False,
    ),
]
