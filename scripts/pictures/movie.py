"""time.md: cells of a movie followed over time. The real movie where it is, else the synthetic one."""

from __future__ import annotations

from napari_cellstage.core.images import open_image
from napari_cellstage.core.segment import SegmentSettings
from napari_cellstage.sample_movie import cell_cycle_movie

from .fields import find_all
from .places import MOVIE
from .window import Shot, window


def make() -> None:
    """Make the picture."""
    with window("movie") as shot:
        shot.session.add_image(open_image(MOVIE) if MOVIE.is_file() else cell_cycle_movie().stack)
        find_all(shot.session, SegmentSettings())
        shot.dock.go_to("Cells")
        shot.settle()
        shot.dock.time.follow.click()
        shot.wait(lambda: not shot.dock.runner.busy and shot.session.tracks() is not None)
        _look(shot)
        shot.save("tracks.png")


def _look(shot: Shot) -> None:
    frames = shot.session.current.shape[0] if shot.session.current else 1
    shot.viewer.reset_view()
    shot.viewer.scene.camera.zoom *= 1.05
    shot.viewer.dims.set_current_step(0, frames * 2 // 3)
    shot.scroll_to(shot.dock.time)
