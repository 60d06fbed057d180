"""The commands that judge what is there: reports, runs compared, doubtful labels, order, persons, which cell next."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from napari_cellstage.cli.options import Classes, Data, Device, GroupFrom, Json, Project, Run, RunFolder

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


@review.command()
def experts(
    answers: Annotated[
        list[Path] | None,
        typer.Argument(help="Tables with the columns cell, person, answer (and task).", show_default=False),
    ] = None,
    truth: Annotated[
        Path | None, typer.Option(help="Class folders or a project that say what each cell is.", show_default=False)
    ] = None,
    run: Annotated[
        Path | None,
        typer.Option(
            help="Run to compare with, on cells it had not seen; or the folder that train --tasks pairs made.",
            show_default=False,
        ),
    ] = None,
    key: Annotated[
        Path | None, typer.Option(help="The key.csv of a template with neutral names.", show_default=False)
    ] = None,
    template: Annotated[
        Path | None,
        typer.Option(
            metavar="DATA",
            help="Instead: write sheets for experts to fill in, of these class folders, to --out.",
            show_default=False,
        ),
    ] = None,
    person: Annotated[
        list[str] | None, typer.Option(help="With --template: who gets a sheet; may be repeated.", show_default=False)
    ] = None,
    each: Annotated[
        int | None, typer.Option(help="With --template: so many cells of each class, drawn by lot.", show_default="all")
    ] = None,
    seed: Annotated[int, typer.Option(help="With --template: same seed, same order.")] = 0,
    classes: Classes = None,
    group_from: GroupFrom = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for CSV tables; with --template a new folder, or a .csv file.", show_default=False),
    ] = None,
    json: Json = False,
) -> None:
    """Compare ANSWERS of experts with the truth and a network: each, average, best, vote, paired tests."""
    from napari_cellstage.cli.experts import ExpertChoices, judge_experts, write_template
    from napari_cellstage.core.experts.lines import AnswersError

    if template is not None:
        if out is None:
            raise AnswersError("--template needs --out: a new folder, or a file that ends in .csv.")
        write_template(template, out, person or (), each, seed, classes, json)
        return
    if not answers or truth is None:
        raise AnswersError(
            "Name the tables of answers, and with --truth the data that say what each cell is; or write sheets to fill "
            "in with --template DATA --out FOLDER."
        )
    judge_experts(ExpertChoices(answers, truth, run, key, classes, group_from, out), as_json=json)
