"""Probes with one hidden layer: what a code knows that no line reads.

The networks of all factors are trained side by side, in the same few matrix products;
none sees another's weights or labels.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence

import training.no_compiler  # noqa: F401
from evaluation import usable
from evaluation.codes import Rows
from seqdis.seeds import torch_generator

VERSION = "1"
HIDDEN, BATCH, RATE = 64, 128, 0.02
# Steps after which a network may stop.
STOPS = (0, 10, 20, 30, 45, 60, 80, 100, 130, 160, 200, 250, 300)
PATIENCE = 3  # stops in a row that were nobody's best,
AT_LEAST = 100  # from this step on: many only begin to gain after some fifty
MANY = 50  # factors of more values are trained apart, not to widen all products


class Problem(NamedTuple):
    """One factor to be read.

    Attributes:
        x: standardised codes `(n, columns)`.
        y: `(n,)` number of the class, or standardised float label.
        line: `(n, classes)` log probabilities that the linear probe gives, or its
            answer `(n, 1)`, standardised like the label.
        discrete: whether labels are classes.
    """

    x: Tensor
    y: Tensor
    line: Tensor
    discrete: bool


def mlp(
    probes: Mapping[str, usable.Probe], test: Mapping[str, Rows]
) -> dict[str, usable.Usable]:
    """Train a network per factor beside its linear probe; return what both get.

    V-information as in `usable.usable`. The family V: the linear probe plus a layer of
    64 rectified units, whose output is added to the logits, or to the answer. It starts
    at 0, is trained by Adam on 128 rows a step, and the number of steps, at most 300,
    is chosen like the penalty of lines: on a quarter of the identities, held out from
    the line as well. Where nothing more can be read than a line reads, the network is
    not trained at all, so bits are hardly ever fewer than those of the line.

    Args:
        probes: of each factor, fitted to codes of the same columns.
        test: of the same factors; all rows are scored.

    Returns:
        By factor. Deterministic: weights and batches come from named streams.
    """
    found = {name: usable.told(probe, test[name]) for name, probe in probes.items()}
    able = [name for name in probes if probes[name].line and len(test[name].labels)]
    many = [
        name
        for name in able
        if probes[name].rows.labels.dtype.kind != "f"
        and len(np.unique(probes[name].rows.labels)) > MANY
    ]
    for names in ([name for name in able if name not in many], many):
        if names:
            asked = [probes[name] for name in names]
            better = side_by_side(asked, [test[name] for name in names])
            found |= {names[k]: each for k, each in better.items()}
    return found


def side_by_side(
    probes: list[usable.Probe], test: list[Rows]
) -> dict[int, usable.Usable]:
    """Return what networks get, of the factors where they get more than lines do."""
    stop, loss = stops(probes)
    whole = [problem(fitted, fitted.rows) for fitted in probes]
    shown = [problem(*each) for each in zip(probes, test, strict=True)]
    found = {}
    for step, nets in trained(whole, int(stop.max())):
        for k in torch.nonzero((stop == step) & (stop > 0)).flatten().tolist():
            said = nets.of(k, shown[k]).numpy().astype(float)
            labels = probes[k].rows.labels, test[k].labels
            found[k] = heard(*labels, said, float(loss[k]))
    return found


def heard(
    known: np.ndarray, truth: np.ndarray, said: np.ndarray, loss: float
) -> usable.Usable:
    """Return what outputs `(n, classes)` or `(n, 1)` tell of test labels."""
    if known.dtype.kind != "f":
        shares = np.exp(said - said.max(1, keepdims=True))
        shares /= shares.sum(1, keepdims=True)
        return usable.classes(known, truth, np.unique(known), shares)
    mean, scale = known.mean(dtype=float), known.std(dtype=float)
    return usable.numbers(known, truth, mean + scale * said[:, 0], loss * scale**2)


def problem(fitted: usable.Probe, rows: Rows, blind: bool = False) -> Problem:
    """Return rows of a factor as tensors, with what the linear probe says of them.

    Args:
        fitted: the linear probe, which has a line.
        rows: to be asked about. Values that were never trained on count as the first.
        blind: the line that has not seen the rows held out.
    """
    line, labels = fitted.line, fitted.rows.labels
    assert line is not None
    model, known = line.model, labels
    if blind:
        model, known = line.kept, labels[~line.out]
    x = line.scaled(rows.codes)
    if labels.dtype.kind == "f":
        mean, scale = labels.mean(dtype=float), labels.std(dtype=float)
        y = (rows.labels - mean) / scale
        said = (model.predict(x)[:, None] - mean) / scale
    else:
        values = np.unique(labels)
        y = np.searchsorted(values, rows.labels) % len(values)
        shares = model.predict_proba(x)
        chances = usable.chances(values, known, model.classes_, shares)
        said = np.log(np.maximum(chances, 1e-12))
    codes, answers, line_says = (
        torch.from_numpy(each).float() for each in (x, y, said)
    )
    return Problem(codes, answers, line_says, labels.dtype.kind != "f")


def stops(probes: list[usable.Probe]) -> tuple[Tensor, Tensor]:
    """Return the best number of steps of each factor, and its loss there.

    Trained without the identities held out, and asked about them, until nobody has
    gained for three stops, a hundred steps at least. A gain of less than two standard
    errors over these identities is taken for luck: no steps.
    """
    kept: list[Problem] = []
    away: list[Problem] = []
    people: list[np.ndarray] = []
    for fitted in probes:
        assert fitted.line is not None
        out = fitted.line.out
        for part, problems in ((~out, kept), (out, away)):
            rows = Rows(fitted.rows.codes[part], fitted.rows.labels[part])
            problems.append(problem(fitted, rows, blind=True))
        people.append(fitted.rows.groups[out])
    seen: list[list[Tensor]] = []  # at every stop, each factor's loss of every row
    for step, nets in trained(kept, STOPS[-1]):
        seen.append(
            [
                loss(nets.of(k, each)[None], each.y[None], [each.discrete])[0]
                for k, each in enumerate(away)
            ]
        )
        mean = torch.tensor([[row.mean() for row in rows] for rows in seen])
        best = mean.argmin(0)
        if step >= AT_LEAST and len(seen) > best.max() + PATIENCE:
            break
    for k, at in enumerate(best.tolist()):
        if not surely_less(seen[at][k], seen[0][k], people[k]):
            best[k] = 0
    return torch.tensor(STOPS)[best], mean.gather(0, best[None])[0]


def surely_less(ours: Tensor, theirs: Tensor, people: np.ndarray) -> bool:
    """Return whether losses of rows are less by more than two standard errors.

    Of one person there is no such error, and nothing is sure.
    """
    _, who, rows = np.unique(people, return_inverse=True, return_counts=True)
    gain = np.bincount(who, (theirs - ours).numpy()) / rows
    if len(gain) < 2:
        return False
    return bool(gain.mean() > 2 * gain.std(ddof=1) / len(gain) ** 0.5)


class Networks(NamedTuple):
    """Weights of F networks, beside one another."""

    w1: Tensor
    b1: Tensor
    w2: Tensor
    b2: Tensor

    def __call__(self, x: Tensor) -> Tensor:
        """Return `(F, n, classes)`, what is added to the line of codes `(F, n, d)`."""
        hidden = torch.baddbmm(self.b1, x, self.w1, alpha=x.shape[2] ** -0.5)
        return torch.baddbmm(self.b2, torch.relu(hidden), self.w2)

    def of(self, k: int, problem: Problem) -> Tensor:
        """Return what the network of one factor says of its rows, with the line."""
        alone = Networks(*(each[k : k + 1].detach() for each in self))
        return problem.line + alone(problem.x[None])[0, :, : problem.line.shape[1]]


def trained(problems: list[Problem], steps: int) -> Iterator[tuple[int, Networks]]:
    """Yield (steps taken, networks) at every stop up to `steps`."""
    rng = torch_generator(torch.device("cpu"), "mlp", len(problems))
    n, columns = len(problems), problems[0].x.shape[1]
    width = max(each.line.shape[1] for each in problems)
    x = pad_sequence([each.x for each in problems], batch_first=True)
    y = pad_sequence([each.y for each in problems], batch_first=True)
    rows = torch.tensor([[len(each.y)] for each in problems])
    factor = torch.arange(n)[:, None]
    w1 = torch.randn(n, columns, HIDDEN, generator=rng) * 2**0.5
    # Half of the units bend in the middle of the codes, half at a row, where folds are.
    knots = x[factor, (torch.rand(n, HIDDEN, generator=rng) * rows).long()]
    knots[:, ::2] = 0
    nets = Networks(
        w1,
        -torch.einsum("fhd,fdh->fh", knots, w1)[:, None] * columns**-0.5,
        torch.zeros(n, HIDDEN, width),
        torch.zeros(n, 1, width),
    )
    optimiser = torch.optim.Adam(
        [each.requires_grad_() for each in nets], lr=RATE, fused=True
    )
    line = torch.full((*y.shape, width), -torch.inf)  # a class that a factor lacks
    for k, each in enumerate(problems):
        line[k, : len(each.line), : each.line.shape[1]] = each.line
    discrete = [each.discrete for each in problems]
    for step in range(steps + 1):
        if step in STOPS:
            yield step, nets
        some = factor, (torch.rand(n, BATCH, generator=rng) * rows).long()
        total = loss(line[some] + nets(x[some]), y[some], discrete).mean(1).sum()
        optimiser.zero_grad()
        total.backward()
        optimiser.step()


def loss(outputs: Tensor, y: Tensor, discrete: list[bool]) -> Tensor:
    """Return cross entropies in nats, or squared errors, of every row `(F, n)`.

    Args:
        outputs: `(F, n, classes)`; of a float label the first is its answer.
        y: `(F, n)`.
        discrete: which factors have classes.
    """
    classes = torch.tensor(discrete)
    nats = functional.cross_entropy(
        outputs[classes].flatten(0, 1), y[classes].long().flatten(), reduction="none"
    )
    error = (outputs[~classes][..., 0] - y[~classes]).square()
    parts = torch.empty_like(y)
    parts[classes], parts[~classes] = nats.view(-1, y.shape[1]), error
    return parts
