"""The pages for people: every link and picture is there, and every command is described."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.main import get_command

from napari_cellstage.cli import app
from napari_cellstage.ui.keys_help import KEYS

ROOT = Path(__file__).resolve().parents[1]
PAGES = (*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md")))
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
LARGEST = 250_000  # bytes of a picture: pages are read on slow lines too


def links(page: Path) -> list[str]:
    return [one for one in LINK.findall(page.read_text(encoding="utf-8")) if "://" not in one]


def anchors(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for link in links(page):
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        assert target.exists(), f"{page.name} links to {link}, which isn't there"
        assert not anchor or anchor in anchors(target), f"{page.name} links to {link}: no such title in {name}"


def test_the_readme_leads_to_every_page() -> None:
    told = {link.partition("#")[0] for link in links(ROOT / "README.md")}
    assert {f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md")} <= told


def test_pictures_are_small_and_used() -> None:
    used = {(page.parent / link).resolve() for page in PAGES for link in links(page)}
    for picture in (ROOT / "docs" / "images").iterdir():
        assert picture.resolve() in used, f"{picture.name} is on no page"
        assert picture.stat().st_size < LARGEST, f"{picture.name} is too large for a page"


def test_every_command_and_option_is_described() -> None:
    page = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")
    for name, command in get_command(app).commands.items():
        _, found, after = page.partition(f"## `napari-cellstage {name}`")
        assert found, f"make docs: {name} is not in docs/command-line.md"
        section = after.partition("\n## ")[0]
        for option in (text for one in command.params for text in one.opts if text.startswith("--")):
            assert f"`{option}" in section, f"make docs: {name} {option} is not in docs/command-line.md"


def test_the_readme_tells_every_key() -> None:
    table = (ROOT / "README.md").read_text(encoding="utf-8").partition("### Keys")[2].partition("\n## ")[0]
    told = re.findall(r"^\| (.+?) \|", table, re.MULTILINE)
    told = [key.strip() for cell in told for key in cell.replace(" and ", "-").split(",")]
    for key in (one.strip() for keys, _ in KEYS for one in keys.split(",")):
        written = {"PgDn": "Page Down", "PgUp": "Page Up", "Ctrl-click": "Ctrl-click"}.get(key, key)
        assert written in told, f"the README's table of keys lacks {key}"


def test_what_the_page_about_scores_names_is_on_the_screen() -> None:
    page = (ROOT / "docs" / "how-good.md").read_text(encoding="utf-8")
    parts = (ROOT / "src" / "napari_cellstage" / floor for floor in ("ui", "reporting", "core/review"))
    files = (file for part in parts for file in part.rglob("*") if file.suffix in (".py", ".jinja"))
    screen = "".join(file.read_text(encoding="utf-8") for file in files).lower()
    plain = re.sub(r"```.*?```|\*\*.*?\*\*", "", page, flags=re.DOTALL)
    named = {" ".join(one.split()) for one in re.findall(r"\*([^*]+)\*", plain)}
    named = {one.strip("… ") for one in named if not one.endswith(".")}  # captions of pictures end so
    assert "Take the majority" in named
    assert [one for one in sorted(named) if one.lower() not in screen] == []
