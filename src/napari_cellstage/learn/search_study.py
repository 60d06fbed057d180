"""The trials of a search in a SQLite file of its own, by Optuna (the extra `search`): kept, resumed, weighed.

Each trial's choices follow from the search's seed and the trials before it alone, so that a search that was ended
anywhere and resumed tries what it would have tried without.
"""

from __future__ import annotations

import contextlib
import importlib.util
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import filelock

from napari_cellstage.core.errors import MissingExtraError, TrainingError

if TYPE_CHECKING:
    import optuna

FILE, LOCK, NAME = "search.sqlite", "search.lock", "search"
FOUND_BY, WHY = "begun with", "reason"
WARM_UP = 5  # trials that are never given up, before the others are compared with them
FEWEST_FOR_IMPORTANCE = 10


def check_optuna() -> None:
    """Raise `MissingExtraError` when Optuna is not installed."""
    if importlib.util.find_spec("optuna") is None:
        raise MissingExtraError(
            "Optuna is not installed, which a search needs. Install it with: pip install 'napari-cellstage[search]'"
        )


@contextlib.contextmanager
def opened(folder: Path, begun_with: dict[str, Any]) -> Iterator[Study]:
    """Open the search of a folder, or begin one; nobody else works in it meanwhile.

    Parameters
    ----------
    folder
        Made where it is not there.
    begun_with
        Plain JSON values by what they are in words; a search is resumed with the very same only.

    Raises
    ------
    TrainingError
        If it was begun with others, its file is damaged, or somebody else is at it.
    """
    lock = filelock.FileLock(folder / LOCK, timeout=0)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except filelock.Timeout:
        raise TrainingError(
            f"Another search is at work in '{folder}'. Wait until it is done, or choose another folder with --out."
        ) from None
    except OSError as e:
        raise TrainingError(f"'{folder}' can't be written: {e}. Choose another folder with --out.") from e
    try:
        study = Study(folder / FILE)
        try:
            study.check(begun_with)
            yield study
        finally:
            study.close()
    finally:
        lock.release()


class Study:
    """Trials on the disk.

    Parameters
    ----------
    file
        The SQLite file.
    """

    def __init__(self, file: Path) -> None:
        import optuna
        from sqlalchemy.exc import DatabaseError

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._file = file
        try:
            self._storage = optuna.storages.RDBStorage(f"sqlite:///{file.resolve().as_posix()}")
            self._study = optuna.create_study(
                study_name=NAME,
                storage=self._storage,
                direction="maximize",
                load_if_exists=True,
                pruner=optuna.pruners.MedianPruner(n_startup_trials=WARM_UP),
            )
        except (DatabaseError, RuntimeError) as e:
            why = getattr(e, "orig", None) or e  # without SQLAlchemy's statement and link
            raise TrainingError(f"'{file}' can't be read as a search: {why}. Move it away, and search anew.") from e

    @property
    def trials(self) -> list[optuna.trial.FrozenTrial]:
        """All trials so far, in their order."""
        return self._study.get_trials(deepcopy=False)

    def check(self, begun_with: dict[str, Any]) -> None:
        """Note what a new search is begun with; refuse to go on with something else."""
        known = self._study.user_attrs.get(FOUND_BY)
        if known is None:
            self._study.set_user_attr(FOUND_BY, begun_with)
            return
        others = [what for what in begun_with if begun_with[what] != known.get(what)]
        if others:
            raise TrainingError(
                f"The search in '{self._file.parent}' was begun with other {' and other '.join(others)}, so it can't "
                "go on with these. Give it the same, or begin another with another folder (--out)."
            )

    def forget_running(self) -> int:
        """Mark trials that were ended in their midst as failed; return how many there are in all."""
        from optuna.trial import TrialState

        for trial in self.trials:
            if trial.state == TrialState.RUNNING:
                self._study.tell(trial.number, state=TrialState.FAIL)
        return sum(trial.state == TrialState.FAIL for trial in self.trials)

    def ask(self, seed: int) -> optuna.Trial:
        """Begin a trial."""
        import optuna

        done = sum(trial.state.is_finished() and trial.state != optuna.trial.TrialState.FAIL for trial in self.trials)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            self._study.sampler = optuna.samplers.TPESampler(seed=(seed * 1_000_003 + done) % 2**32)
        return self._study.ask()

    def complete(self, trial: optuna.Trial, accuracy: float) -> None:
        """End a trial with its score."""
        self._study.tell(trial, accuracy)

    def give_up(self, trial: optuna.Trial, why: str) -> None:
        """End a trial that is not worth going on with, or that can't be."""
        from optuna.trial import TrialState

        trial.set_user_attr(WHY, why)
        self._study.tell(trial, state=TrialState.PRUNED)

    def drop(self, trial: optuna.Trial) -> None:
        """End a trial that was stopped: it says nothing."""
        from optuna.trial import TrialState

        self._study.tell(trial, state=TrialState.FAIL)

    def importance(self, seed: int) -> dict[str, float]:
        """Return which share of the differences between trials each choice explains (Hutter et al. 2014, fANOVA).

        Only choices that all trials have made are weighed. Empty with fewer than 10 complete trials, or where all are
        equally good.
        """
        import optuna
        from optuna.trial import TrialState

        values = {trial.value for trial in self.trials if trial.state == TrialState.COMPLETE}
        count = sum(trial.state == TrialState.COMPLETE for trial in self.trials)
        if count < FEWEST_FOR_IMPORTANCE or len(values) < 2:
            return {}
        weigh = optuna.importance.FanovaImportanceEvaluator(seed=seed)
        found = optuna.importance.get_param_importances(self._study, evaluator=weigh)
        return {name: float(share) for name, share in found.items()}

    def close(self) -> None:
        """Let go of the file."""
        self._storage.remove_session()
        self._storage.engine.dispose()
