"""The loop: learns, resumes bit-identically, never hides a failure."""

import math
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from seqdis.seeds import torch_generator
from tests.messages import rejected
from training.loop import Interrupted, fit, learning_rate_at

ROOT = Path(__file__).parents[2]


class Killed(BaseException):
    """Stands for kill -9."""


def problem(seed: int = 0, die_at: int | None = None):
    torch.manual_seed(seed)
    module = nn.Linear(4, 1)

    def terms_at(step: int) -> dict[str, Tensor]:
        if step == die_at:
            raise Killed
        x = torch.randn(
            8, 4, generator=torch_generator(torch.device("cpu"), seed, step)
        )
        error = (module(x)[:, 0] - x.sum(1)).square().mean()
        return {"error": error, "size": 0.001 * module.weight.square().sum()}

    return module, terms_at


def run(partial: Path | None, die_at: int | None = None, fingerprint: str = "a"):
    module, terms_at = problem(die_at=die_at)
    result = fit(
        module,
        terms_at,
        steps=230,
        learning_rate=0.05,
        partial=partial,
        fingerprint=fingerprint,
    )
    return module, result


def values(result) -> list[tuple[int, str, float]]:
    return [(step, term, value) for step, _, term, value in result.history]


def test_learns_and_keeps_a_history():
    _, result = run(None)
    errors = [value for _, _, term, value in result.history if term == "error"]
    assert result.status == "done" and result.steps == 230
    assert [s for s, _, t, _ in result.history if t == "loss"] == [
        50,
        100,
        150,
        200,
        230,
    ]
    assert errors[-1] < 0.01 * errors[0]


def test_killed_and_resumed_equals_uninterrupted(tmp_path, monkeypatch):
    whole, expected = run(None)
    monkeypatch.setattr("training.loop.SAVE_SECONDS", 0.0)
    for die_at in (61, 150, 217):
        with pytest.raises(Killed):
            run(tmp_path, die_at=die_at)
    module, result = run(tmp_path)
    assert torch.equal(module.weight, whole.weight)
    assert values(result) == values(expected)


def test_a_finished_state_is_not_trained_again(tmp_path):
    run(tmp_path)
    _, result = run(tmp_path, die_at=0)
    assert result.status == "done" and result.steps == 230


def test_a_state_of_other_settings_is_not_resumed(tmp_path):
    run(tmp_path)
    with pytest.raises(Killed):
        run(tmp_path, die_at=0, fingerprint="b")


def test_damaged_state_is_named(tmp_path):
    run(tmp_path)
    state = tmp_path / "state.safetensors"
    state.write_bytes(state.read_bytes()[:200])
    with rejected(state) as problem:
        run(tmp_path)
    assert problem.value.__cause__  # of the reader


def test_sigterm_saves_and_stops(tmp_path):
    module, terms_at = problem()

    def terms_then_signal(step: int) -> dict[str, Tensor]:
        if step == 70:
            os.kill(os.getpid(), signal.SIGTERM)
        return terms_at(step)

    options = {"steps": 230, "learning_rate": 0.05, "partial": tmp_path}
    with pytest.raises(Interrupted, match=r"\b71\b"):
        fit(module, terms_then_signal, **options)
    # What comes after a training is stopped by a signal as it always is.
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    again, terms_at = problem()
    fit(again, terms_at, **options)
    whole, _ = run(None)
    assert torch.equal(again.weight, whole.weight)


@pytest.mark.parametrize(
    ("failure", "status"),
    [
        (lambda loss: loss * float("nan"), "diverged"),
        (lambda loss: loss / 0, "diverged"),
        (lambda loss: _out_of_memory(), "out_of_memory"),
        (lambda loss: torch.empty(2**60), "out_of_memory"),
    ],
)
def test_expected_failures_become_verdicts(failure, status):
    module, terms_at = problem()

    def failing(step: int) -> dict[str, Tensor]:
        terms = terms_at(step)
        return {"error": failure(terms["error"])} if step == 5 else terms

    result = fit(module, failing, steps=20, learning_rate=0.01)
    assert result.status == status and result.reason and result.steps == 5
    assert torch.isfinite(module.weight).all()


def _out_of_memory() -> Tensor:
    raise torch.OutOfMemoryError("no room")


def test_a_bug_is_not_a_verdict():
    module, _ = problem()

    def buggy(step: int) -> dict[str, Tensor]:
        raise RuntimeError("shapes do not fit")

    with pytest.raises(RuntimeError, match="shapes"):
        fit(module, buggy, steps=2, learning_rate=0.01)


def test_over_budget():
    module, terms_at = problem()
    result = fit(module, terms_at, steps=10**6, learning_rate=0.01, max_minutes=1e-6)
    assert result.status == "over_budget" and result.steps == 1


def test_schedules():
    rates = [learning_rate_at(step, 1000, 1.0, "cosine") for step in range(1000)]
    assert max(rates) == pytest.approx(1, abs=0.03) and rates[0] == pytest.approx(0.01)
    assert rates[-1] < 1e-4
    assert learning_rate_at(7, 10, 0.3, "constant") == 0.3


def test_no_training_waits_for_the_compiler():
    """One that is interrupted and resumed neither."""
    program = """if True:
        import pathlib, sys, tempfile
        import tests.training.test_loop as t
        with tempfile.TemporaryDirectory() as folder:
            t.run(pathlib.Path(folder))
            t.run(pathlib.Path(folder))
        sys.exit("torch._dynamo" in sys.modules)
    """
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)


def test_a_loss_among_the_terms_is_what_is_minimised():
    module, terms_at = problem()

    def weighted(step: int) -> dict[str, Tensor]:
        terms = terms_at(step)
        return terms | {"loss": terms["size"]}

    before = module.weight.detach().norm()
    result = fit(module, weighted, steps=200, learning_rate=0.05)
    last = {term: value for _, _, term, value in result.history}
    assert module.weight.norm() < 0.1 * before and last["error"] > 1
    assert last["loss"] == pytest.approx(last["size"])


def spiky(bad: set[int], steps: int = 60, **settings: float):
    """Fit with gradients that are infinite, but losses that are not, at some steps."""
    module, terms_at = problem()
    module.weight.register_hook(
        lambda gradient: gradient * (float("inf") if now[0] in bad else 1.0)
    )
    now = [0]

    def watched(step: int) -> dict[str, Tensor]:
        now[0] = step
        return terms_at(step)

    return module, fit(module, watched, steps=steps, learning_rate=0.05, **settings)


def test_a_step_with_an_infinite_gradient_is_left_out():
    module, result = spiky({7, 20, 21})
    assert result.status == "done" and result.steps == 60 and result.spikes == 0
    assert torch.isfinite(module.weight).all()
    assert all(math.isfinite(value) for *_, value in result.history)


def test_many_in_a_row_are_a_divergence():
    _, result = spiky(set(range(20, 60)))
    assert result.status == "diverged" and result.steps == 30
    assert "gradient" in result.reason


def test_a_large_gradient_is_made_as_large_as_allowed():
    """One step of plain descent moves the weights by the rate times the norm."""
    module, terms_at = problem()
    before = module.weight.detach().clone(), module.bias.detach().clone()
    fit(
        module,
        lambda step: {name: 1000 * term for name, term in terms_at(step).items()},
        steps=1,
        learning_rate=0.1,
        schedule="constant",
        gradient_clip=2.0,
        optimizer=torch.optim.SGD(module.parameters()),
    )
    moved = [old - new for old, new in zip(before, module.parameters(), strict=True)]
    length = torch.cat([x.detach().flatten() for x in moved]).norm()
    assert length.item() == pytest.approx(0.2, rel=1e-5)


def test_groups_have_rates_of_their_own():
    module, terms_at = problem()
    still = module.bias.detach().clone()
    groups = [{"params": [module.weight]}, {"params": [module.bias], "scale": 0.0}]
    optimizer = torch.optim.Adam(groups)
    fit(module, terms_at, steps=5, learning_rate=0.1, optimizer=optimizer)
    assert torch.equal(module.bias, still) and module.weight.abs().sum() > 0


def averaged(partial: Path | None, die_at: int | None = None) -> nn.Module:
    module, terms_at = problem(die_at=die_at)
    fit(module, terms_at, steps=230, learning_rate=0.05, partial=partial, ema=0.9)
    return module


def test_the_average_is_the_mean_of_the_weights_on_the_way():
    module, terms_at = problem()
    average = module.weight.detach().clone()
    seen: list[Tensor] = []

    def watched(step: int) -> dict[str, Tensor]:
        seen.append(module.weight.detach().clone())
        return terms_at(step)

    fit(module, watched, steps=230, learning_rate=0.05)
    for weight in [*seen[1:], module.weight.detach()]:
        average = 0.9 * average + 0.1 * weight
    torch.testing.assert_close(averaged(None).weight.detach(), average)


def test_the_average_survives_a_kill(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("training.loop.SAVE_SECONDS", 0.0)
    with pytest.raises(Killed):
        averaged(tmp_path, die_at=120)
    resumed, whole = averaged(tmp_path), averaged(None)
    assert torch.equal(resumed.weight, whole.weight)
