"""How the wells of a plate look: coloured by treatment, dose, class or number of cells. No widgets in here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape

from qtpy.QtGui import QColor

from napari_cellstage.core.classes import ClassScheme, palette_color
from napari_cellstage.core.image_facts import ImageFacts, same_doses, well_place
from napari_cellstage.ui.plate_grid import Well, WellLook

COLOR_BY = ("treatment", "dose", "class", "cells")
# From none to much; light enough at one end and dark enough at the other to be told apart without colours.
_LEAST, _MOST = QColor("#d9e6f2"), QColor("#0b4a83")
_IN_LEGEND = 12
Counts = Mapping[int, Mapping[int, int]]
Paint = tuple[QColor | None, str, str]
"""Colour, what is written on a well, and what is said of it besides."""
Painter = Callable[[Well], Paint]


def wells_of(facts: Mapping[int, ImageFacts], plate: str) -> dict[Well, list[int]]:
    """Return the images of each well of a plate."""
    wells: dict[Well, list[int]] = {}
    for image_id, said in facts.items():
        place = well_place(said.well)
        if place and said.plate == plate:
            wells.setdefault(place, []).append(image_id)
    return wells


def looks(
    by: str, wells: Mapping[Well, Sequence[int]], facts: Mapping[int, ImageFacts], counts: Counts, scheme: ClassScheme
) -> dict[Well, WellLook]:
    """Return how each well looks.

    Parameters
    ----------
    by
        One of `COLOR_BY`.
    wells
        Images of each well of the plate that is shown.
    facts
        Of all images, so that a treatment has the same colour on every plate.
    counts
        Cells of each class by image; class 0 for cells without one.
    scheme
        Names and colours of classes.
    """
    if by in ("treatment", "dose"):
        paint = _by_fact(by, wells, facts)
    else:
        paint = _by_class(wells, counts, scheme) if by == "class" else _by_cells(wells, counts)
    return {well: _look(well, images, facts, paint) for well, images in wells.items()}


def _look(
    well: Well,
    images: Sequence[int],
    facts: Mapping[int, ImageFacts],
    paint: Painter,
) -> WellLook:
    color, text, more = paint(well)
    said = dict.fromkeys(f"{facts[i].treatment} {facts[i].dose}".strip() for i in images)
    what = ", ".join(filter(None, said)) or "no treatment known"
    count = _number(len(images), "image")
    return WellLook(color, text, " · ".join(filter(None, (facts[images[0]].well, what, count, more))))


def _by_fact(name: str, wells: Mapping[Well, Sequence[int]], facts: Mapping[int, ImageFacts]) -> Painter:
    values = [getattr(one, name) for one in facts.values()]
    colors = _dose_colors(values) if name == "dose" else _treatment_colors(values)

    def paint(well: Well) -> Paint:
        found = list(dict.fromkeys(value for i in wells[well] if (value := getattr(facts[i], name))))
        return (colors[found[0]], " / ".join(found), "") if found else (None, "", "")

    return paint


def _treatment_colors(values: Iterable[str]) -> dict[str, QColor]:
    names = sorted({value for value in values if value}, key=str.casefold)
    return {name: QColor(palette_color(place)) for place, name in enumerate(names)}


def _dose_colors(values: Iterable[str]) -> dict[str, QColor]:
    groups = same_doses(values)
    return {dose: _shade(place, len(groups)) for place, group in enumerate(groups) for dose in group}


def _by_class(wells: Mapping[Well, Sequence[int]], counts: Counts, scheme: ClassScheme) -> Painter:
    def paint(well: Well) -> Paint:
        total: dict[int, int] = {}
        for image_id in wells[well]:
            for class_id, count in counts.get(image_id, {}).items():
                if class_id in scheme.ids and count:
                    total[class_id] = total.get(class_id, 0) + count
        if not total:
            return None, "", "no cell labelled"
        most = scheme.by_id(max(total, key=lambda class_id: total[class_id]))
        said = (f"{scheme.by_id(i).name} {total[i]:,}" for i in scheme.ids if i in total)
        return QColor(most.color), most.name, ", ".join(said)

    return paint


def _by_cells(wells: Mapping[Well, Sequence[int]], counts: Counts) -> Painter:
    cells = {well: sum(sum(counts.get(i, {}).values()) for i in images) for well, images in wells.items()}
    most = max(cells.values(), default=0)

    def paint(well: Well) -> Paint:
        count = cells[well]
        return (_shade(count, most + 1), f"{count:,}", f"{count:,} cells") if count else (None, "", "no cells yet")

    return paint


def _shade(place: int, of: int) -> QColor:
    share = place / (of - 1) if of > 1 else 0.0
    low, high = (_LEAST.red(), _LEAST.green(), _LEAST.blue()), (_MOST.red(), _MOST.green(), _MOST.blue())
    return QColor(*(round(a + (b - a) * share) for a, b in zip(low, high, strict=True)))


def legend(by: str, shown: Mapping[Well, WellLook]) -> str:
    """Return what each colour means, as rich text; empty where the wells say it all."""
    colors = {one.text: one.color for one in shown.values() if one.color is not None}
    if by == "cells" or not colors:
        return ""
    order = [text for group in same_doses(colors) for text in group] if by == "dose" else sorted(colors)
    more = f"&nbsp; and {len(order) - _IN_LEGEND} more" if len(order) > _IN_LEGEND else ""
    swatch = '<span style="background-color:{}">&nbsp;&nbsp;&nbsp;</span>&nbsp;{}'
    named = (swatch.format(colors[text].name(), escape(text).replace(" ", "&nbsp;")) for text in order[:_IN_LEGEND])
    return " &nbsp; ".join(named) + more


def plates_of(facts: Mapping[int, ImageFacts]) -> list[str]:
    """Return the plates that have wells, in order; an unnamed one is empty text."""
    return sorted({one.plate for one in facts.values() if one.well})


def summary(facts: Mapping[int, ImageFacts], images: int) -> str:
    """Return what is known of a project's images, in a line: ``"24 wells, 2 treatments, doses 0 to 1 µM"``."""
    wells = {(one.plate, one.well) for one in facts.values() if one.well}
    plates = {one.plate for one in facts.values() if one.plate}
    treatments = {one.treatment for one in facts.values() if one.treatment}
    counted = ((wells, "well"), (plates if len(plates) > 1 else (), "plate"), (treatments, "treatment"))
    parts = [_number(len(some), name) for some, name in counted if some]
    if doses := [group[0] for group in same_doses(one.dose for one in facts.values())]:
        parts.append(f"dose {doses[0]}" if len(doses) == 1 else f"doses {doses[0]} to {doses[-1]}")
    bare = images - sum(1 for one in facts.values() if one)
    rest = f"; nothing known of {_number(bare, 'image')}" if parts and bare else ""
    return ", ".join(parts) + rest


def _number(count: int, name: str) -> str:
    return f"{count:,} {name}{'s' if count != 1 else ''}"
