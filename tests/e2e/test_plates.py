"""Two doses on a plate, by mouse and keys in a real window: wells from names, doses from a map, a class for each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import tifffile
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from napari_cellstage.core.finding.settings import SegmentSettings
from napari_cellstage.core.segment import find_cells
from napari_cellstage.ui.pieces import Folded

if TYPE_CHECKING:
    from window import Bench

pytestmark = [
    pytest.mark.gui,
    pytest.mark.data,
    pytest.mark.filterwarnings("ignore:.*PyQt5.*"),
    pytest.mark.timeout(300),
]
DOSES = {"B02": "0", "B03": "0", "C02": "0,1", "C03": "0,1"}


@pytest.fixture
def plate(tmp_path: Path, data_dir: Path) -> list[Path]:
    """Real nuclei without and with a drug: the halves of two fields, as two wells each."""
    files = []
    for row, name in (("B", "plk1_control"), ("C", "plk1_inhibition")):
        pixels = tifffile.imread(data_dir / "fields" / f"{name}.tif")
        for column, half in ((2, pixels[:, :340]), (3, pixels[:, -340:])):
            files.append(tmp_path / "plk1" / f"screen_{row}{column:02d}_f1.tif")
            files[-1].parent.mkdir(exist_ok=True)
            tifffile.imwrite(files[-1], half)
    return files


@pytest.fixture
def plate_map(tmp_path: Path) -> Path:
    """As a German Excel saves it."""
    lines = ["Well;Substanz;Compound;Conc. (µM)", *(f"{well};;BI 2536;{dose}" for well, dose in DOSES.items())]
    path = tmp_path / "map.csv"
    path.write_bytes("\r\n".join(lines).encode("cp1252"))
    return path


def test_wells_doses_and_a_class_for_each_dose(
    open_window: Callable[[], Bench], plate: list[Path], plate_map: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = open_window()
    bench.open_files(*plate)
    bench.qtbot.waitUntil(lambda: len(bench.session.images) == 4, timeout=30_000)
    read_wells_and_doses(bench, plate_map, monkeypatch)
    for entry in bench.session.images:
        bench.session.set_labels(find_cells(entry.stack.data[0, 0, 0].compute(), SegmentSettings()), entry.image_id)
    give_a_class_for_each_dose(bench)
    see_it_on_the_plate(bench)
    take_it_back_and_find_it_again(bench)


def read_wells_and_doses(bench: Bench, plate_map: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.step("Data")
    bench.click(bench.dock.plates.open)
    window = bench.dock.plates.dialog
    bench.qtbot.waitExposed(window)
    bench.click(window.apply)
    monkeypatch.setattr(
        "napari_cellstage.ui.plate_map_part.QFileDialog.getOpenFileName", lambda *_what: (str(plate_map), "")
    )
    bar = window.tabs.tabBar()
    QTest.mouseClick(bar, Qt.MouseButton.LeftButton, pos=bar.tabRect(1).center())
    bench.click(window.map.choose)
    bench.click(window.apply)
    bench.click(window.done)
    facts = bench.session.facts_all().values()
    assert [one.text for one in facts] == [
        f"screen · {well} · field 1 · BI 2536 {dose.replace(',', '.')} µM" for well, dose in DOSES.items()
    ]


def give_a_class_for_each_dose(bench: Bench) -> None:
    bench.step("Label")
    box = bench.dock.give_all
    folded = next(one for one in bench.dock.label.findChildren(Folded) if one.content is box)
    bench.click(folded.head)
    bench.qtbot.waitUntil(lambda: box.isVisible(), timeout=20_000)
    cells = sum(len(bench.session.cells(entry.image_id)) for entry in bench.session.images)
    assert box.said_by.text() == f"0 µM, 0.1 µM: {cells} cells in 4 images."
    bench.click(box.give_by)
    assert sum(bench.session.counts().values()) == cells > 40
    assert bench.session.scheme.kind == "ordered"


def see_it_on_the_plate(bench: Bench) -> None:
    assert bench.hover(len(bench.session.cells()) // 2).endswith("labelled 0 µM, given to well B02")
    bench.click(bench.dock.plates.open) if bench.dock.plates.isVisible() else bench.dock.plates.open_dialog()
    window = bench.dock.plates.dialog
    window.plate.by.setCurrentText("class")
    grid = window.plate.grid
    assert window.tabs.currentIndex() == 2
    QTest.mouseClick(grid, Qt.MouseButton.LeftButton, pos=grid.place_of((3, 2)).center())
    table = window.plate.table
    place = table.visualRect(window.plate.model.index(0, 0)).center()
    QTest.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    QTest.mouseDClick(table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert bench.session.current.name == "screen_C02_f1.tif"
    bench.click(window.done)


def take_it_back_and_find_it_again(bench: Bench) -> None:
    bench.key(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert not any(bench.session.counts().values())
    bench.key(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    counts, folder = bench.session.counts(), bench.session.project.folder
    groups = {one.image_id: set(one.groups) for one in bench.session.snapshot().images}
    assert groups[1] == {"well screen B02"}
    bench.close_dock()
    bench.open_dock()
    bench.open_files(folder)
    bench.qtbot.waitUntil(lambda: len(bench.session.images) == 4, timeout=30_000)
    assert bench.session.counts() == counts
    assert set(bench.session.origins(4)) == {"well"}
    assert bench.session.facts(4).dose == "0.1 µM"
