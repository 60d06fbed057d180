"""The sections of the Review step: each is built when it is first opened and refreshed while it is seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QTabWidget, QVBoxLayout, QWidget

from napari_cellstage.core.review.cell_refs import CellRefs
from napari_cellstage.ui.pieces import scrolled

MATRIX, LISTS, MAP, RUNS, PEOPLE = "Matrix", "Lists", "Map", "Runs", "People"
Maker = Callable[[], QWidget]


class _Shrinking(QVBoxLayout):
    """Uses the height there is, scrolling only below the least that its parts need.

    Lines of text that wrap would make a scrolled section as high as it likes to be.
    """

    def hasHeightForWidth(self) -> bool:  # noqa: N802 - Qt's name
        """Not told."""
        return False


class Sections(QTabWidget):
    """Tabs whose content is made when needed.

    Parameters
    ----------
    makers
        What makes each section, by its title. A section may have `refresh`, `mark` (cells chosen) and `close_link`.
    """

    def __init__(self, makers: Mapping[str, Maker], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._makers = dict(makers)
        self.made: dict[str, Any] = {}
        self._fresh: set[str] = set()
        self.setDocumentMode(True)
        self._places: dict[str, QVBoxLayout] = {}
        for title in makers:
            place = QWidget()
            self._places[title] = _Shrinking(place)
            self._places[title].setContentsMargins(0, 2, 0, 0)
            area = scrolled(place)  # a section that wants more room takes none from the gallery
            area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            self.addTab(area, title)
        self.currentChanged.connect(self.refresh)

    @property
    def title(self) -> str:
        """Title of the section that is seen."""
        return str(self.tabText(self.currentIndex()))

    def open(self, title: str) -> Any:
        """Show a section; return it."""
        self.setCurrentIndex(list(self._makers).index(title))
        return self.section(title)

    def section(self, title: str) -> Any:
        """Return a section, made if it was not."""
        if title not in self.made:
            made = self._makers[title]()
            self.made[title] = made
            self._places[title].addWidget(made)
            self._put_in_tab_order(made)
        return self.made[title]

    def _put_in_tab_order(self, made: QWidget) -> None:
        """Let Tab come to a section right after its title; Qt puts what is made late behind all that was there."""
        before: QWidget = self.tabBar()
        for one in (made, *made.findChildren(QWidget)):
            if one.focusPolicy() & Qt.FocusPolicy.TabFocus and one.window() is self.window():
                QWidget.setTabOrder(before, one)
                before = one

    def allow(self, titles: tuple[str, ...]) -> None:
        """Let only some sections be opened; all of them where none is named."""
        if titles and self.title not in titles:
            self.setTabEnabled(list(self._makers).index(titles[0]), True)
            self.open(titles[0])  # first, as Qt would walk through the others
        for place, title in enumerate(self._makers):
            self.setTabEnabled(place, not titles or title in titles)

    def outdate(self) -> None:
        """Note that every section has to be refreshed before it is seen again."""
        self._fresh.clear()

    def refresh(self, *_what: object) -> None:
        """Bring the section that is seen up to date."""
        title = self.title
        section = self.section(title)
        if title not in self._fresh and hasattr(section, "refresh"):
            section.refresh()
        self._fresh.add(title)

    def mark(self, chosen: CellRefs) -> None:
        """Show which cells are chosen, in the section that is seen."""
        section = self.made.get(self.title)
        if section is not None and hasattr(section, "mark"):
            section.mark(chosen)

    def close_link(self) -> None:
        """Let every section go."""
        for section in self.made.values():
            if hasattr(section, "close_link"):
                section.close_link()
