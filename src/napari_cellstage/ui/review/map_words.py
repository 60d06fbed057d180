"""What is written about the map: its legend, and the words about a point. Names are written so that they stay text."""

from __future__ import annotations

from html import escape

from napari_cellstage.core.review.table import ReviewTable
from napari_cellstage.ui.review.map_colors import RAMPS, Group

MOST_IN_LEGEND = 24


def point_text(table: ReviewTable, row: int) -> str:
    """Return what the tooltip says of a cell, as rich text."""
    name_of = {one.id: one.name for one in table.classes}
    label, predicted = int(table.label[row]), int(table.predicted[row])
    parts = [
        f"cell {int(table.cells.cell_id[row])}",
        f"labelled {name_of[label]}" if label in name_of else "not labelled",
    ]
    if predicted in name_of:
        parts.append(f"predicted {name_of[predicted]} {float(table.confidence[row]):.2f}")
    if float(table.unlike[row]) > 1:
        parts.append("unlike the training cells")
    return f"<span>{escape(' · '.join(parts))}</span>"


def legend_text(groups: list[Group], how: str, score: str = "") -> str:
    """Return the colours with their words, as rich text; after a ramp of colours what is to be said of it."""
    shown = [one for one in groups if len(one.rows)]
    if how in RAMPS:
        low, high = RAMPS[how]
        steps = [one for one in groups if one.text.startswith(("confidence ", "distance ", "place "))]
        ramp = f"{low} {''.join(_dot(one.color) for one in steps)} {high}"
        others = [one for one in shown if one not in steps]
        return " &nbsp; ".join([ramp, *([escape(score)] if score else []), *(_entry(one) for one in others)])
    entries = [_entry(one) for one in shown[:MOST_IN_LEGEND]]
    more = len(shown) - len(entries)
    return " &nbsp; ".join([*entries, *([f"and {more} more"] if more else [])])


def _entry(one: Group) -> str:
    return f'<span style="white-space:nowrap">{_sign(one)}&nbsp;{escape(one.text)}&nbsp;{len(one.rows):,}</span>'


def _sign(one: Group) -> str:
    return _dot(one.color) if one.symbol == "o" else f'<span style="color:{one.color}"><b>✕</b></span>'


def _dot(color: str) -> str:
    return f'<span style="color:{color}">⬤</span>'
