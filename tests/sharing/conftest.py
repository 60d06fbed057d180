"""The runs that `tests.sharing.made` makes, as fixtures."""

from tests.sharing.made import bundle, folders, project, run

__all__ = ["bundle", "folders", "project", "run"]
