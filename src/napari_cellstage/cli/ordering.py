"""`napari-cellstage order`: cells in the order in which a model sees them, held against that of their classes."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.cli.answers import table_lines, write_json, write_table
from napari_cellstage.cli.progress import Reporter, stop_on_interrupt
from napari_cellstage.cli.scoring import load_model
from napari_cellstage.cli.sources import Data, FolderData, ShouldStop, as_wanted, parts, read_data
from napari_cellstage.core.classes import UNLABELLED, ClassScheme
from napari_cellstage.core.predictions import PART_NAMES, TRAINED
from napari_cellstage.core.review.pseudotime import PseudotimeError, Shape, order_features, pseudotime
from napari_cellstage.core.review.pseudotime_score import CellOrder, order_cells
from napari_cellstage.core.review.true_order import TrueOrder
from napari_cellstage.learn.data import cell_names
from napari_cellstage.learn.events import BatchDone
from napari_cellstage.learn.model import TrainedModel
from napari_cellstage.learn.predict import judge, predict_snapshot

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class OrderChoices:
    """What the user chose.

    Parameters
    ----------
    shape
        None: decided by the cells.
    start
        The class that comes first; None: what fits best.
    known
        The true order of the classes as text; None: that of the project, or of a template.
    device, group_from
        As for `evaluate`.
    """

    shape: Shape | None = None
    start: str | None = None
    known: str | None = None
    device: str | None = None
    group_from: str | None = None


@dataclass(frozen=True, eq=False)
class _Cells:
    """``N`` cells: names as columns of a table, where they lie, label, what they were to the model, group."""

    columns: dict[str, Any]
    embedding: NDArray[np.floating[Any]] | None
    label: NDArray[np.str_]
    part: NDArray[np.uint8]
    groups: NDArray[np.str_]


def order_run(run: Path, path: Path, choices: OrderChoices, out: Path | None, *, as_json: bool) -> None:
    """Put the cells of the data in order by what the model of a run sees; write them as a table."""
    model = load_model(run, choices.device)
    data, reporter = read_data(path, choices.group_from), Reporter()
    for note in data.notes:
        reporter.say(note)
    scheme = _scheme(data)
    order = _order(choices, scheme)
    with stop_on_interrupt(reporter.say) as should_stop:
        cells = reporter.follow(_placed(data, model, should_stop))
    found = _ordered(cells, model, order, choices)
    classes = _places_of_classes(cells, found, order.names if order else scheme.names)
    for line in ["Where the labelled cells of each class lie, the middle half of them:", *table_lines(classes), ""]:
        reporter.say(line)
    for line in _lines(found):
        reporter.say(line)
    if out is not None:
        write_table(_table(cells, found), out)
        reporter.say(f"saved in {out}")
    if as_json:
        write_json(_figures(found) | {"classes": classes.to_dict("records"), "table": str(out) if out else None})


def _scheme(data: Data) -> ClassScheme:
    return ClassScheme.from_names(data.crops.classes) if isinstance(data, FolderData) else data.work.scheme


def _order(choices: OrderChoices, scheme: ClassScheme) -> TrueOrder | None:
    """Return the known order; complain of a start that is no class before anything is computed."""
    if choices.start is not None and choices.start not in scheme.names:
        raise PseudotimeError(f"'{choices.start}' is no class. Begin with one of {', '.join(scheme.names)}.")
    of_names = TrueOrder.of(scheme)
    if choices.known is None:
        return of_names
    cyclic = choices.shape == "cyclic" or (of_names is not None and of_names.cyclic)
    return TrueOrder.written(choices.known, scheme.names, cyclic)


def _placed(data: Data, model: TrainedModel, should_stop: ShouldStop) -> Generator[BatchDone, None, _Cells]:
    if isinstance(data, FolderData):
        crops = data.crops
        said = yield from judge(model, crops.crops, crops.masks, should_stop)
        columns = {"image": [name.rpartition("#")[0] for name in crops.names], "t": 0, "cell_id": 1}
        label = np.array(crops.classes, dtype=np.str_)[crops.labels]
        return _Cells(columns, said.embedding, label, parts(model, crops.names), crops.groups)
    work = as_wanted(model, data.work)
    answers = yield from predict_snapshot(model, work, should_stop)
    names = {one.id: one.name for one in work.scheme} | {UNLABELLED: ""}
    images = list(work.images)
    embedded = [answers[image.image_id].embedding for image in images]
    columns = {
        "image": [image.stack.name for image in images for _ in range(len(image.cells))],
        "t": [t for image in images for t in image.cells.t.tolist()],
        "cell_id": [i for image in images for i in image.cells.cell_id.tolist()],
    }
    label = np.array([names.get(i, "") for image in images for i in image.class_ids.tolist()], dtype=np.str_)
    own = [np.full(len(i.cells), str(i.image_id)) if i.groups is None else i.groups for i in images]
    part = parts(model, [name for image in images for name in cell_names(image)])
    there = [one for one in embedded if one is not None]
    whole = np.concatenate(there) if len(there) == len(embedded) and there else None
    return _Cells(columns, whole, label, part, np.concatenate([np.zeros(0, dtype=np.str_), *own]))


def _ordered(cells: _Cells, model: TrainedModel, order: TrueOrder | None, choices: OrderChoices) -> CellOrder:
    if cells.embedding is None:
        raise PseudotimeError(
            f"The model of recipe '{model.recipe.name}' does not keep where it sees cells, so they can't be put in "
            "order. Train a network or the quick recipe with this version; of an ensemble, order by one of its members."
        )
    found = pseudotime(order_features(cells.embedding, model.space), choices.shape)
    known = np.where(np.isin(cells.label, model.classes.names), cells.label, "")  # others the model was not told of
    return order_cells(found, known, order, cells.groups, cells.part != TRAINED, choices.start)


def _places_of_classes(cells: _Cells, found: CellOrder, names: tuple[str, ...]) -> pd.DataFrame:
    """Return where the cells of each class are: the middle one, and the middle half of them."""
    import pandas as pd

    rows = []
    for name in names:
        time = found.time[(cells.label == name) & np.isfinite(found.time)]
        if len(time):
            low, middle, high = np.quantile(time.astype(np.float64), [0.25, 0.5, 0.75]).round(3).tolist()
            rows.append({"class": name, "cells": len(time), "from": low, "median": middle, "to": high})
    return pd.DataFrame(rows, columns=["class", "cells", "from", "median", "to"])


def _lines(found: CellOrder) -> list[str]:
    if found.score is not None:
        return [found.score.text, found.found.why]
    return [
        found.found.why,
        "Not scored: the order of the classes is not known, or fewer than 10 cells have a label. "
        "Name it with --true-order 'first, second, ...'.",
    ]


def _table(cells: _Cells, found: CellOrder) -> pd.DataFrame:
    import pandas as pd

    places = {"pseudotime": found.time.astype(np.float64).round(4)}
    components = {f"component_{i + 1}": found.found.components[:, i].astype(np.float64).round(4) for i in (0, 1)}
    told = {"label": cells.label, "part": [PART_NAMES[part] for part in cells.part.tolist()]}
    frame = pd.DataFrame(told | places | components)
    for place, (name, values) in enumerate(cells.columns.items()):
        frame.insert(place, name, values)
    return frame.astype({"image": object, "label": object})


def _figures(found: CellOrder) -> dict[str, Any]:
    score, map_ = found.score, found.found
    told: dict[str, Any] = {
        "cells": int(np.isfinite(found.time).sum()),
        "shape": map_.shape,
        "shape_given": map_.given,
        "likeness": map_.likeness,
        "fitted": map_.fitted,
    }
    if score is None:
        return told | {"spearman": None}
    circular = {"circular": score.circular, "circular_interval": score.circular_interval}
    return told | {
        "spearman": score.spearman,
        "low": score.interval[0],
        "high": score.interval[1],
        "n": score.n,
        "groups": score.groups,
        "seen_in_training": score.seen,
        "by_chance": score.chance,
        "choice": score.choice,
        "true_order": list(score.order.names),
        "true_order_is_cyclic": score.order.cyclic,
        **circular,
    }
