"""Reading image files through bioio: which reader, which axes, what the metadata say. `images` makes stacks of it.

The reader is chosen by the file itself. bioio's own choice tries one after the other and prints what failed.
"""

from __future__ import annotations

import logging
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import tifffile

from napari_cellstage.core.errors import ImageError

if TYPE_CHECKING:
    import dask.array as da

TIFF = (".tif", ".tiff")
PICTURES = (".png", ".jpg", ".jpeg")
PICTURE_STARTS = (b"\x89PNG", b"\xff\xd8")
MANY = 4
_LENGTH_UNITS = ("micron", "um", "µm", "\\u00b5m", "micrometer", "nm", "nanometer", "mm", "millimeter", "cm", "pm")
_PLAUSIBLE_UM = (1e-4, 1e3)

# With no handler at all, Python prints these libraries' warnings to the terminal; damaged files are reported by us.
for _library in ("tifffile", "bioio_tifffile", "bioio_ome_tiff", "bioio_imageio"):
    logging.getLogger(_library).addHandler(logging.NullHandler())


@dataclass(frozen=True)
class FileContent:
    """What a file holds: pixels, one letter an axis, names of channels and z, y, x size, where they are known."""

    data: da.Array
    axes: str
    channel_names: tuple[str, ...] | None = None
    pixel_size_um: tuple[float, float, float] | None = None


def read_file(path: Path, axes: str | None = None) -> FileContent:
    """Read what a file holds; `axes` overrule what it says.

    Raises
    ------
    ImageError
        If the file is missing, empty, cut off, of an unknown kind or unreadable.
    """
    _check_file(path)
    read = _read_tiff if path.suffix.lower() in TIFF else _read_picture
    try:
        content = read(path, axes)
    except ImageError:
        raise
    except Exception as error:  # decoders raise anything, from struct.error to IndexError
        raise _unreadable(path, str(error) or type(error).__name__) from error
    return content


def guess_axes(letters: str, shape: tuple[int, ...], name: str) -> str:
    """Name the axes that a file leaves open.

    One open axis of at most 4 is taken for channels, a longer one for planes in z (as ImageJ does), or for time
    where z is there already. Of two open axes a short one is channels and the other as above; three are T, Z, C, the
    order in which ImageJ writes.

    Parameters
    ----------
    letters
        tifffile's letters; all but T, C, Z, Y, X and S are open.
    shape
        Length of each axis.
    name
        Name of the file, for the error.

    Raises
    ------
    ImageError
        If more axes are open than there are letters.
    """
    open_places = [place for place, letter in enumerate(letters) if letter not in "TCZYXS"]
    free = [letter for letter in "CZT" if letter not in letters]
    if len(open_places) > len(free):
        raise ImageError(
            f"'{name}' has the shape {shape}, and which axis is what can't be told. Save it as OME-TIFF or ImageJ TIFF."
        )
    result = list(letters)
    if len(open_places) == 3:
        return "".join("TZC"[open_places.index(i)] if i in open_places else letters[i] for i in range(len(letters)))
    for place in sorted(open_places, key=lambda place: (shape[place], -place)):
        short = shape[place] <= MANY
        letter = "C" if "C" in free and (short or len(free) == 1) else next(one for one in free if one != "C")
        free.remove(letter)
        result[place] = letter
    return "".join(result)


def _check_file(path: Path) -> None:
    if not path.exists():
        raise ImageError(f"There is no file '{path}'. Check the name, or whether its disk is connected.")
    if path.is_dir():
        raise ImageError(f"'{path}' is a folder. Choose an image file in it.")
    if path.suffix.lower() not in TIFF + PICTURES:
        raise ImageError(
            f"'{path.name}' is of a kind that can't be opened ({path.suffix or 'no ending'}). "
            f"Choose one of: {', '.join(TIFF + PICTURES)}."
        )
    if path.stat().st_size == 0:
        raise ImageError(f"'{path.name}' is empty (0 bytes). Copy it again from where it came.")


def _unreadable(path: Path, why: str) -> ImageError:
    return ImageError(
        f"'{path.name}' can't be read as an image: {why.rstrip('.')}. "
        "It may be cut off or damaged: copy it again from where it came."
    )


def _read_tiff(path: Path, axes: str | None) -> FileContent:
    with tifffile.TiffFile(path) as file:
        if not file.series:
            raise _unreadable(path, "there is no picture in it")
        series = file.series[0]
        _check_complete(path, file, series)
        sizes_known = _says_pixel_size(file)
        ome = file.ome_metadata if file.is_ome else None
        letters, shape = series.axes, series.shape
    if ome and axes is None:
        return _read_ome(path) or _read_broken_ome(path, ome, letters)
    return _read_plain_tiff(path, axes or guess_axes(letters, shape, path.name), shape, sizes_known)


def _read_ome(path: Path) -> FileContent | None:
    """Read by the OME metadata; None when they break OME's rules, by a pixel size of 0 for one."""
    from bioio_base.exceptions import UnsupportedFileFormatError
    from bioio_ome_tiff import Reader

    try:
        # One chunk a plane: by default a whole volume would be read for one of its planes.
        reader = Reader(path, chunk_dims=["Y", "X", "S"])
        array = reader.xarray_dask_data
    except (UnsupportedFileFormatError, IndexError, ValueError):
        return None
    axes = "".join(str(dim) for dim in array.dims)
    names = None if "S" in axes else _own_names(reader.channel_names)
    return FileContent(array.data, axes, names, _known_size(reader.physical_pixel_sizes))


def _read_broken_ome(path: Path, ome: str, letters: str) -> FileContent:
    """Read pixels without, and names and sizes as far as they are in, OME metadata that OME's own rules refuse."""
    from bioio_tifffile import Reader

    image = tifffile.xml2dict(ome)["OME"]["Image"]
    pixels = (image[0] if isinstance(image, list) else image)["Pixels"]
    channels = pixels.get("Channel", [])
    names = [channel.get("Name") for channel in (channels if isinstance(channels, list) else [channels])]
    in_um = all(pixels.get(f"PhysicalSize{axis}Unit", "µm") == "µm" for axis in "YX")
    size = _known_size([pixels.get(f"PhysicalSize{axis}") for axis in "ZYX"]) if in_um else None
    reader = Reader(path, chunk_dims=["Y", "X", "S"], dim_order=letters)
    return FileContent(reader.xarray_dask_data.data, letters, None if "S" in letters else _own_names(names), size)


def _own_names(names: list[Any] | None) -> tuple[str, ...] | None:
    """Return the names if the user gave them; bioio makes up ``Channel:0:0``."""
    if not names or any(not name or str(name).startswith("Channel:") for name in names):
        return None
    return tuple(str(name) for name in names)


def _read_plain_tiff(path: Path, axes: str, shape: tuple[int, ...], sizes_known: bool) -> FileContent:
    from bioio_tifffile import Reader

    if len(axes) != len(shape):
        raise ImageError(
            f"The axes '{axes}' do not fit '{path.name}' of shape {shape}. Give {len(shape)} letters, such as "
            f"{'TZCYX'[-len(shape) :]}."
        )
    reader = Reader(path, chunk_dims=["Y", "X", "S"], dim_order=axes.upper())
    size = _known_size(reader.physical_pixel_sizes) if sizes_known else None
    return FileContent(reader.xarray_dask_data.data, axes, None, size)


def _read_picture(path: Path, axes: str | None) -> FileContent:
    from bioio_imageio import Reader

    with path.open("rb") as file:
        if not file.read(4).startswith(PICTURE_STARTS):
            raise _unreadable(path, "it does not begin as a PNG or JPEG does")
    reader = Reader(path)
    array = reader.xarray_dask_data
    guessed = "YX" if array.ndim == 2 else "YXS" if array.ndim == 3 else "TYXS"
    return FileContent(array.data, axes or guessed)


def _check_complete(path: Path, file: tifffile.TiffFile, series: tifffile.TiffPageSeries) -> None:
    """Refuse a file that ends before its pixels do, now rather than when the user has labelled half of it."""
    size = path.stat().st_size
    ends = [series.dataoffset + series.nbytes] if series.dataoffset is not None else []
    ends.append(_next_page_offset(file))
    for page in (series.pages[0], series.pages[-1]):
        if isinstance(page, tifffile.TiffPage | tifffile.TiffFrame):
            ends += [start + n for start, n in zip(page.dataoffsets, page.databytecounts, strict=False)]
    if max(ends) > size:
        raise _unreadable(path, f"it ends after {size} bytes, of at least {max(ends)}")


def _next_page_offset(file: tifffile.TiffFile) -> int:
    """Return where the page after the last one found should be: 0 in a whole file, beyond the end in a cut one."""
    tiff, handle = file.tiff, file.filehandle
    start = int(file.pages[-1].offset)
    handle.seek(start)
    (tags,) = struct.unpack(tiff.tagnoformat, handle.read(tiff.tagnosize))
    handle.seek(start + tiff.tagnosize + tags * tiff.tagsize)
    (offset,) = struct.unpack(tiff.offsetformat, handle.read(tiff.offsetsize))
    return int(offset)


def _says_pixel_size(file: tifffile.TiffFile) -> bool:
    """Tell a resolution of the microscope from the 1 or 72 dots per inch that most programs write."""
    tags: Any = file.pages.first.tags
    if "XResolution" not in tags or "YResolution" not in tags:
        return False
    if file.is_imagej:
        return str((file.imagej_metadata or {}).get("unit", "")).lower() in _LENGTH_UNITS
    unit = tags["ResolutionUnit"].value if "ResolutionUnit" in tags else tifffile.RESUNIT.NONE
    return unit in (tifffile.RESUNIT.CENTIMETER, tifffile.RESUNIT.MILLIMETER, tifffile.RESUNIT.MICROMETER)


def _known_size(sizes: Any) -> tuple[float, float, float] | None:
    """Return z, y, x; None unless y and x are plausible. A flat image has no size in z: it gets 1."""
    z, y, x = (float(size) if size is not None and np.isfinite(size) else 0.0 for size in sizes)
    low, high = _PLAUSIBLE_UM
    if not (low <= y <= high and low <= x <= high):
        return None
    return (z if low <= z <= high else 1.0, y, x)
