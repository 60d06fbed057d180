"""Where in a crop a model finds what speaks for a class: maps for crops, and for cells of a project.

A network of convolutions is asked by Grad-CAM; any other model by covering one part of the cell after the other. Of an
ensemble its first network is asked about what all members say. Loads no torch until a map is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.errors import ModelError
from napari_cellstage.core.review.cell_refs import CellRefs
from napari_cellstage.core.seeing import check_stains
from napari_cellstage.core.snapshot import Images, ImageSnapshot, WorkSnapshot
from napari_cellstage.core.steps import relayed
from napari_cellstage.core.windows import Windows
from napari_cellstage.learn.cutting import Cutter, plates_of
from napari_cellstage.learn.events import BatchDone, counted_from
from napari_cellstage.learn.fit import never

if TYPE_CHECKING:
    from napari_cellstage.learn.model import TrainedModel

OWN_CHOICE = -1  # the class that the model itself thinks of first
Maps = NDArray[np.float32]
Work = Generator[BatchDone, None, Maps]


@dataclass(frozen=True, eq=False)
class Attention:
    """Maps of some cells.

    Parameters
    ----------
    cells
        ``N`` of them.
    maps
        ``(N, H, W)`` float32 in [0, 1]; 1 where most speaks for the class, all 0 where nothing does.
    class_ids
        ``(N,)``; the class that is spoken for, 0: the one that the model thinks of first.
    windows
        ``(N, 4)``; which part of the image each map lies on: top, left, height and width in pixels.
    z
        ``(N,)``; centroid.
    """

    cells: CellRefs = field(default_factory=CellRefs)
    maps: Maps = field(default_factory=lambda: np.zeros((0, 1, 1), dtype=np.float32))
    class_ids: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    windows: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 4)))
    z: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))

    def __len__(self) -> int:
        return len(self.cells)

    def take(self, rows: NDArray[Any]) -> Attention:
        """Return some of them, by place or mask."""
        parts = (self.maps, self.class_ids, self.windows, self.z)
        return Attention(self.cells.take(rows), *(part[rows] for part in parts))


def attention(
    model: TrainedModel,
    crops: NDArray[np.generic],
    masks: NDArray[np.bool_] | None = None,
    places: NDArray[np.integer[Any]] | None = None,
    should_stop: Callable[[], bool] = never,
    *,
    scaled: bool = False,
) -> Work:
    """Find what speaks for a class in crops.

    Parameters
    ----------
    model
        Of any kind.
    crops
        ``(N, C, H, W)``, as for `learn.predict.predict`.
    masks
        ``(N, H, W)`` bool, or None; used by the quick kind.
    places
        ``(N,)``; which of the model's classes, or `OWN_CHOICE`; that for all when None.
    should_stop
        Asked every batch.
    scaled
        The crops are as `cut` gives them.

    Returns
    -------
    ndarray
        ``(N, crop_size, crop_size)`` float32 in [0, 1]; 0 in rows not reached before a stop.

    Raises
    ------
    ModelError
        If the crops don't fit the model, or there is no such class.
    """
    model.check_crops(crops.shape[1])
    if model.normalisation.by_image and not scaled:
        raise ModelError(
            f"The model was trained on cells scaled by their {model.normalisation.mode}, but these are crops without "
            "one. Ask for cells of an image."
        )
    places = np.full(len(crops), OWN_CHOICE) if places is None else np.asarray(places)
    _check_places(model, places)
    from napari_cellstage.learn.predict import resized  # not before: it loads much that only training needs

    crops = resized(crops, model.crop_size)
    masks = None if masks is None else resized(masks, model.crop_size)
    if not len(crops):
        return np.zeros((0, model.crop_size, model.crop_size), dtype=np.float32)
    network = model.network
    if network is not None and not network.recipe.network.startswith("swin"):
        from napari_cellstage.learn.grad_cam import grad_cam

        if model.members:
            places = yield from _own_choice(model, crops, masks, places, should_stop)
        return _in_range((yield from grad_cam(network, crops, places, should_stop)))
    from napari_cellstage.learn.occlusion import occlusion

    return _in_range((yield from occlusion(model, crops, masks, places, should_stop)))


def attend(
    model: TrainedModel,
    snapshot: WorkSnapshot,
    cells: CellRefs,
    class_ids: NDArray[np.integer[Any]] | None = None,
    should_stop: Callable[[], bool] = never,
) -> Generator[BatchDone, None, Attention]:
    """Find what speaks for a class in cells of a project; those that are gone are left out.

    Parameters
    ----------
    model
        Of any kind.
    snapshot
        The project.
    cells
        Which cells.
    class_ids
        ``(N,)``; the class of each, 0 or one that the model does not know: what the model thinks of first.
    should_stop
        Asked every batch.
    """
    model.check_channels(len(snapshot.channels))
    wanted = np.zeros(len(cells), dtype=np.int64) if class_ids is None else np.asarray(class_ids, dtype=np.int64)
    plates = plates_of(snapshot.images, model.recipe)
    made: list[Attention] = []
    done = 0
    for image_id, places in cells.by_image().items():
        image = _image(snapshot, image_id)
        if image is None or should_stop():
            continue
        check_stains(model.card["channel_names"], image.stack, snapshot.channels)
        places, rows = _there(image, cells, places)
        cutter = Cutter(image, snapshot.channels, model.cutting, plates.get(image.plate, ()))
        crops, masks = cutter.cut(rows)
        work = attention(model, crops, masks, _columns(model, wanted[places]), should_stop, scaled=True)
        maps = yield from relayed(work, counted_from(done, len(cells)))
        done += len(rows)
        where = placed(cutter.windows(rows))
        made.append(Attention(cells.take(places), maps, wanted[places], where, image.cells.z[rows]))
    return _joined(made)


def placed(windows: Windows) -> NDArray[np.float64]:
    """Return top, left, height and width of windows in pixels of the image, ``(N, 4)``, from edge to edge."""
    # A crop's pixel size // 2 lies on the image pixel of the centre.
    half = windows.size // 2 + 0.5
    corner = np.stack([windows.y, windows.x], axis=1) - half * windows.steps
    return np.concatenate([corner, windows.size * windows.steps], axis=1)


def _check_places(model: TrainedModel, places: NDArray[np.integer[Any]]) -> None:
    count = len(model.classes)
    wrong = places[(places < OWN_CHOICE) | (places >= count)]
    if len(wrong):
        raise ModelError(f"The model has classes 0 to {count - 1}, but {wrong[0]} was asked for. Choose one of them.")


def _own_choice(
    model: TrainedModel,
    crops: NDArray[np.generic],
    masks: NDArray[np.bool_] | None,
    places: NDArray[np.integer[Any]],
    should_stop: Callable[[], bool],
) -> Generator[BatchDone, None, NDArray[np.integer[Any]]]:
    """Return places with the class that an ensemble thinks of first, which its network alone may not."""
    from napari_cellstage.learn.predict import predict

    open_ = np.flatnonzero(places == OWN_CHOICE)
    if not len(open_):
        return places
    said = yield from predict(model, crops[open_], None if masks is None else masks[open_], should_stop, scaled=True)
    chosen = places.copy()
    chosen[open_] = np.where(np.isnan(said[:, 0]), OWN_CHOICE, np.nan_to_num(said).argmax(axis=1))
    return chosen


def _columns(model: TrainedModel, class_ids: NDArray[np.int64]) -> NDArray[np.int64]:
    columns = {class_id: place for place, class_id in enumerate(model.classes.ids)}
    return np.array([columns.get(one, OWN_CHOICE) for one in class_ids.tolist()], dtype=np.int64)


def _there(
    image: ImageSnapshot, cells: CellRefs, places: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return which of the cells are still in the image, and their rows."""
    names = zip(cells.t[places].tolist(), cells.cell_id[places].tolist(), strict=True)
    rows = np.array([-1 if (row := image.cells.row(*name)) is None else row for name in names], dtype=np.int64)
    return places[rows >= 0], rows[rows >= 0]


def _image(snapshot: WorkSnapshot, image_id: int) -> ImageSnapshot | None:
    images = snapshot.images
    if isinstance(images, Images):
        return images.readers[image_id]() if image_id in images.readers else None
    return next((one for one in images if one.image_id == image_id), None)


def _in_range(maps: Maps) -> Maps:
    """Return maps without what speaks against the class, each up to 1."""
    maps = np.maximum(np.nan_to_num(maps), 0)
    most = maps.max(axis=(1, 2), keepdims=True, initial=0)
    return np.asarray(np.divide(maps, most, out=np.zeros_like(maps), where=most > 0), dtype=np.float32)


def _joined(parts: list[Attention]) -> Attention:
    parts = [one for one in parts if len(one)]
    if not parts:
        return Attention()
    names = ("maps", "class_ids", "windows", "z")
    return Attention(
        CellRefs.joined(one.cells for one in parts),
        *(np.concatenate([getattr(one, name) for one in parts]) for name in names),
    )
