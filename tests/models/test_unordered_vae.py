"""The seed's model: sizes of the paper, the bound term by term, subsets, variants."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from seqdis.errors import UserError
from tests.messages import rejected
from training.cell import make
from training.contract import Context, Spec
from training.distributions import draw, kl_standard, split_gaussian
from unordered_vae import model as seed_model
from unordered_vae.model import Config, Model, subsets

SMALL = Config(width=6, hidden=10, dim_f=4, dim_z=2)


def small(config: Config = SMALL, channels: int = 1) -> Model:
    n_frames = 5 if config.any_n else 6 if config.distinct else 3
    spec = Spec("toy", channels, 16, 8, 12, n_frames)
    return make(seed_model, config, spec, seed=0)


def paper(channels: int, dim_f: int) -> int:
    with torch.device("meta"):
        model = Model(Config(dim_f=dim_f), Spec("toy", channels, 64, 8, 178, 3))
    return sum(p.numel() for p in model.parameters())


def test_parameters_at_the_papers_sizes():
    conv = 256 * (3 * 16) + 3 * 256 * 256 * 16 + 4 * 256
    conv_c = 512 * 512 * 9 + 512
    conv_f = 512 * 1536 * 9 + 512 + (8192 * 512 + 512) + (512 * 512 + 512)
    q_z = (256 + 4096) * 512 + 512 + 512 * 512 + 512 + 512 * 4 + 4
    p_z = 256 * 512 + 512 + 512 * 512 + 512 + 512 * 4 + 4
    deconv = 258 * 4096 + 4096 + 3 * (256 * 256 * 16 + 256) + 256 * 3 * 16 + 3
    assert paper(3, 256) == conv + conv_c + conv_f + q_z + p_z + deconv
    assert paper(3, 256) == pytest.approx(24.16e6, rel=1e-3)
    assert paper(1, 64) == pytest.approx(22.97e6, rel=1e-3)


def test_the_bound_term_by_term():
    """Recompute the bound in numpy from the network's own outputs."""
    model, frames = small(), torch.rand(2, 3, 1, 16, 16)
    rng = torch.Generator().manual_seed(5)
    terms = model.loss(frames, Context(0, rng, torch.arange(2)))
    rng = torch.Generator().manual_seed(5)
    h = torch.stack([model.conv(frames[:, t]) for t in range(3)], 1)
    mu_f, logvar_f = model.q_f(h)
    f = draw(mu_f, logvar_f, rng)
    z_parameters = [model.q_z(torch.cat([f, h[:, t].flatten(1)], 1)) for t in range(3)]
    mu_z, logvar_z = split_gaussian(torch.stack(z_parameters, 1))
    z = draw(mu_z, logvar_z, rng)
    m, s = (p.detach().numpy().astype(float) for p in split_gaussian(model.p_z(f)))
    q, v = (p.detach().numpy().astype(float) for p in (mu_z, logvar_z))
    m, s = m[:, None], s[:, None]
    kl = 0.5 * (np.exp(v - s) + (m - q) ** 2 / np.exp(s) - 1 + s - v).sum((1, 2))
    np.testing.assert_allclose(terms["kl_dynamic"].detach(), kl, rtol=1e-4)
    q, v = (p.detach().numpy().astype(float) for p in (mu_f, logvar_f))
    kl = 0.5 * (np.exp(v) + q**2 - 1 - v).sum(1)
    np.testing.assert_allclose(terms["kl_static"].detach(), kl, rtol=1e-4)
    x = frames.numpy().astype(float)
    p = torch.sigmoid(model.p_x(f, z)).detach().numpy().astype(float)
    nll = -(x * np.log(p) + (1 - x) * np.log(1 - p)).sum((1, 2, 3, 4))
    np.testing.assert_allclose(terms["reconstruction"].detach(), nll, rtol=1e-4)


def test_f_at_test_time_is_the_mean_over_subsets():
    model, frames = small(), torch.rand(1, 8, 1, 16, 16)
    h = torch.stack([model.conv(frames[:, t]) for t in range(8)], 1)
    each = [model.q_f(h[:, s])[0] for s in subsets(8, 3, SMALL.test_combinations)]
    torch.testing.assert_close(model.encode(frames).static, torch.stack(each).mean(0))


@given(st.integers(1, 40), st.integers(2, 5), st.integers(1, 12))
def test_subsets_use_frames_equally_and_without_repeats(time: int, n: int, most: int):
    chosen = subsets(time, n, most)
    assert len(chosen) == most and all(len(s) == n for s in chosen)
    assert all(0 <= k < time for s in chosen for k in s)
    if time >= n:
        assert all(len(set(s)) == n for s in chosen)
    if most % time == 0:
        counts = np.bincount(np.ravel(chosen), minlength=time)
        assert counts.min() == counts.max()


def test_the_prior_depends_on_f():
    model = small()
    mu, _ = split_gaussian(model.p_z(torch.randn(2, 4)))
    assert not torch.allclose(mu[0], mu[1])


def noise(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def terms_of(model: Model, frames: torch.Tensor, seed: int = 5) -> dict:
    terms = model.loss(frames, Context(0, noise(seed), torch.arange(len(frames))))
    return {name: term.detach() for name, term in terms.items()}


def numbers(*tensors: torch.Tensor) -> list[np.ndarray]:
    return [tensor.detach().double().numpy() for tensor in tensors]


ANY = replace(SMALL, set_encoder="symmetric", any_n=True)
DISTINCT = replace(SMALL, distinct=True)


def test_any_n_draws_n_uniformly():
    model = small(ANY)
    h = torch.rand(1, 5, 6, 4, 4)
    drawn = [model.seen(h, noise(seed)).shape[1] for seed in range(2000)]
    counts = np.bincount(drawn, minlength=6)
    assert counts[:2].sum() == 0 and len(counts) == 6
    assert stats.chisquare(counts[2:]).pvalue > 1e-3


def test_any_n_infers_f_from_n_frames_and_explains_all():
    """The terms by hand, where the generator gives n first, then the noise."""
    model, frames = small(ANY), torch.rand(2, 5, 1, 16, 16)
    seen = set()
    for seed in range(8):
        rng = noise(seed)
        n = int(torch.randint(2, 6, (1,), generator=rng))
        seen.add(n)
        h = torch.stack([model.conv(frames[:, t]) for t in range(5)], 1)
        mu_f, logvar_f = model.q_f(h[:, :n])
        f = draw(mu_f, logvar_f, rng)
        z = draw(*model.infer_z(f, h), rng)
        x, p = numbers(frames, torch.sigmoid(model.p_x(f, z)))
        nll = -(x * np.log(p) + (1 - x) * np.log(1 - p)).sum((1, 2, 3, 4))
        terms = terms_of(model, frames, seed)
        np.testing.assert_allclose(terms["reconstruction"], nll, rtol=1e-4)
        kl = kl_standard(mu_f, logvar_f).detach()
        torch.testing.assert_close(terms["kl_static"], kl)
    assert len(seen) > 1


def test_any_n_uses_no_randomness_but_the_contexts():
    model, state = small(ANY), torch.get_rng_state()
    terms_of(model, torch.rand(2, 5, 1, 16, 16, generator=noise(0)))
    assert torch.equal(torch.get_rng_state(), state)
    # Without it, and outside training, nothing is drawn for n.
    for other in (small(), model.eval()):
        rng = noise(1)
        h = torch.rand(1, 5, 6, 4, 4)
        assert other.seen(h, rng) is h
        assert torch.equal(rng.get_state(), noise(1).get_state())


@given(st.integers(1, 40))
def test_any_n_at_test_time_sees_frames_spread_over_the_clip(time: int):
    [chosen] = small(ANY).test_subsets(time)
    if time == 1:
        assert chosen == [0, 0]
    elif time <= 12:
        assert chosen == list(range(time))
    else:
        gaps = np.diff([*chosen, time])
        assert chosen[0] == 0 and len(chosen) == 12 and gaps.max() - gaps.min() <= 1


def test_any_n_infers_one_f_from_these_frames_at_once():
    model, frames = small(ANY), torch.rand(1, 20, 1, 16, 16)
    [chosen] = model.test_subsets(20)
    h = torch.stack([model.conv(frames[:, t]) for t in chosen], 1)
    torch.testing.assert_close(model.encode(frames).static, model.q_f(h)[0])


def f_of_each_set(model: Model, frames: torch.Tensor) -> torch.Tensor:
    """Return the f that explains each set of each clip, `(clip, set, f)`."""
    caught = []
    hook = model.p_x.register_forward_pre_hook(lambda _, inputs: caught.append(inputs))
    terms_of(model, frames)
    hook.remove()
    return caught[0][0].unflatten(0, (len(frames), 2)).detach()


@pytest.mark.parametrize("half", [0, 1])
def test_distinct_infers_f_from_frames_it_does_not_explain(half: int):
    """Change the frames of one half: its own f stays, that of the other half moves."""
    model, frames = small(DISTINCT), torch.rand(2, 6, 1, 16, 16)
    changed = frames.clone()
    changed[:, half::2] = torch.rand(2, 3, 1, 16, 16)
    before, after = f_of_each_set(model, frames), f_of_each_set(model, changed)
    assert torch.equal(before[:, half], after[:, half])
    assert (before[:, 1 - half] != after[:, 1 - half]).any(-1).all()


def test_the_paper_does_infer_f_from_the_frames_it_explains():
    model = small()
    caught = []
    model.p_x.register_forward_pre_hook(lambda _, inputs: caught.append(inputs[0]))
    for _ in range(2):
        terms_of(model, torch.rand(2, 3, 1, 16, 16))
    assert not torch.equal(caught[0], caught[1])


def test_the_distinct_bound_term_by_term():
    """Two bounds per clip, f from the other half, recomputed in numpy."""
    model, frames = small(DISTINCT), torch.rand(2, 6, 1, 16, 16)
    assert model.n_frames == 6
    terms, rng = terms_of(model, frames, seed=5), noise(5)
    noise_f = torch.randn(4, 4, generator=rng)
    noise_z = torch.randn(4, 3, 2, generator=rng)
    for clip in range(2):
        half = frames[clip, 0::2], frames[clip, 1::2]
        total = dict.fromkeys(terms, 0.0)
        for this in (0, 1):
            other = 1 - this
            mu_f, logvar_f = model.q_f(model.conv(half[other])[None])
            f = mu_f + torch.exp(logvar_f / 2) * noise_f[2 * clip + other]
            inputs = torch.cat([f.expand(3, -1), model.conv(half[this]).flatten(1)], 1)
            mu_z, logvar_z = split_gaussian(model.q_z(inputs))
            z = mu_z + torch.exp(logvar_z / 2) * noise_z[2 * clip + this]
            x, p = numbers(half[this], torch.sigmoid(model.p_x(f, z[None]))[0])
            total["reconstruction"] -= (x * np.log(p) + (1 - x) * np.log(1 - p)).sum()
            q, v, m, s = numbers(mu_z, logvar_z, *split_gaussian(model.p_z(f)))
            kl = 0.5 * (np.exp(v - s) + (m - q) ** 2 / np.exp(s) - 1 + s - v)
            total["kl_dynamic"] += kl.sum()
            q, v = numbers(mu_f, logvar_f)
            total["kl_static"] += 0.5 * (np.exp(v) + q**2 - 1 - v).sum()
        for name, value in total.items():
            assert terms[name][clip].item() == pytest.approx(value, rel=1e-4), name


def test_the_standard_prior_has_no_network_and_no_f():
    model, paper = small(replace(SMALL, prior="standard")), small()
    missing = paper.state_dict().keys() - model.state_dict().keys()
    assert missing == {name for name in paper.state_dict() if name.startswith("p_z.")}
    codes = model.encode(torch.rand(3, 8, 1, 16, 16))
    mean, deviation = model.dynamic_prior(codes)
    assert mean.shape == codes.dynamic.shape
    assert torch.equal(mean, torch.zeros(3, 8, 2))
    assert torch.equal(deviation, torch.ones(3, 8, 2))
    drawn = model.sample_dynamic(codes.static, 8, noise(2))
    assert torch.equal(drawn, torch.randn(3, 8, 2, generator=noise(2)))


def test_the_standard_prior_against_a_numerical_integral():
    model = small(replace(SMALL, prior="standard", dim_z=1))
    frames = torch.rand(1, 3, 1, 16, 16)
    h = torch.stack([model.conv(frames[:, t]) for t in range(3)], 1)
    mu, logvar = model.infer_z(draw(*model.q_f(h), noise(5)), h)
    p, total = stats.norm(0, 1), 0.0
    for m, v in zip(*numbers(mu[0, :, 0], logvar[0, :, 0]), strict=True):
        q = stats.norm(m, np.exp(v / 2))
        total += integrate.quad(
            lambda x, q=q: q.pdf(x) * (q.logpdf(x) - p.logpdf(x)), -15, 15
        )[0]
    found = terms_of(model, frames)["kl_dynamic"]
    assert found.item() == pytest.approx(total, rel=1e-4)
    torch.testing.assert_close(found, kl_standard(mu, logvar).sum(1).detach())


@pytest.mark.parametrize(
    "mistake",
    [
        {"dim_f": 0},
        {"likelihood": "poisson"},
        {"set_encoder": "triples"},
        {"prior": "none"},
        {"any_n": True},
        {"any_n": True, "set_encoder": "symmetric", "distinct": True},
        {"any_n": True, "set_encoder": "symmetric", "test_frames": 1},
        {"set_encoder": "attention", "hidden": 10},
    ],
)
def test_bad_choices_are_refused(mistake: dict):
    with pytest.raises(UserError):
        Config(**mistake)


@pytest.mark.parametrize(("distinct", "n_frames"), [(False, 1), (True, 3), (True, 5)])
def test_clips_that_make_no_sets_are_refused(distinct: bool, n_frames: int):
    config = replace(SMALL, distinct=distinct)
    with rejected("n_frames", n_frames):
        make(seed_model, config, Spec("toy", 1, 16, 8, 12, n_frames), seed=0)
