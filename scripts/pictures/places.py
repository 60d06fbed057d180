"""Where pictures go and where real images are."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PICTURES = ROOT / "docs" / "images"
DATA = ROOT.parent / "shared" / "data"
FIELD = DATA / "fields" / "tubulin_h2b_field.tif"
STAGES_TABLE = ROOT / "tests" / "tables" / "tubulin_h2b_stages.csv"
MOVIE = DATA / "fields" / "mitocheck_movie.ome.tif"
CLASS_FOLDERS = DATA / "jurkat"
