"""MLP probes: a linear probe plus one hidden layer, for what no linear probe reads.

The MLPs of all factors are trained side by side, in the same few matrix products;
none sees the weights or labels of another.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence

import training.no_compiler  # noqa: F401
from evaluation.codes import Rows, is_continuous
from evaluation.linear_probe import (
    LinearProbe,
    ProbeResult,
    ask_probe,
    categorical_result,
    continuous_result,
    value_probabilities,
)
from evaluation.logistic import Logistic
from seqdis.seeds import torch_generator

HIDDEN, BATCH, RATE = 64, 128, 0.02
# Steps after which an MLP may stop.
STOPS = (0, 10, 20, 30, 45, 60, 80, 100, 130, 160, 200, 250, 300)
PATIENCE = 3  # stops in a row that were the best of no factor,
AT_LEAST = 100  # from this step on: many only begin to gain after some fifty
MANY = 50  # factors with more values are trained apart, not to widen all products


class Problem(NamedTuple):
    """The rows of one factor as tensors.

    Attributes:
        x: standardised codes `(n, dimensions)`.
        y: `(n,)` number of the class, or standardised continuous label.
        linear: `(n, classes)` log probabilities of the linear probe, or its
            prediction `(n, 1)`, standardised like the label.
        continuous: whether the factor is.
    """

    x: Tensor
    y: Tensor
    linear: Tensor
    continuous: bool


def ask_mlp_probes(
    probes: Mapping[str, LinearProbe], test: Mapping[str, Rows]
) -> dict[str, ProbeResult]:
    """Train an MLP per factor on top of its linear probe; apply it to test rows.

    V-information as in `linear_probe.v_information`. The family V: the linear probe
    plus a layer of 64 rectified units, whose output is added to the logits, or to the
    prediction. It starts at 0, is trained by Adam on 128 rows a step, and the number of
    steps, at most 300, is chosen like the penalty of linear probes: on a quarter of the
    identities, held out from the linear probe as well. Where the MLP reads no more than
    the linear probe it is not trained at all, so its bits are hardly ever fewer.

    Args:
        probes: by factor, fitted to codes of the same dimensions.
        test: rows by factor; all are scored.

    Returns:
        By factor. Deterministic: weights and batches come from named streams.
    """
    results = {name: ask_probe(probe, test[name]) for name, probe in probes.items()}
    names = [
        name for name, probe in probes.items() if probe.model and len(test[name].labels)
    ]
    many = [
        name
        for name in names
        if not probes[name].rows.continuous
        and len(np.unique(probes[name].rows.labels)) > MANY
    ]
    for group in ([name for name in names if name not in many], many):
        if group:
            better = train_better_mlps(
                [probes[name] for name in group], [test[name] for name in group]
            )
            results |= {group[k]: result for k, result in better.items()}
    return results


def train_better_mlps(
    probes: list[LinearProbe], test: list[Rows]
) -> dict[int, ProbeResult]:
    """Return MLP results by position, of factors whose MLP beats the linear probe."""
    stops, losses = choose_stops(probes)
    train = [make_problem(probe, probe.rows) for probe in probes]
    unseen = [make_problem(*pair) for pair in zip(probes, test, strict=True)]
    results = {}
    for step, mlps in train_mlps(train, int(stops.max())):
        for k in torch.nonzero((stops == step) & (stops > 0)).flatten().tolist():
            outputs = mlps.predict(k, unseen[k]).numpy().astype(float)
            labels = probes[k].rows.labels, test[k].labels
            results[k] = mlp_result(*labels, outputs, float(losses[k]))
    return results


def mlp_result(
    train: np.ndarray, truth: np.ndarray, outputs: np.ndarray, loss: float
) -> ProbeResult:
    """Return the result of outputs `(n, classes)`, or `(n, 1)` if continuous."""
    if not is_continuous(train):
        shares = np.exp(outputs - outputs.max(1, keepdims=True))
        shares /= shares.sum(1, keepdims=True)
        return categorical_result(train, truth, np.unique(train), shares)
    mean, scale = train.mean(dtype=float), train.std(dtype=float)
    return continuous_result(
        train, truth, mean + scale * outputs[:, 0], loss * scale**2
    )


def make_problem(probe: LinearProbe, rows: Rows, partial: bool = False) -> Problem:
    """Return rows of a factor as tensors, with the predictions of its linear probe.

    Args:
        probe: one with a model.
        rows: of the same factor. Values without a training row count as the first one.
        partial: use the model that has not seen the held-out rows.
    """
    labels = probe.rows.labels
    model, seen = probe.model, labels
    if partial:
        model, seen = probe.partial_model, labels[~probe.held_out]
    assert probe.scaler is not None and model is not None
    x = probe.scaler(rows.codes)
    if isinstance(model, Logistic):
        values = np.unique(labels)
        y = np.searchsorted(values, rows.labels) % len(values)
        shares = model.probabilities(x)
        chances = value_probabilities(values, seen, model.classes, shares)
        linear = np.log(np.maximum(chances, 1e-12))
    else:
        mean, scale = labels.mean(dtype=float), labels.std(dtype=float)
        y = (rows.labels - mean) / scale
        linear = (model.predict(x)[:, None] - mean) / scale
    tensors = [torch.from_numpy(values).float() for values in (x, y, linear)]
    return Problem(tensors[0], tensors[1], tensors[2], probe.rows.continuous)


def choose_stops(probes: list[LinearProbe]) -> tuple[Tensor, Tensor]:
    """Return `(factors,)` the best number of steps of each, and `(factors,)` its loss.

    Trained without the held-out identities, and scored on them, until no factor has
    gained for three stops, a hundred steps at least. A gain of less than two standard
    errors over these identities is taken for luck: no steps.
    """
    train: list[Problem] = []
    unseen: list[Problem] = []
    groups: list[np.ndarray] = []
    for probe in probes:
        out = probe.held_out
        for part, problems in ((~out, train), (out, unseen)):
            rows = Rows(probe.rows.codes[part], probe.rows.labels[part])
            problems.append(make_problem(probe, rows, partial=True))
        groups.append(probe.rows.groups[out])
    losses: list[list[Tensor]] = []  # at every stop, each factor's loss of every row
    for step, mlps in train_mlps(train, STOPS[-1]):
        losses.append(
            [
                row_losses(
                    mlps.predict(k, each)[None], each.y[None], [each.continuous]
                )[0]
                for k, each in enumerate(unseen)
            ]
        )
        mean = torch.tensor([[rows.mean() for rows in stop] for stop in losses])
        best = mean.argmin(0)
        if step >= AT_LEAST and len(losses) > best.max() + PATIENCE:
            break
    for k, stop in enumerate(best.tolist()):
        if not is_surely_less(losses[stop][k], losses[0][k], groups[k]):
            best[k] = 0
    return torch.tensor(STOPS)[best], mean.gather(0, best[None])[0]


def is_surely_less(ours: Tensor, theirs: Tensor, groups: np.ndarray) -> bool:
    """Tell whether losses of rows are less by more than two standard errors.

    The error is over identities; with a single identity there is none: False.
    """
    _, ids, rows = np.unique(groups, return_inverse=True, return_counts=True)
    gain = np.bincount(ids, (theirs - ours).numpy()) / rows
    if len(gain) < 2:
        return False
    return bool(gain.mean() > 2 * gain.std(ddof=1) / len(gain) ** 0.5)


class Mlps(NamedTuple):
    """Weights of one MLP per factor, beside one another."""

    w1: Tensor
    b1: Tensor
    w2: Tensor
    b2: Tensor

    def __call__(self, x: Tensor) -> Tensor:
        """Return `(factors, n, classes)`, to be added to the linear probe's output."""
        return torch.baddbmm(self.b2, self.units(x), self.w2)

    def units(self, x: Tensor) -> Tensor:
        """Return the hidden units `(factors, n, HIDDEN)`."""
        inputs = torch.baddbmm(self.b1, x, self.w1, alpha=x.shape[2] ** -0.5)
        return inputs.relu_()

    def gradients(
        self, x: Tensor, linear: Tensor, y: Tensor, continuous: Tensor
    ) -> "Mlps":
        """Return the gradients of each factor's mean `row_losses`, by hand.

        torch's autograd gives the same ones and takes as long as all else in a step.

        Args:
            x: `(factors, n, dimensions)`.
            linear: `(factors, n, classes)` outputs of linear probes, added to ours.
            y: `(factors, n)`.
            continuous: bool `(factors,)`.
        """
        units = self.units(x)
        outputs = torch.baddbmm(self.b2, units, self.w2) + linear
        slope = torch.softmax(outputs, 2)
        slope -= functional.one_hot(
            y.masked_fill(continuous[:, None], 0).long(), slope.shape[2]
        )
        slope[continuous] = 0
        slope[continuous, :, 0] = 2 * (outputs[continuous, :, 0] - y[continuous])
        slope /= x.shape[1]
        inner = (slope @ self.w2.mT).mul_(units > 0)
        return Mlps(
            (x.mT @ inner).mul_(x.shape[2] ** -0.5),
            inner.sum(1, keepdim=True),
            units.mT @ slope,
            slope.sum(1, keepdim=True),
        )

    def predict(self, k: int, problem: Problem) -> Tensor:
        """Return the outputs `(n, classes)` for the rows of factor k."""
        single = Mlps(*(weights[k : k + 1] for weights in self))
        added = single(problem.x[None])[0, :, : problem.linear.shape[1]]
        return problem.linear + added


def train_mlps(problems: list[Problem], steps: int) -> Iterator[tuple[int, Mlps]]:
    """Yield (steps taken, MLPs) at every stop up to `steps`."""
    rng = torch_generator(torch.device("cpu"), "mlp", len(problems))
    n, dimensions = len(problems), problems[0].x.shape[1]
    width = max(each.linear.shape[1] for each in problems)
    x = pad_sequence([each.x for each in problems], batch_first=True)
    y = pad_sequence([each.y for each in problems], batch_first=True)
    rows = torch.tensor([[len(each.y)] for each in problems])
    factor = torch.arange(n)[:, None]
    w1 = torch.randn(n, dimensions, HIDDEN, generator=rng) * 2**0.5
    # Half of the units bend in the middle of the codes, half at a row, where folds are.
    knots = x[factor, (torch.rand(n, HIDDEN, generator=rng) * rows).long()]
    knots[:, ::2] = 0
    mlps = Mlps(
        w1,
        -torch.einsum("fhd,fdh->fh", knots, w1)[:, None] * dimensions**-0.5,
        torch.zeros(n, HIDDEN, width),
        torch.zeros(n, 1, width),
    )
    optimiser = torch.optim.Adam(mlps, lr=RATE, fused=True)
    linear = torch.full((*y.shape, width), -torch.inf)  # a class that a factor lacks
    for k, each in enumerate(problems):
        linear[k, : len(each.linear), : each.linear.shape[1]] = each.linear
    continuous = torch.tensor([each.continuous for each in problems])
    for step in range(steps + 1):
        if step in STOPS:
            yield step, mlps
        batch = factor, (torch.rand(n, BATCH, generator=rng) * rows).long()
        gradients = mlps.gradients(x[batch], linear[batch], y[batch], continuous)
        for weights, gradient in zip(mlps, gradients, strict=True):
            weights.grad = gradient
        optimiser.step()


def row_losses(outputs: Tensor, y: Tensor, continuous: list[bool]) -> Tensor:
    """Return `(factors, n)` cross entropies in nats, or squared errors.

    Args:
        outputs: `(factors, n, classes)`; of a continuous factor the first is used.
        y: `(factors, n)`.
        continuous: which factors are.
    """
    discrete = ~torch.tensor(continuous)
    nats = functional.cross_entropy(
        outputs[discrete].flatten(0, 1), y[discrete].long().flatten(), reduction="none"
    )
    losses = torch.empty_like(y)
    losses[discrete] = nats.view(-1, y.shape[1])
    losses[~discrete] = (outputs[~discrete][..., 0] - y[~discrete]).square()
    return losses
