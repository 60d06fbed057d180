from __future__ import annotations

import pytest
import torch

from napari_cellstage.core.errors import TrainingError
from napari_cellstage.learn.learner import Learner, Stopped, class_weights, torch_errors_said_plainly
from napari_cellstage.learn.networks import last_linear, make_network
from napari_cellstage.learn.recipe import Recipe


def learner(recipe: Recipe, should_stop=lambda: False, pretrained: bool = False) -> Learner:
    torch.manual_seed(0)
    network = make_network(recipe.network, 1, 2)
    return Learner(network, recipe, torch.ones(2), pretrained, should_stop)


def batch() -> tuple[torch.Tensor, torch.Tensor]:
    labels = torch.arange(8) % 2
    return torch.rand(8, 1, 32, 32) * 0.1 + labels.view(-1, 1, 1, 1), labels


def test_steps_lower_the_loss(recipe: Recipe):
    one = learner(recipe.but(label_smoothing=0.0, network="resnet18"))
    losses = [one.step(*batch(), 1.0) for _ in range(8)]
    assert losses[-1] < 0.6 * losses[0]
    assert one.steps == 8


def test_the_average_lags_behind_the_network(recipe: Recipe):
    one = learner(recipe)
    assert one.best_guess is one.network
    for _ in range(9):
        one.step(*batch(), 1.0)
    assert one.best_guess is not one.network
    now, averaged = (last_linear(n.backbone)[1].weight.detach() for n in (one.network, one.best_guess))
    assert not torch.equal(now, averaged)
    off = learner(recipe.but(average=0.0))
    for _ in range(5):
        off.step(*batch(), 1.0)
    assert off.best_guess is off.network


def test_a_stop_is_heard_in_the_middle_of_a_batch(recipe: Recipe):
    for heard_at in (1, 30, 60, 75):
        asked = iter(range(1000))
        one = learner(recipe, lambda asked=asked, heard_at=heard_at: next(asked) >= heard_at)
        before = one.network.state_dict()["backbone.classifier.3.weight"].clone()
        with pytest.raises(Stopped):
            one.step(*batch(), 1.0)
        assert next(asked) == heard_at + 1, "not asked again after the answer"
        assert one.steps == 0
        assert torch.equal(one.network.state_dict()["backbone.classifier.3.weight"], before)


def test_a_pretrained_body_moves_less_than_the_head(recipe: Recipe):
    peaks = {}
    for pretrained in (False, True):
        groups = learner(recipe, pretrained=pretrained)._optimiser.param_groups
        peaks[pretrained] = sorted({group["peak"] for group in groups})
        assert sum(len(group["params"]) for group in groups) == len(list(learner(recipe).network.parameters()))
        assert all((group["weight_decay"] > 0) == (group["params"][0].ndim > 1) for group in groups)
    assert peaks[False] == [recipe.learning_rate]
    assert peaks[True] == [pytest.approx(0.2 * recipe.learning_rate), recipe.learning_rate]


def test_rare_classes_count_more():
    labels = torch.tensor([0] * 16 + [1] * 4)
    weights = class_weights(labels, 3, wanted=True)
    assert float(weights[1] / weights[0]) == pytest.approx(2)
    assert float(weights[labels].mean()) == pytest.approx(1)
    assert class_weights(labels, 3, wanted=False).tolist() == [1, 1, 1]


def test_torch_errors_become_training_errors_with_their_text():
    with pytest.raises(TrainingError, match=r"What torch says: .*mat1 and mat2") as caught, torch_errors_said_plainly():
        torch.ones(2, 3) @ torch.ones(2, 3)
    assert isinstance(caught.value.__cause__, RuntimeError)
    assert not isinstance(caught.value, RuntimeError)
