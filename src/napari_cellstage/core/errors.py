"""The errors a user can meet, and nothing else.

Every text says what is wrong, shows the value, and says what to do. `ui` and `cli` each show them in one
place; any other exception is a bug and keeps its traceback.
"""

from __future__ import annotations


class CellStageError(Exception):
    """Something the user can understand and mend."""


class ImageError(CellStageError):
    """An image can't be opened or used."""


class CellsError(CellStageError):
    """Cells can't be found, adopted or added."""


class ClassSchemeError(CellStageError):
    """A class can't be added, renamed, moved or removed."""


class ProjectError(CellStageError):
    """A project can't be created, opened or written."""


class ReadOnlyError(ProjectError):
    """The project is open read-only, so nothing can be changed."""


class PlateError(CellStageError):
    """A pattern of file names or a plate map can't be read."""


class TrainingError(CellStageError):
    """Training can't start or go on."""


class TrainingStopped(TrainingError):  # noqa: N818 - a wish that was heard
    """Training was stopped by the user before there was any model: nothing is wrong."""


class ModelError(CellStageError):
    """A model on disk can't be read, or does not fit the data."""


class WeightsError(CellStageError):
    """Pretrained weights can't be fetched or read."""


class MissingExtraError(CellStageError):
    """A feature needs an optional package that is not installed."""
