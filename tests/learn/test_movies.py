"""A score on a movie is honest: no cell is trained on in one frame and tested in another."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from napari_cellstage.learn.data import TrainingSet
from napari_cellstage.learn.recipe import Recipe
from napari_cellstage.sample_movie import cell_cycle_movie
from napari_cellstage.session import Session


def test_families_are_held_out_whole(tmp_path: Path) -> None:
    movie = cell_cycle_movie(seed=0, size=256, cells=10, frames=8)
    session = Session(tmp_path)
    session.use_template("cell cycle")
    session.add_image(movie.stack)
    session.set_labels(movie.labels)
    session.set_tracks(movie.tracks)
    for place, name in enumerate(("interphase", "prophase")):
        session.label_cells(np.flatnonzero(movie.classes_of == name), session.scheme.ids[place])
    data = TrainingSet.from_snapshot(session.snapshot(), recipe := Recipe.load("quick"))
    held_out = data.held_out(recipe)
    family = movie.tracks.family[np.flatnonzero(session.class_ids())]
    session.close()
    assert held_out.any()
    assert not set(family[held_out]) & set(family[~held_out])
