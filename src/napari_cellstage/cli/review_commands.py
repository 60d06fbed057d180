"""The commands that judge what is there: reports, runs compared, doubtful labels, order, persons, which cell next."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from napari_cellstage.cli.options import Data, Device, GroupFrom, Json, Project, Run, RunFolder

review = typer.Typer()
Table = Annotated[Path | None, typer.Option(help="Table to write, a .csv file.", show_default=False)]


@review.command()
def report(
    run: RunFolder,
    out: Annotated[
        Path | None, typer.Option(help="HTML file to write.", show_default="report.html in the run folder")
    ] = None,
    json: Json = False,
) -> None:
    """Write all that is known of RUN into one HTML file: scores, confusion matrix, examples, doubtful labels."""
    from napari_cellstage.cli.judging import report_run

    report_run(run, out, as_json=json)


@review.command()
def compare(
    run_a: Annotated[Path, typer.Argument(help="Folder of a training run.", show_default=False)],
    run_b: Annotated[Path, typer.Argument(help="Folder of another one.", show_default=False)],
    out: Table = None,
    json: Json = False,
) -> None:
    """Compare two runs on the cells that neither had seen: which RUN_B wins, which it loses, and whether by chance."""
    from napari_cellstage.cli.judging import compare_runs

    compare_runs(run_a, run_b, out, as_json=json)


@review.command()
def order(
    run: Run,
    data: Data,
    cyclic: Annotated[
        bool | None,
        typer.Option("--cyclic/--open", help="Put cells along a ring, or an open line.", show_default="what fits"),
    ] = None,
    start: Annotated[
        str | None, typer.Option(metavar="CLASS", help="The class that comes first.", show_default="what fits")
    ] = None,
    true_order: Annotated[
        str | None,
        typer.Option(
            metavar="CLASSES",
            help="Order to compare with: 'G1, S, G2'.",
            show_default="that of the project, of a template with these names, or of doses",
        ),
    ] = None,
    out: Table = None,
    device: Device = None,
    group_from: GroupFrom = None,
    json: Json = False,
) -> None:
    """Put the cells of DATA in order by what the model of RUN sees, without telling it the order of the classes."""
    from napari_cellstage.cli.ordering import OrderChoices, order_run

    shape: Literal["cyclic", "open"] | None = None if cyclic is None else "cyclic" if cyclic else "open"
    order_run(run, data, OrderChoices(shape, start, true_order, device, group_from), out, as_json=json)


@review.command()
def suspects(
    source: Annotated[
        Path, typer.Argument(help="Folder of a training run, or a project (NAME.cellstage).", show_default=False)
    ],
    out: Table = None,
    json: Json = False,
) -> None:
    """List labels that are probably wrong, most suspicious first; of a project by its latest run and today's labels."""
    from napari_cellstage.cli.judging import list_suspects

    list_suspects(source, out, as_json=json)


@review.command()
def agreement(project: Project, json: Json = False) -> None:
    """Say how far the persons who labelled PROJECT agree: Cohen's kappa of each two, Fleiss' kappa of all."""
    from napari_cellstage.cli.project_review import say_agreement

    say_agreement(project, as_json=json)


@review.command()
def queue(
    project: Project,
    mode: Annotated[
        str, typer.Option(help="How cells are chosen: uncertain, class, random, 'in order', audit.")
    ] = "uncertain",
    count: Annotated[int, typer.Option(min=1, help="How many cells, at most.")] = 16,
    out: Table = None,
    json: Json = False,
) -> None:
    """Choose cells of PROJECT that are worth a label next; nothing is changed."""
    from napari_cellstage.cli.project_review import list_next_cells

    list_next_cells(project, mode, count, out, as_json=json)
