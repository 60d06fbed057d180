"""What is gathered while a plate map is read: facts by well, and a sentence for each thing amiss.

Here too is what the columns of such tables are called.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from napari_cellstage.core.image_facts import ImageFacts, dose_name, is_ambiguous

Place = tuple[str, str]
"""Plate and well; the plate is empty where the map names none."""

_SAME = {
    "well": "well wells wellid wellname wellposition position pos location coordinate destinationwell",
    "row": "row wellrow rowname",
    "column": "column col wellcolumn wellcol",
    "plate": "plate plateid platename platebarcode barcode platenumber",
    "treatment": "treatment treatments compound compoundname drug drugname condition substance chemical molecule "
    "perturbation perturbagen sample reagent genotype sirna gene inhibitor agent",
    "dose": "dose doses concentration conc concs amount level exposure finalconcentration finalconc",
    "unit": "unit units doseunit concentrationunit concunit",
    "replicate": "replicate replicates rep repl biologicalreplicate technicalreplicate repeat",
    "donor": "donor donors donorid patient patientid subject subjectid individual animal animalid mouse",
}
MEANING = {word: name for name, words in _SAME.items() for word in words.split()}
# A unit behind a title, in brackets or, when it is one for sure, without.
_UNIT = re.compile(r"[\s_,]*[(\[]\s*([^)\]]+?)\s*[)\]]\s*$|[\s_,]+([pnuµ\u03bcmk]?(?:M|mol/l|g/m?l|g/m?L|Gy)|%)$")
_BROKEN_CELL = re.compile(r"#(N/A|REF!|VALUE!|DIV/0!|NAME\?|NUM!|NULL!)", re.IGNORECASE)
_FORMULA = re.compile(r"[=@+](?=[A-Za-z($])|=")
LAID_DOWN = ("treatment", "dose", "replicate", "donor")


@dataclass(frozen=True)
class Column:
    """A column of a list: where, what it is called in the file, what it means, and its unit."""

    place: int
    title: str
    meaning: str
    unit: str


def column_of(place: int, title: str) -> Column:
    """Return what the title of a column means: ``"Conc. [nM]"`` is the dose, in nM."""
    found = _UNIT.search(title)
    unit = (found[1] or found[2]) if found else ""
    plain = title[: found.start()] if found else title
    return Column(place, title, MEANING.get(re.sub(r"[\W_]+", "", plain).lower(), ""), unit)


@dataclass
class Notes:
    """What has been read so far, and what was amiss."""

    file: str
    said: list[str] = field(default_factory=list)
    wells: dict[Place, tuple[ImageFacts, int]] = field(default_factory=dict)
    laid: set[str] = field(default_factory=set)

    def say(self, row: int, text: str) -> None:
        """Note a problem of a row, counted from 1 as a spreadsheet does."""
        self.said.append(f"'{self.file}', row {row}: {text}")

    def put(self, place: Place, facts: ImageFacts, row: int) -> None:
        """Take what a row says of a well; of two that disagree the first counts."""
        had, before = self.wells.get(place, (ImageFacts(), 0))
        for name in LAID_DOWN:
            old, new = getattr(had, name), getattr(facts, name)
            if old and new and old != new:
                text = f"well {place[1]} has {name} '{new}' here and '{old}' in row {before}; the first is used."
                self.say(row, f"{text} Delete one of the two rows.")
        self.wells[place] = (had.over(facts), before or row)

    def clean(self, row: int, column: str, cell: str) -> str:
        """Return a cell as it is to be used, having noted what is wrong with it."""
        if _BROKEN_CELL.match(cell):
            self.say(row, f"'{cell}' in '{column}' is an error of the spreadsheet and is left empty. Mend it there.")
            return ""
        if _FORMULA.match(cell):
            self.say(
                row,
                f"'{cell}' in '{column}' is a formula, not its result, and stays text. Save the table as CSV from the "
                "program that computes it.",
            )
        return cell

    def dose(self, row: int, column: str, cell: str, unit: str) -> str:
        """Return a dose with the unit of its column where it has none of its own."""
        if is_ambiguous(cell):
            self.say(row, f"'{cell}' in '{column}' may be a thousand or one and stays text. Write 1000 or 1.")
        name = dose_name(cell)
        return dose_name(f"{name} {unit}") if unit and re.fullmatch(r"[-+\d.e]+", name) else name

    def problems(self) -> tuple[str, ...]:
        """Return all that was amiss, with the wells that were left empty."""
        empty = (self._without(name) for name in LAID_DOWN if name in self.laid)
        return (*self.said, *(text for text in empty if text))

    def _without(self, name: str) -> str:
        bare = [well for (_plate, well), (facts, _row) in self.wells.items() if not getattr(facts, name)]
        return (
            f"'{self.file}': no {name} for {listed(bare, 'well')}. Fill the cells in if there was one." if bare else ""
        )


def listed(names: list[str], kind: str, most: int = 8) -> str:
    """Return ``"3 wells: A01, A02, A03"``; of many only the first are named."""
    unique = list(dict.fromkeys(names))
    more = f" and {len(unique) - most} more" if len(unique) > most else ""
    return f"{len(unique)} {kind}{'s' if len(unique) != 1 else ''}: {', '.join(unique[:most])}{more}"
