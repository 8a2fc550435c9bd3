"""FHVAE: the table of mu2, its closed form, the discriminative term, segments."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, optimize, stats

from baselines import fhvae
from baselines.fhvae import VAR_Z2, Config, Model, closed_form, windows
from training.cell import make
from training.contract import Codes, Context, Spec
from training.distributions import draw, kl_standard, split_gaussian

UNSEEN = torch.tensor([-1, -1])


def small(sequences: int = 7, **sizes: float) -> Model:
    given_sizes = {"width": 6, "hidden": 10, "dim_f": 3, "dim_z": 2}
    config = Config(**given_sizes | sizes)
    return make(fhvae, config, Spec("toy", 1, 16, sequences, 12, 4), seed=0)


def context(sequences: torch.Tensor, step: int = 0) -> Context:
    return Context(step, torch.Generator().manual_seed(5), sequences)


def filled(sequences: int = 7, **sizes: float) -> Model:
    """Return a model whose table is random, and whose rows all count as set."""
    model = small(sequences, **sizes)
    with torch.no_grad():
        model.mu2.normal_(0, 0.3, generator=torch.Generator().manual_seed(2))
        model.due.fill_(1000)
    return model


@pytest.mark.parametrize("rows", [7, 60])  # torch.cdist has another algorithm above 25
def test_which_sequence_against_brute_force(rows: int):
    model, z2 = filled(rows), torch.randn(2, 4, 3)
    sequences = torch.tensor([6, 1])
    table = model.mu2.detach().numpy().astype(float)
    for b in range(2):
        for t in range(4):
            logits = [
                -((z2[b, t].numpy() - row) ** 2).sum() / (2 * 0.25) for row in table
            ]
            expected = logits[sequences[b]] - math.log(sum(map(math.exp, logits)))
            found = model.log_which(z2, sequences)[b, t].item()
            assert found == pytest.approx(expected, rel=1e-4)


def test_a_table_of_equal_rows_tells_nothing():
    model = filled()
    with torch.no_grad():
        model.mu2.zero_()
    found = model.log_which(torch.randn(2, 4, 3), torch.tensor([0, 3]))
    torch.testing.assert_close(found, torch.full((2, 4), -math.log(7)))


@pytest.mark.parametrize("rows", [7, 60])
def test_a_frame_at_a_row_of_the_table_has_a_gradient(rows: int):
    """The distance has none at 0, its square has: z2 is pulled away from other rows."""
    model = filled(rows)
    z2 = model.mu2.detach()[None, :2].clone().requires_grad_()
    model.log_which(z2, torch.tensor([0])).sum().backward()
    table, wanted = model.mu2.detach(), torch.zeros(rows)
    wanted[0] = 1
    for t in range(2):
        logits = -(z2[0, t].detach() - table).square().sum(1) / (2 * 0.25)
        expected = (wanted - torch.softmax(logits, 0)) @ table / 0.25
        torch.testing.assert_close(z2.grad[0, t], expected, rtol=1e-3, atol=1e-4)


@given(st.integers(1, 6))
def test_the_closed_form_is_the_most_likely_mu2(time: int):
    z2 = torch.randn(1, time, 1, dtype=torch.float64)

    def minus_log(mu2: float) -> float:
        near = stats.norm(mu2, math.sqrt(VAR_Z2)).logpdf(z2.numpy()).sum()
        return -(near + stats.norm(0, 1).logpdf(mu2))

    best = optimize.minimize_scalar(minus_log, bounds=(-9, 9), method="bounded").x
    assert closed_form(z2).item() == pytest.approx(best, abs=1e-3)


@pytest.mark.parametrize("sequences", [torch.tensor([2, 5]), UNSEEN])
def test_every_term_by_hand(sequences: torch.Tensor):
    model, frames = filled(alpha=3.0), torch.rand(2, 4, 1, 16, 16)
    terms = model.loss(frames, context(sequences))
    rng = torch.Generator().manual_seed(5)
    v = torch.stack([model.segments.features(frames[:, t]) for t in range(4)], 1)
    mu_z2, logvar_z2 = split_gaussian(model.q_z2(v))
    z2 = draw(mu_z2, logvar_z2, rng)
    mu_z1, logvar_z1 = split_gaussian(model.q_z1(torch.cat([v, z2], -1)))
    z1 = draw(mu_z1, logvar_z1, rng)
    mu2 = model.mu2[sequences] if sequences[0] >= 0 else closed_form(mu_z2)
    nll = torch.zeros(2)
    for t in range(4):
        p = torch.sigmoid(model.p_x(z2[:, t], z1[:, t : t + 1])[:, 0])
        x = frames[:, t]
        nll -= (x * p.log() + (1 - x) * (1 - p).log()).sum((1, 2, 3))
    torch.testing.assert_close(terms["reconstruction"], nll, rtol=1e-4, atol=1e-3)
    torch.testing.assert_close(
        terms["kl_dynamic"], kl_standard(mu_z1, logvar_z1).sum(1)
    )
    # 4 of the 12 frames of a training sequence; another clip is all of its sequence
    share = 4 / 12 if sequences[0] >= 0 else 1
    torch.testing.assert_close(terms["table_prior"], 0.5 * share * (mu2**2).sum(1))
    total = 0.0
    for t in range(4):
        for d in range(3):
            mu, sd = mu_z2[0, t, d].item(), (logvar_z2[0, t, d] / 2).exp().item()
            q, p = stats.norm(mu, sd), stats.norm(mu2[0, d].item(), 0.5)
            total += integrate.quad(
                lambda x, q=q, p=p: q.pdf(x) * (q.logpdf(x) - p.logpdf(x)),
                mu - 12 * sd,
                mu + 12 * sd,
            )[0]
    assert terms["kl_segment"][0].item() == pytest.approx(total, rel=1e-4)
    if sequences[0] >= 0:
        expected = -3.0 * model.log_which(mu_z2, sequences).sum(1)
        torch.testing.assert_close(terms["discriminative"], expected)
    else:
        assert "discriminative" not in terms


@pytest.mark.parametrize("alpha", [0.0, 10.0])
def test_which_rows_of_the_table_learn(alpha: float):
    """Without the discriminative term only the rows of the batch do."""
    model = filled(alpha=alpha)
    terms = model.loss(torch.rand(2, 4, 1, 16, 16), context(torch.tensor([2, 5]), 1))
    torch.stack([t.mean() for t in terms.values()]).sum().backward()
    learns = model.mu2.grad.abs().sum(1) > 0
    expected = [True] * 7 if alpha else [k in (2, 5) for k in range(7)]
    assert learns.tolist() == expected


@pytest.mark.parametrize("sequences", [UNSEEN, torch.tensor([2, -1])])
def test_an_unseen_clip_does_not_look_into_the_table(sequences: torch.Tensor):
    """Nor does a batch with one: -1 would be the last row."""
    model, frames = filled(), torch.rand(2, 4, 1, 16, 16)
    before, codes = model.loss(frames, context(sequences)), model.encode(frames)
    with torch.no_grad():
        model.mu2.add_(100)
    after, again = model.loss(frames, context(sequences)), model.encode(frames)
    assert "discriminative" not in before
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert torch.equal(codes.static, again.static)


def test_a_row_is_the_closed_form_of_what_its_sequence_showed():
    """Set when first drawn, and when drawn `refresh` steps later; learnt in between."""
    model, clips = small(refresh=10), torch.rand(4, 2, 4, 1, 16, 16)
    with torch.no_grad():
        z2 = [split_gaussian(model.q_z2(model.segments(clip)))[0] for clip in clips]
    both, one = torch.tensor([2, 5]), torch.tensor([2, 2])
    model.loss(clips[0], context(both, 0))
    torch.testing.assert_close(model.mu2[both], z2[0].sum(1) / 4.25)
    assert not model.mu2[[0, 1, 3, 4, 6]].any()
    with torch.no_grad():
        model.mu2[2] += 1  # what an optimiser does
    learnt = model.mu2.detach().clone()
    model.loss(clips[1], context(both, 9))
    assert torch.equal(model.mu2, learnt)
    model.loss(clips[2], context(one, 10))  # a sequence twice in a batch
    seen = torch.cat([z2[1][0], z2[2][0], z2[2][1]])
    torch.testing.assert_close(model.mu2[2], seen.sum(0) / 12.25)
    assert torch.equal(model.mu2[5], learnt[5])
    model.loss(clips[3], context(both, 19))  # 5 waits since 10, 2 is not due
    torch.testing.assert_close(model.mu2[2], seen.sum(0) / 12.25)
    seen = torch.cat([z2[1][1], z2[3][1]])
    torch.testing.assert_close(model.mu2[5], seen.sum(0) / 8.25)


def test_the_table_is_set_from_buffers_that_a_state_holds():
    """A killed training resumes with the same table: all it needs is in state_dict."""
    one, clips = small(refresh=2), torch.rand(4, 2, 4, 1, 16, 16)
    rows = torch.tensor([[2, 5], [2, 3], [5, 5], [3, 2]])
    for step in (0, 1):
        one.loss(clips[step], context(rows[step], step))
    two = small(refresh=2)
    two.load_state_dict({k: v.clone() for k, v in one.state_dict().items()})
    for step in (2, 3):
        for model in (one, two):
            model.loss(clips[step], context(rows[step], step))
    assert all(torch.equal(v, two.state_dict()[k]) for k, v in one.state_dict().items())


def test_evaluation_leaves_the_table_alone():
    model, frames = small().eval(), torch.rand(2, 4, 1, 16, 16)
    before = {k: v.clone() for k, v in model.state_dict().items()}
    terms = model.loss(frames, context(torch.tensor([2, 5])))
    assert "discriminative" not in terms
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())


def test_rows_that_were_never_set_are_no_choice():
    model = filled()
    with torch.no_grad():
        model.due[[1, 4]] = 0
        model.mu2[[1, 4]] = torch.nan
    z2, chosen = torch.randn(2, 4, 3), torch.tensor([0, 3])
    found = model.log_which(z2, chosen)
    others = model.mu2.detach()[[0, 2, 3, 5, 6]]
    logits = -(z2[:, :, None] - others).square().sum(-1) / (2 * 0.25)
    expected = logits.log_softmax(-1)[torch.arange(2), :, [0, 2]]
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


def test_codes_and_their_decoding_by_hand():
    """z1 of a frame is given that frame's own z2; each decodes with mu2 + residual."""
    model, frames = small(), torch.rand(2, 5, 1, 16, 16)
    codes = model.encode(frames)
    v = torch.stack([model.segments.features(frames[:, t]) for t in range(5)], 1)
    z2, _ = split_gaussian(model.q_z2(v))
    z1, _ = split_gaussian(model.q_z1(torch.cat([v, z2], -1)))
    mu2 = sum(z2.unbind(1)) / 5.25
    torch.testing.assert_close(codes.static, mu2)
    residual = z2 - mu2[:, None]
    torch.testing.assert_close(codes.dynamic, torch.cat([z1, residual], -1))
    for t, decoded in enumerate(model.decode(codes).unbind(1)):
        alone = torch.sigmoid(model.p_x(z2[:, t], z1[:, t : t + 1]))[:, 0]
        torch.testing.assert_close(decoded, alone)


def test_a_swap_moves_z2_by_the_difference_of_mu2():
    """As the authors' translation does: z2_t of B + (mu2 of A - mu2 of B)."""
    model, (a, b) = small(), torch.rand(2, 1, 5, 1, 16, 16)
    of_a, of_b = model.encode(a), model.encode(b)
    swapped = model.decode(Codes(of_a.static, of_b.dynamic))
    v = model.segments(b)
    z2, _ = split_gaussian(model.q_z2(v))
    z1, _ = model.infer_z1(v, z2)
    moved = z2 + (of_a.static - of_b.static)[:, None]
    for t, frame in enumerate(swapped.unbind(1)):
        alone = torch.sigmoid(model.p_x(moved[:, t], z1[:, t : t + 1]))[:, 0]
        torch.testing.assert_close(frame, alone, rtol=1e-4, atol=1e-5)


def test_samples_have_the_moments_of_the_priors():
    """mu2 and z1 are N(0, I), a residual is N(0, 0.25 I)."""
    model, rng = small(), torch.Generator().manual_seed(0)
    static = model.sample_static(4000, rng)
    dynamic = model.sample_dynamic(static[:1000], 4, rng)
    assert dynamic.shape == (1000, 4, 5)
    z1, residual = dynamic.flatten(0, 1).split([2, 3], 1)
    for sample, variance in ((static, 1), (z1, 1), (residual, 0.25)):
        d = sample.shape[1]
        torch.testing.assert_close(sample.mean(0), torch.zeros(d), atol=0.08, rtol=0)
        expected = variance * torch.eye(d)
        torch.testing.assert_close(sample.T.cov(), expected, atol=0.1, rtol=0)
    mu, std = model.dynamic_prior(Codes(static[:1000], dynamic))
    assert torch.equal(mu, torch.zeros(1000, 4, 5))
    assert torch.equal(std, torch.tensor([1, 1, 0.5, 0.5, 0.5]).expand(1000, 4, 5))


def test_windows_repeat_the_edges():
    assert windows(4, 3).tolist() == [[0, 0, 1], [0, 1, 2], [1, 2, 3], [2, 3, 3]]
    assert windows(2, 1).tolist() == [[0], [1]]
    # of an even number of frames, one more follows than comes before
    assert windows(3, 4).tolist() == [[0, 0, 1, 2], [0, 1, 2, 2], [1, 2, 2, 2]]
    assert windows(1, 4).tolist() == [[0, 0, 0, 0]]


def test_a_segment_sees_its_neighbours_and_no_more():
    model, frames = small(segment=3), torch.rand(1, 6, 1, 16, 16)
    changed = frames.clone()
    changed[:, 4] = 0
    before, after = model.segments(frames), model.segments(changed)
    same = [torch.equal(before[:, t], after[:, t]) for t in range(6)]
    assert same == [True, True, True, False, False, False]
    # by hand: the last state of the LSTM over three frames
    v = torch.stack([model.segments.features(frames[:, t]) for t in (1, 2, 3)], 1)
    torch.testing.assert_close(before[:, 2], model.segments.lstm(v)[0][:, -1])
    assert np.isfinite(model.encode(frames[:, :1]).dynamic.detach().numpy()).all()


def test_log_weight_by_hand_with_mu2_integrated_out():
    """p(z2_1:T) of one dimension is a Gaussian with covariance 0.25 I + 1."""
    model, frames = small().eval(), torch.rand(2, 4, 1, 16, 16)
    unknown = torch.full((2,), -1)
    with torch.no_grad():
        found = model.log_weight(frames, context(unknown))
        rng = torch.Generator().manual_seed(5)
        v = model.segments(frames)
        q_z2 = split_gaussian(model.q_z2(v))
        z2 = draw(*q_z2, rng)
        q_z1 = model.infer_z1(v, z2)
        z1 = draw(*q_z1, rng)
        terms = model.loss(frames, context(unknown))
    together = stats.multivariate_normal(np.zeros(4), 0.25 * np.eye(4) + 1)
    for b in range(2):
        expected = -terms["reconstruction"][b].item()
        expected += together.logpdf(z2[b].T.numpy()).sum()
        expected += stats.norm.logpdf(z1[b].numpy()).sum()
        for z, (mu, logvar) in ((z2, q_z2), (z1, q_z1)):
            scale = np.exp(logvar[b].numpy() / 2)
            expected -= stats.norm.logpdf(z[b].numpy(), mu[b].numpy(), scale).sum()
        assert found[b].item() == pytest.approx(expected, rel=1e-4)
