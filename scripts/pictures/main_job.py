"""README, finding.md and crops.md: finding, labelling, what the model sees, and the overlay after training."""

from __future__ import annotations

from napari_cellstage.demo import label_some

from .fields import most_labelled, open_field
from .window import Shot, window

LABELLED = 12  # of each class, so that there are others to be predicted
SIDE, SEEN = 620, 580  # pixels of the field: with most labels, and from top to bottom


def make() -> None:
    """Make the pictures."""
    with window("field") as shot:
        stages = open_field(shot.session)
        label_some(shot.session, stages, per_class=LABELLED)
        shot.look_at(*most_labelled(shot.session, SIDE), SEEN)
        _finding(shot)
        shot.dock.go_to("Label")
        shot.save("label.png", whole=True)
        _crops(shot)
        shot.train_quickly()
        shot.save("overlay.png", whole=True)


def _finding(shot: Shot) -> None:
    """Show the preview of whole cells around nuclei, where there is a channel that shows them."""
    session, box = shot.session, shot.dock.cells.find_box
    before = session.segment_settings
    shot.dock.go_to("Cells")
    shot.dock.overlay.labelled.setChecked(False)
    if len(session.channel_names) > 1:
        box.method.setCurrentIndex(box.method.findData("cells"))
        box.method.activated.emit(box.method.currentIndex())
        _show_first_channel(shot, shown=True)
    box.preview.setChecked(True)
    shot.wait(lambda: shot.dock.preview.layer is not None and box.seen.text())
    shot.save("find.png")
    box.preview.setChecked(False)
    session.segment_settings = before
    _show_first_channel(shot, shown=False)
    shot.dock.overlay.labelled.setChecked(True)


def _show_first_channel(shot: Shot, *, shown: bool) -> None:
    name, *others = shot.session.channel_names
    for layer in shot.viewer.layers:
        if others and layer.name == name:
            layer.visible, layer.opacity = shown, 0.7


def _crops(shot: Shot) -> None:
    shot.dock.go_to("Train")
    shot.dock.train.show_crops()
    shot.wait(lambda: shot.dock.train.crops is not None and shot.dock.train.crops.strips)
    shot.save_dialog(shot.dock.train.crops, "crops.png")
    shot.dock.train.crops.close()
