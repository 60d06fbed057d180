"""What persons said of cells goes with the cells when those are found again, as the shared labels do."""

from __future__ import annotations

import numpy as np

from napari_cellstage.core.annotations import AnnotatedImage
from napari_cellstage.core.carry_over import CarryOver, Name, carry_labels
from napari_cellstage.core.edits import LabelChange
from napari_cellstage.core.people.opinions import Opinions
from napari_cellstage.core.volumes import LabelVolume


def carry_opinions(
    image: AnnotatedImage, image_id: int, after: LabelVolume, labels: CarryOver, said: Opinions
) -> tuple[LabelChange, ...]:
    """Return for each person the change that gives what was said of the old cells to the new ones.

    Parameters
    ----------
    image, image_id
        The cells as they are.
    after
        ``(T, Z, Y, X)``, the new segmentation.
    labels
        Where the shared labels went; cells that have none are looked for here.
    said
        What was said of the old cells.
    """
    heirs = {**{name: name for name in labels.kept}, **dict(labels.moved)}
    known = heirs.keys() | set(labels.lost)
    wanted = zip(said.cells.t.tolist(), said.cells.cell_id.tolist(), strict=True)
    heirs |= _heirs(image, after, set(wanted) - known)
    persons = (said.of(name) for name in said.names)
    return tuple(_carried(image_id, one, heirs) for one in persons if len(one))


def _heirs(image: AnnotatedImage, after: LabelVolume, names: set[Name]) -> dict[Name, Name]:
    """Return the new cell of each old one that has any."""
    if not names:
        return {}
    marked = AnnotatedImage(lambda: image.labels, image.cells, dict.fromkeys(names, 1), image.version, image.base)
    marked.class_ids[:] = np.where(marked.class_ids, np.arange(1, len(image.cells) + 1), 0)  # none like another
    _, result = carry_labels(marked, after)
    return {**{name: name for name in result.kept}, **dict(result.moved)}


def _carried(image_id: int, said: Opinions, heirs: dict[Name, Name]) -> LabelChange:
    """Return the change of one person's labels; all are in it, as their names mean other cells from now on."""
    before = said.marks(image_id).names()
    after = {heirs[name]: class_id for name, class_id in before.items() if name in heirs}
    named = sorted(before.keys() | after.keys())
    t, cell_id = np.array(named, dtype=np.int64).reshape(-1, 2).T
    old, new = (np.array([side.get(name, 0) for name in named], dtype=np.int64) for side in (before, after))
    return LabelChange(image_id, t, cell_id, old, new, who=said.names[int(said.who[0])])
