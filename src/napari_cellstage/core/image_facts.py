"""What is known of an image besides its pixels: plate, well, field, treatment, dose, replicate and donor.

Wells and doses come from many hands and machines, written in as many ways. They are brought into one form here, so
that "a-1" and "A01" are one well and "0,10 uM" and "0.1 µM" one dose.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields, replace

DoseKey = tuple[bool, str, float, str]
MAX_ROWS, MAX_COLUMNS = 32, 48  # a plate of 1,536 wells: the largest there is

_WELL = re.compile(r"([A-Za-z]{1,2})[-_ .]?0*([1-9]\d?)$")
_ROW_COLUMN = re.compile(r"[rR](?:ow)?[-_ ]?0*([1-9]\d?)[-_ ]?[cC](?:ol(?:umn)?)?[-_ ]?0*([1-9]\d?)$")
# File names can't always hold a point: "0p1uM" is 0.1 µM there, and "10pM" is not.
_DOSE = re.compile(r"([+-]?(?:\d+(?:[.,]\d*|p\d+)?|[.,]\d+)(?:[eE][+-]?\d+)?)[\s_]*([^\d\s].*)?$")
_THOUSANDS = re.compile(r"[1-9]\d{0,2}(,\d{3})+(?!\d)")
_PREFIX = {"": 1.0, "p": 1e-12, "n": 1e-9, "µ": 1e-6, "m": 1e-3, "k": 1e3}
# What a unit is counted in. Longer ones first, so that "mg/ml" isn't taken for grams.
_BASES = ("g/ml", "g/l", "g/kg", "mol/l", "M", "mol", "Gy", "Sv", "J/m2", "U/ml", "g", "l", "h", "s", "V", "x")


@dataclass(frozen=True)
class ImageFacts:
    """Where an image is from and what was done to its cells; empty text means "not known".

    Parameters
    ----------
    plate
        Name or barcode.
    well
        As `well_name` writes it: ``"B03"``.
    field
        Place within the well.
    treatment
        Drug, condition, genotype.
    dose
        As `dose_name` writes it: ``"0.1 µM"``.
    replicate
        Which repeat of the experiment.
    donor
        Patient, animal or culture that the cells are from.
    """

    plate: str = ""
    well: str = ""
    field: str = ""
    treatment: str = ""
    dose: str = ""
    replicate: str = ""
    donor: str = ""

    def __bool__(self) -> bool:
        """Tell whether anything is known."""
        return any(asdict(self).values())

    def over(self, other: ImageFacts) -> ImageFacts:
        """Return these facts, and the other's where nothing is known here."""
        return replace(other, **{name: value for name, value in asdict(self).items() if value})

    @property
    def text(self) -> str:
        """What is known, in a line: ``"plate 1 · B03 · nocodazole 0.1 µM"``; empty when nothing is."""
        done = f"{self.treatment} {self.dose}".strip()
        site = f"field {self.field}" if self.field else ""
        repeat = f"replicate {self.replicate}" if self.replicate else ""
        person = f"donor {self.donor}" if self.donor else ""
        return " · ".join(part for part in (self.plate, self.well, site, done, repeat, person) if part)


FACTS = tuple(one.name for one in fields(ImageFacts))
"""Names of the facts, in the order they are shown."""


@dataclass(frozen=True, order=True)
class Amount:
    """A dose as a number; sorts by kind and then by size.

    Parameters
    ----------
    kind
        What the unit measures, such as ``"M"``; empty without one.
    value
        In that unit without prefix: 0.1 µM is 1e-7.
    """

    kind: str
    value: float


def well_name(text: str) -> str:
    """Return a well as letter and two digits, ``"B03"``, from ``b3``, ``B-03``, ``r02c03``; empty when it is none."""
    text = text.strip()
    if found := _ROW_COLUMN.match(text):
        return well_at(int(found[1]), int(found[2]))
    found = _WELL.match(text)
    return well_at(row_number(found[1]), int(found[2])) if found else ""


def well_at(row: int, column: int) -> str:
    """Return the name of the well in a row and column, both from 1; empty when no plate has it."""
    if not (1 <= row <= MAX_ROWS and 1 <= column <= MAX_COLUMNS):
        return ""
    return f"{row_name(row)}{column:02d}"


def row_name(row: int) -> str:
    """Return the letter of a row, from 1; ``"AA"`` after ``"Z"``."""
    return chr(64 + row) if row <= 26 else f"A{chr(64 + row - 26)}"


def row_number(text: str) -> int:
    """Return the number of a row, from 1, written as letter or number; 0 when it is neither."""
    text = text.strip().upper()
    if text.isdecimal():
        return int(text)
    names = {row_name(row): row for row in range(1, MAX_ROWS + 1)}
    return names.get(text, 0)


def well_place(well: str) -> tuple[int, int] | None:
    """Return row and column of a well's name, both from 1; None when it is none."""
    name = well_name(well)
    found = _WELL.match(name)
    return (row_number(found[1]), int(found[2])) if found else None


def dose_name(text: str) -> str:
    """Return a dose in one way of writing: ``"0.1 µM"`` for ``0,10 uM``; text that is no number stays as it is."""
    text = " ".join(text.split())
    found = None if _THOUSANDS.match(text) else _DOSE.match(text)
    if not found:
        return text
    unit = _unit(found[2] or "")
    return f"{_number(found[1]):.12g}{'' if unit == '%' else ' '}{unit}".strip()


def is_ambiguous(text: str) -> bool:
    """Tell whether a number may be meant in two ways: ``1,000`` is a thousand to some and one to others."""
    return bool(_THOUSANDS.match(text.strip()))


def amount_of(dose: str) -> Amount | None:
    """Return a dose as a number; None when it is none. Doses without any are alike in every unit."""
    text = dose_name(dose)
    found = None if _THOUSANDS.match(text) else _DOSE.match(text)
    if not found:
        return None
    value, unit = _number(found[1]), (found[2] or "").strip()
    factor, kind = _counted_in(unit)
    return Amount(kind, value * factor) if value else Amount("", 0.0)


def same_doses(doses: Iterable[str]) -> tuple[tuple[str, ...], ...]:
    """Sort doses from none to most, those that are the same amount together; text that is no number comes last.

    Returns
    -------
    tuple
        Groups of doses as they were written: ``(("0",), ("100 nM", "0.1 µM"), ("1 µM",))``.
    """
    groups: dict[DoseKey, list[str]] = {}
    for dose in dict.fromkeys(d for d in doses if d):
        groups.setdefault(dose_key(dose), []).append(dose)
    return tuple(tuple(groups[key]) for key in sorted(groups))


def dose_key(dose: str) -> DoseKey:
    """Return what sorts doses, and is the same for the same amount: 100 nM and 0.1 µM."""
    amount = amount_of(dose)
    # Rounded, as 100e-9 and 0.1e-6 differ in the last digit.
    return (False, amount.kind, float(f"{amount.value:.9g}"), "") if amount else (True, "", 0.0, dose)


def _number(text: str) -> float:
    return float(text.replace(",", ".").replace("p", "."))


def _unit(text: str) -> str:
    """Write a unit the usual way: µ for u and the Greek letter, litres small."""
    text = text.strip().strip("()[]").replace("\u03bc", "µ")
    text = re.sub(r"^u(?=[MgmlLs])", "µ", text)
    text = re.sub(r"(?<=/)(m?)L\b", r"\1l", text)
    # Nobody doses in micrometres; "nm" may be a wavelength and stays.
    return {"um": "µM", "µm": "µM", "mol/L": "mol/l", "molar": "M"}.get(text, text)


def _counted_in(unit: str) -> tuple[float, str]:
    """Return what a unit is to be multiplied with, and the unit without prefix; an unknown one stays itself."""
    for base in _BASES:
        prefix = unit.removesuffix(base)
        if prefix != unit and prefix in _PREFIX:
            factor, kind = _PREFIX[prefix], {"mol/l": "M"}.get(base, base)
            return (factor / 1e-3, "g/l") if kind == "g/ml" else (factor, kind)
    return 1.0, unit
