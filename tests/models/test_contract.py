"""What every discovered model must do. A new model file needs no new test."""

import inspect
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from seqdis.catalogue import TRAIN, find_bases
from seqdis.seeds import torch_generator
from tests.models.starts import ratios
from training import checkpoint
from training.cell import load_module, make, resolve
from training.contract import Codes, Context, Spec
from training.fit_model import minimised
from training.flops import flop_per_frame
from training.loop import fit
from training.posterior import start_posteriors

CPU = torch.device("cpu")
SPEC = Spec(name="toy", channels=3, size=16, sequences=48, longest=12)
SHARED = {"width": 8, "hidden": 24, "dim_f": 5, "dim_z": 3}


def discovered() -> list[str]:
    """Return the modules of all models, by file, as the workflow does.

    A person's own model is tested with them if SEQDIS_MODULE names its module.
    """
    trained = [base.module for base in find_bases([]).values() if base.rule == TRAIN]
    own = os.environ.get("SEQDIS_MODULE")
    return [*trained, *([own] if own else [])]


# Settings under which a model must pass as well, besides its defaults; `n_frames` is
# one of training.
VARIANTS: dict[str, list[dict]] = {
    "unordered_vae.model": [
        {},
        {"set_encoder": "symmetric"},
        {"set_encoder": "mean_pool"},
        {"set_encoder": "attention"},
        {"set_encoder": "symmetric", "any_n": True, "n_frames": 5},
        {"distinct": True, "n_frames": 6},
        {"prior": "standard"},
    ],
    "baselines.dsae": [{}, {"posterior": "full"}],
    "baselines.neural_statistician": [{}, {"layers": 2}],
    "baselines.fhvae": [{}, {"segment": 3}],
    "baselines.svg": [{}, {"prior": "fixed"}, {"skips": 2}],
}


def variants() -> list:
    """Return `(module, settings)` of all models and their named variants."""
    return [
        pytest.param(
            (name, own), id=",".join([name, *(f"{k}={v}" for k, v in own.items())])
        )
        for name in discovered()
        for own in VARIANTS.get(name, [{}])
    ]


def build(variant: tuple[str, dict], **shared: int) -> nn.Module:
    name, own = variant
    module = load_module(name)
    training = {key: own[key] for key in ("n_frames",) if key in own}
    model = {key: value for key, value in own.items() if key not in training}
    settings = {"training": training, "shared": SHARED | shared, "model": model}
    resolved, config = resolve(module, settings, name)
    made = make(module, config, replace(SPEC, n_frames=resolved.n_frames), seed=0)
    start_posteriors(made, clips(made, 32, "start"), context(batch=32))
    return made


@pytest.fixture(params=variants())
def model(request: pytest.FixtureRequest) -> nn.Module:
    return build(request.param)


def clips(
    model: nn.Module,
    batch: int = 4,
    stream: object = "clips",
    colour: torch.Tensor | None = None,
) -> torch.Tensor:
    """Return white bars that move before a colour: `(batch, time, 3, 16, 16)`."""
    rng = torch_generator(CPU, stream)
    colour = colours(batch, stream) if colour is None else colour
    frames = colour.repeat(1, model.n_frames, 1, 16, 16)
    for clip in frames:
        for frame in clip:
            left = int(torch.randint(0, 12, (1,), generator=rng))
            frame[:, 4:12, left : left + 4] = 1
    return frames


def context(step: int = 0, batch: int = 4) -> Context:
    sequences = (torch.arange(batch) + step * batch) % SPEC.sequences
    return Context(step, torch_generator(CPU, "noise", step), sequences)


def colours(n: int, stream: object) -> torch.Tensor:
    return 0.6 * torch.rand(n, 1, 3, 1, 1, generator=torch_generator(CPU, stream))


def test_says_what_it_is(model: nn.Module):
    assert model.label and model.paper and inspect.getmodule(type(model)).__doc__
    assert model.order in ("ordered", "unordered")
    assert model.role in ("model", "control")
    assert set(model.capabilities) <= {
        "codes",
        "swap",
        "sample_static",
        "sample_dynamic",
    }
    supported, reason = model.supports(SPEC)
    assert supported or reason


def test_signal_and_noise_of_posteriors_start_equal(model: nn.Module):
    """The variance of each mean is about that of its noise, on clips not seen before.

    Else one model's codes would be buried in noise, and closed by the KL, where another
    one's are not.
    """
    found = ratios(model, clips(model, 32), context(batch=32))
    assert all(0.1 < ratio < 5 for ratio in found), found
    # What has a density q(f, z | x) draws from it where the test can see it.
    assert found or model.log_weight(clips(model), context()) is None


def test_loss_terms_are_finite_nats_per_sequence(model: nn.Module):
    terms = model.loss(clips(model), context())
    assert terms
    for name, value in terms.items():
        assert value.shape == (4,), name
        assert torch.isfinite(value).all(), name


def test_every_parameter_learns(model: nn.Module):
    terms = model.loss(clips(model), context())
    torch.stack([term.mean() for term in terms.values()]).sum().backward()
    lost = [
        n for n, p in model.named_parameters() if p.grad is None or not p.grad.any()
    ]
    # A ReLU unit can be dead in one batch, a whole parameter of a layer cannot.
    assert not lost


# torch warns of Intel GPUs when mkldnn is switched off, whatever the machine has.
@pytest.mark.filterwarnings("ignore:TF32")
def test_its_cost_is_counted_and_changes_nothing(model: nn.Module):
    before = model.loss(clips(model, 1), context(batch=1))
    one = clips(model, 1)
    found = flop_per_frame(model, one, context(batch=1))
    counter = FlopCounterMode(display=False)
    with torch.backends.mkldnn.flags(enabled=False), counter:
        model.loss(one, context(batch=1))
    assert found == counter.get_total_flops() // one.shape[1] > 1000
    after = model.loss(clips(model, 1), context(batch=1))
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert all(p.grad is None for p in model.parameters())


def test_randomness_comes_from_the_context_alone(model: nn.Module):
    now, untouched = context(step=1), context(step=1)
    first = model.loss(clips(model), now)
    torch.manual_seed(123)
    again = model.loss(clips(model), context(step=1))
    other = model.loss(clips(model), context(step=2))
    assert all(torch.equal(first[k], again[k]) for k in first)
    drew = not torch.equal(now.generator.get_state(), untouched.generator.get_state())
    # A deterministic model draws nothing; one with a prior learns from samples.
    assert drew or not any(name.startswith("sample") for name in model.capabilities)
    assert any(not torch.equal(first[k], other[k]) for k in first) or not drew


def test_log_weights_have_the_elbo_as_their_mean(model: nn.Module):
    """Draws of one clip: log w and minus the loss differ only by sampling the KL."""
    many = 600
    one = clips(model, 1).expand(many, *[-1] * 4)
    now = Context(0, torch_generator(CPU, "w"), torch.full((many,), -1))
    with torch.no_grad():
        weight = model.eval().log_weight(one, now)
        again = Context(0, torch_generator(CPU, "w"), now.sequences)
        terms = model.loss(one, again)
    if weight is None:
        pytest.skip("no joint density of frames and codes")
    assert weight.shape == (many,) and torch.isfinite(weight).all()
    if set(terms) != {"reconstruction", "kl_dynamic", "kl_static"}:
        pytest.skip("its loss is more than a bound; its own test compares")
    gap = (weight + torch.stack([*terms.values()]).sum(0)).double()
    error = gap.std().item() / many**0.5
    assert 0 < error < 1 and abs(gap.mean().item()) < 4 * error


def test_an_ordered_model_can_be_asked_about_shorter_clips(model: nn.Module):
    if "codes" not in model.capabilities or model.order != "ordered":
        pytest.skip("no clips of other lengths are asked about")
    frames = clips(model)[:, : model.n_frames // 2]
    with torch.no_grad():
        terms = model.eval().loss(frames, context())
    assert all(torch.isfinite(term).all() for term in terms.values())


@pytest.mark.parametrize("time", [1, 2, 3, 8, 11])
def test_encode_takes_any_length_and_has_no_randomness(model: nn.Module, time: int):
    if "codes" not in model.capabilities:
        pytest.skip("no encoder")
    frames = torch.rand(2, time, 3, 16, 16)
    codes = model.encode(frames)
    assert codes.static.shape[0] == 2 and codes.static.ndim == 2
    assert codes.dynamic.shape[:2] == (2, time) and codes.dynamic.ndim == 3
    again = model.encode(frames)
    assert torch.equal(codes.static, again.static)
    assert torch.equal(codes.dynamic, again.dynamic)


def test_clips_of_a_batch_do_not_see_each_other(model: nn.Module):
    if "codes" not in model.capabilities:
        pytest.skip("no encoder")
    model.eval()  # layers such as batch normalisation may look around in training
    frames = torch.rand(3, 8, 3, 16, 16)
    together = model.encode(frames)
    alone = model.encode(frames[1:2])
    torch.testing.assert_close(together.static[1:2], alone.static)
    torch.testing.assert_close(together.dynamic[1:2], alone.dynamic)


def test_decodes_any_static_with_any_dynamic(model: nn.Module):
    if "swap" not in model.capabilities:
        pytest.skip("no swap")
    codes = model.encode(torch.rand(4, 8, 3, 16, 16))
    frames = model.decode(Codes(codes.static[[0, 1]], codes.dynamic[[2, 3]]))
    assert frames.shape == (2, 8, 3, 16, 16)
    assert frames.min() >= 0 and frames.max() <= 1
    one = model.decode(Codes(codes.static[[0]], codes.dynamic[[2]]))
    torch.testing.assert_close(frames[:1], one)


def test_samples_and_priors_have_the_shapes_of_codes(model: nn.Module):
    able = model.capabilities
    codes = None
    if "codes" in able:
        codes = model.encode(torch.rand(4, 8, 3, 16, 16))
    static = codes.static if codes else None
    if "sample_static" in able:
        static = model.sample_static(4, torch_generator(CPU, "f"))
        assert torch.equal(static, model.sample_static(4, torch_generator(CPU, "f")))
        assert codes is None or static.shape == codes.static.shape
    if "sample_dynamic" in able:
        dynamic = model.sample_dynamic(static, 8, torch_generator(CPU, "z"))
        same = model.sample_dynamic(static, 8, torch_generator(CPU, "z"))
        assert torch.equal(dynamic, same)
        assert codes is None or dynamic.shape == codes.dynamic.shape
        frames = model.decode(Codes(static, dynamic))
        assert frames.shape == (4, 8, 3, 16, 16)
        assert frames.min() >= 0 and frames.max() <= 1
    if codes is None:
        return
    prior = model.dynamic_prior(codes)
    if prior is not None:
        assert prior[0].shape == prior[1].shape == codes.dynamic.shape
        assert (prior[1] > 0).all()


def test_weights_survive_a_file(model: nn.Module, tmp_path: Path):
    checkpoint.save(tmp_path / "m.safetensors", model.state_dict(), {})
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    checkpoint.load_into(model, tmp_path / "m.safetensors")
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())


def colour_and_place(frames: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Read the toy's two factors off frames: colour per clip, place per frame."""
    colour = frames[..., :3, :].mean((1, 3, 4))
    bar = (frames.mean(2) - colour.mean(1)[:, None, None, None]).clamp(0) + 1e-6
    column = bar[..., 4:12, :].sum(2)
    place = (column * torch.arange(16)).sum(-1) / column.sum(-1)
    return colour.numpy(), place.numpy()


@torch.no_grad()
def toy_swap_score(model: nn.Module) -> float:
    """Return the harmonic mean of two correlations: colour with A's, place with B's."""
    a, b = clips(model, 24, "a"), clips(model, 24, "b")
    swap = model.decode(Codes(model.encode(a).static, model.encode(b).dynamic))
    colour, place = colour_and_place(swap)
    kept = np.corrcoef(colour.ravel(), colour_and_place(a)[0].ravel())[0, 1]
    moved = np.corrcoef(place.ravel(), colour_and_place(b)[1].ravel())[0, 1]
    low, high = sorted(np.nan_to_num([kept, moved]).clip(0))
    return 0.0 if low == 0 else 2 / (1 / low + 1 / high)


@pytest.mark.slow
@pytest.mark.parametrize("variant", variants())
def test_learns_to_swap(variant: tuple[str, dict]):
    """The loss falls, and swaps are far better than those of the untrained network."""
    model = build(variant, dim_z=1)
    if "swap" not in model.capabilities:
        pytest.skip("no encoder: its own test says what it learns")
    if "segment" in variant[1]:
        pytest.skip("the toy's bars jump: neighbours say nothing of a frame")

    palette = colours(SPEC.sequences, "palette")

    def terms_at(step: int) -> dict[str, torch.Tensor]:
        now = context(step, 6)
        frames = clips(model, 6, step, palette[now.sequences])
        terms = model.loss(frames, now)
        return minimised(model, terms)

    before = toy_swap_score(model.eval())
    history = fit(model, terms_at, steps=500, learning_rate=1e-2).history
    # No name of a term is reserved, and some have constants that do not fall.
    losses = [v for _, _, term, v in history if term == "reconstruction"]
    assert not losses or losses[-1] < losses[0]
    assert toy_swap_score(model.eval()) > before + 0.3
