"""One method of a study, its parts, and going on after a stop."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_cellstage.core.errors import TrainingStopped
from napari_cellstage.core.review.unseen import Unseen
from napari_cellstage.learn.data import TrainingSet
from napari_cellstage.learn.events import BatchDone
from napari_cellstage.learn.model import TrainedModel, read_card
from napari_cellstage.learn.recipe import Recipe
from napari_cellstage.reporting.write import write_report
from napari_cellstage.studies import method as module
from napari_cellstage.studies.method import Method, run_method

QUICK = Method("quick", Recipe.load("quick").but(folds=0), folds=3)


def never() -> bool:
    return False


def parts_of(data: TrainingSet, count: int = 3) -> list[Any]:
    return [np.arange(len(data)) % count == number for number in range(count)]


def test_every_cell_is_answered_once_by_a_model_that_had_not_seen_it(
    stages: TrainingSet, tmp_path: Path, run: Any
) -> None:
    events, found = run(run_method(stages, QUICK, parts_of(stages), tmp_path / "quick", never))
    assert sorted(found.unseen.names.tolist()) == sorted(stages.names)
    assert found.unseen.how == "out of fold"
    assert np.unique(found.unseen.fold).tolist() == [0, 1, 2]
    shares = [event.done / event.total for event in events if isinstance(event, BatchDone)]
    assert shares == sorted(shares)
    assert shares[-1] == 1
    card = read_card(tmp_path / "quick")
    assert card["cross_validated"] == 3
    assert card["scores"]["n"] == len(stages)
    assert len(TrainedModel.load(tmp_path / "quick").classes) == 4
    assert "quick" in write_report(tmp_path / "quick").read_text(encoding="utf-8")


def test_one_held_out_part_stays_that(stages: TrainingSet, tmp_path: Path, run: Any) -> None:
    _, found = run(run_method(stages, QUICK, parts_of(stages)[:1], tmp_path / "one", never))
    assert found.unseen.how == "held out"
    assert len(found.unseen) == len(stages) // 3 + 1
    assert found.seconds > 0


def test_a_stopped_study_goes_on_where_it_was(
    stages: TrainingSet, tmp_path: Path, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained: list[int] = []
    honest = module.fit

    def counted(data: Any, *given: Any, held_out: Any, **more: Any) -> Any:
        trained.append(int(np.flatnonzero(held_out)[0]))
        return honest(data, *given, held_out=held_out, **more)

    monkeypatch.setattr(module, "fit", counted)
    with pytest.raises(TrainingStopped, match=r"Stopped in quick\. What was done before is kept"):
        run(run_method(stages, QUICK, parts_of(stages), tmp_path / "q", lambda: trained[-1:] == [1]))
    assert trained == [0, 1]
    _, found = run(run_method(stages, QUICK, parts_of(stages), tmp_path / "q", never))
    assert trained == [0, 1, 1, 2]
    _, again = run(run_method(stages, QUICK, parts_of(stages), tmp_path / "q", never))
    assert trained == [0, 1, 1, 2]
    np.testing.assert_array_equal(found.unseen.probabilities, again.unseen.probabilities)
    (tmp_path / "q" / "parts" / "2.npz").write_bytes(b"cut short")
    (tmp_path / "q" / "parts" / "1.seconds").write_text("")
    _, mended = run(run_method(stages, QUICK, parts_of(stages), tmp_path / "q", never))
    assert trained == [0, 1, 1, 2, 1, 2]
    np.testing.assert_array_equal(found.unseen.probabilities, mended.unseen.probabilities)
    kept = Unseen.load(tmp_path / "q" / "unseen.npz")
    assert kept is not None
    assert len(kept) == len(stages)
