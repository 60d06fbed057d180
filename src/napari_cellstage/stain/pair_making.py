"""Images of transmitted light with images of their stains, made into pairs; what can't be used is said and left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from napari_cellstage.core.errors import ImageError
from napari_cellstage.core.image_stack import ImageStack
from napari_cellstage.core.predicted import is_predicted
from napari_cellstage.stain.channel_axes import with_channels
from napari_cellstage.stain.channels import Wanted, channels_named
from napari_cellstage.stain.joining import size_text, source_of
from napari_cellstage.stain.pair import OUTPUTS, Output, StainPair, StainSet

OutputOrAuto = Output | Literal["auto"]
_NAMED = 4  # of those left out


@dataclass(frozen=True, eq=False)
class Couple:
    """An image with its stains; both are the same where it holds all channels.

    Parameters
    ----------
    name, group
        As in `StainPair`.
    inputs, targets
        The images.
    """

    name: str
    group: str
    inputs: ImageStack
    targets: ImageStack


@dataclass(frozen=True)
class LeftOut:
    """What can't be used, and why: a sentence, or the part of one that follows the name."""

    name: str
    why: str


@dataclass(frozen=True)
class Ask:
    """What is learned from what.

    Parameters
    ----------
    inputs, targets
        Channels, see `channels_named`.
    output, plane
        As in `StainPair`, but ``"auto"``: a stack where the stain is as deep as the input, else the plane it has.
    """

    inputs: Wanted
    targets: Wanted
    output: OutputOrAuto = "auto"
    plane: int | None = None

    def __post_init__(self) -> None:
        if self.output not in (*OUTPUTS, "auto"):
            raise ImageError(f"The output '{self.output}' is unknown. Choose one of auto, {', '.join(OUTPUTS)}.")
        if self.plane is not None and self.output not in ("auto", "plane"):
            raise ImageError(f"Plane {self.plane} was chosen, but the output is a {self.output}. Choose one of both.")


def paired(couples: Iterable[Couple | LeftOut], ask: Ask) -> StainSet:
    """Make pairs, one a time point; note what is left out.

    Raises
    ------
    ImageError
        If nothing is left; the text says why.
    """
    made: list[list[StainPair]] = []
    left: list[LeftOut] = []
    for one in couples:
        if isinstance(one, LeftOut):
            left.append(one)
            continue
        try:
            made.append(_pairs_of(_understood(one, ask), ask))
        except ImageError as error:
            left.append(LeftOut(one.name, str(error)))
    made = _alike(made, left)
    if not made:
        raise _nothing(left)
    pairs = tuple(pair for of_one in made for pair in of_one)
    first = pairs[0]
    return StainSet(
        pairs,
        tuple(first.inputs.channel_names[channel] for channel in first.input_channels),
        tuple(first.targets.channel_names[channel] for channel in first.target_channels),
        _size([of_one[0].inputs for of_one in made]),
        (
            *_planes_noted(first, ask),
            *_said_by_images([pair for of_one in made for pair in of_one[:1]]),
            *left_out_note(left, len(left) + len(made)),
        ),
    )


def left_out_note(left: Sequence[LeftOut], total: int) -> tuple[str, ...]:
    """Return a sentence on what is left out, with the names of the first and why; none where nothing is."""
    if not left:
        return ()
    some = "; ".join(f"{one.name} ({_first_sentence(one.why)})" for one in left[:_NAMED])
    more = f"; and {len(left) - _NAMED} more" if len(left) > _NAMED else ""
    return (f"{len(left)} of {total} left out: {some}{more}.",)


def _first_sentence(text: str) -> str:
    return text.split(". ")[0].rstrip(".")


def _nothing(left: Sequence[LeftOut]) -> ImageError:
    if not left:
        return ImageError("There are no images to pair. Choose images with transmitted light and a stain.")
    if len(left) == 1:
        return ImageError(left[0].why if "." in left[0].why else f"'{left[0].name}' can't be used: {left[0].why}.")
    return ImageError(f"None of the {len(left)} images can be used. The first, '{left[0].name}': {left[0].why}")


def _understood(one: Couple, ask: Ask) -> Couple:
    """Return images with other axes where these were guessed, and so they lack the channels."""
    if one.inputs is one.targets:
        both = with_channels(one.inputs, (ask.inputs, ask.targets))
        return replace(one, inputs=both, targets=both)
    inputs, targets = with_channels(one.inputs, (ask.inputs,)), with_channels(one.targets, (ask.targets,))
    return replace(one, inputs=inputs, targets=targets)


def _pairs_of(one: Couple, ask: Ask) -> list[StainPair]:
    inputs = channels_named(one.inputs, ask.inputs, "input")
    targets = channels_named(one.targets, ask.targets, "stain")
    _check_same_place(one)
    _check_channels(one, inputs, targets)
    output, plane = _outcome(one, ask)
    frames = one.inputs.shape[0]
    return [
        StainPair(
            f"{one.name} t={t}" if frames > 1 else one.name,
            one.group, one.inputs, inputs, one.targets, targets, t, output, plane,
        )
        for t in range(frames)
    ]  # fmt: skip


def _check_same_place(one: Couple) -> None:
    if one.inputs.shape[3:] != one.targets.shape[3:] or one.inputs.shape[0] != one.targets.shape[0]:
        raise ImageError(
            f"'{one.name}' has {size_text(one.inputs)}, its stain '{one.targets.name}' {size_text(one.targets)}. A "
            "pair must show the same place pixel by pixel: crop or resample one of them."
        )


def _check_channels(one: Couple, inputs: tuple[int, ...], targets: tuple[int, ...]) -> None:
    names = one.targets.channel_names
    seen = {source_of(one.inputs, channel) for channel in inputs}
    both = next((channel for channel in targets if source_of(one.targets, channel) in seen), None)
    if both is not None:
        raise ImageError(
            f"Channel {both} ('{names[both]}') of '{one.targets.name}' is input and stain at once, so there is nothing "
            "to learn. Choose different channels."
        )
    predicted = next((names[channel] for channel in targets if is_predicted(names[channel])), None)
    if predicted is not None:
        raise ImageError(
            f"'{predicted}' of '{one.name}' was predicted, not measured. Choose the measured stain to learn from."
        )


def _outcome(one: Couple, ask: Ask) -> tuple[Output, int | None]:
    """Return what is predicted of an image, and which plane of its stain that is."""
    deep, stained = one.inputs.shape[2], one.targets.shape[2]
    output = ask.output
    if output == "auto":
        named = ask.plane is not None or (stained == 1 and deep > 1)
        output = "plane" if named else "stack"
    if output == "stack" and deep != stained:
        planes = f"{deep} plane{'' if deep == 1 else 's'}"
        raise ImageError(
            f"'{one.name}' has {planes}, its stain {stained}, so it is not known which belong together. Predict a "
            "plane or the maximum of the stain, or give as many planes."
        )
    if output != "plane" or (stained == 1 and not ask.plane):
        return output, None
    plane = stained // 2 if ask.plane is None else ask.plane
    if not 0 <= plane < stained:
        raise ImageError(
            f"The stain of '{one.name}' has no plane {plane}: it has {stained}, counted from 0. Choose another plane."
        )
    return output, plane


def _alike(made: list[list[StainPair]], left: list[LeftOut]) -> list[list[StainPair]]:
    """Keep the images of which the same is predicted; a network can't give a stack of some and a plane of others."""
    outputs = Counter(of_one[0].output for of_one in made)
    usual = outputs.most_common(1)[0][0] if outputs else None
    for of_one in made:
        if of_one[0].output != usual:
            why = f"its stain is a {of_one[0].output}, that of most a {usual}"
            left.append(LeftOut(of_one[0].inputs.name, why))
    return [of_one for of_one in made if of_one[0].output == usual]


def _planes_noted(first: StainPair, ask: Ask) -> tuple[str, ...]:
    if first.output != "plane" or first.plane is None or ask.plane is not None:
        return ()
    return (
        f"Plane {first.plane} of {first.targets.shape[2]} (from 0) of the stain is predicted, its middle one, as none "
        "was chosen.",
    )


def _said_by_images(pairs: Sequence[StainPair]) -> tuple[str, ...]:
    """Return what files did not say and was guessed, and what their readers had to say."""
    stacks = {id(stack): stack for pair in pairs for stack in (pair.inputs, pair.targets)}.values()
    guessed = Counter(stack.guessed_axes or stack.axes for stack in stacks if stack.guessed_axes or stack.axes)
    guesses = (
        f"The axes of {count} image{'s' if count > 1 else ''} are taken to be {axes}, as no file says "
        "them. If that is wrong, save the images as OME-TIFF."
        for axes, count in guessed.items()
    )
    return (*guesses, *dict.fromkeys(note for stack in stacks for note in stack.notes))


def _size(stacks: Sequence[ImageStack]) -> tuple[float, float, float] | None:
    """Return the pixel size that most images have, of those that say one."""
    known = Counter(one.pixel_size_um for one in stacks if one.pixel_size_um is not None)
    return known.most_common(1)[0][0] if known else None
