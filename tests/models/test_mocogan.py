"""MoCoGAN: the adversaries' losses, whom they reach, the motion path, the encoder."""

import math
import re

import pytest
import torch

from baselines import mocogan
from baselines.mocogan import Config, Model, cross_entropy, gaussian_nll
from tests.messages import rejected
from training.cell import make
from training.contract import Codes, Context, Spec
from training.loop import fit

GENERATOR = {"motion", "generator"}
TERMS = {
    "discriminator_image": {"image"},
    "discriminator_video": {"video"},
    "generator_image": GENERATOR,
    "generator_video": GENERATOR,
}


def small(n_frames: int = 5, **changes: object) -> Model:
    sizes = {"width": 6, "hidden": 10, "dim_f": 4, "dim_z": 3}
    spec = Spec("toy", 1, 16, 8, 12, n_frames)
    return make(mocogan, Config(**sizes | changes), spec, seed=0)


def context(step: int = 0, n: int = 2, of: int = 1000) -> Context:
    """Return other randomness at every step: the same codes would be memorised."""
    rng = torch.Generator().manual_seed(5 + step)
    return Context(step, rng, torch.arange(n), step / of)


def summed(terms: dict[str, torch.Tensor]) -> torch.Tensor:
    return torch.stack([term.mean() for term in terms.values()]).sum()


def test_cross_entropy_by_hand():
    logits = torch.tensor([[0.0, 2.0], [-1.0, 1.0]])
    p = torch.sigmoid(logits)
    torch.testing.assert_close(cross_entropy(logits, True), -p.log().mean(1))
    torch.testing.assert_close(cross_entropy(logits, False), -(1 - p).log().mean(1))


def test_discriminators_that_know_nothing_pay_log_two_per_frame():
    model = small()
    with torch.no_grad():
        for network in (model.image, model.video):
            for parameter in network.parameters():
                parameter.zero_()
    terms = model.loss(torch.rand(2, 5, 1, 16, 16), context())
    assert terms.keys() == TERMS.keys()
    for value in terms.values():
        torch.testing.assert_close(value, torch.full((2,), 5 * math.log(2)))


def test_terms_of_the_adversaries_by_hand():
    """Real frames are to be called real, generated ones not, but for the generator."""
    model, frames = small(noise=0.0), torch.rand(2, 5, 1, 16, 16)
    terms = model.loss(frames, context())
    fake = model.decode(model.draw_codes(2, context().generator))
    for name, judge in (("image", model.image), ("video", model.video)):
        real, made = torch.sigmoid(judge(frames)), torch.sigmoid(judge(fake))
        found, caught = -real.log().mean(1), -(1 - made).log().mean(1)
        of_judge, of_g = 5 * (found + caught) / 2, -5 * made.log().mean(1)
        torch.testing.assert_close(terms[f"discriminator_{name}"], of_judge)
        torch.testing.assert_close(terms[f"generator_{name}"], of_g)


@pytest.mark.parametrize("name", TERMS)
def test_each_term_reaches_its_own_weights_only(name: str):
    model = small()
    model.loss(torch.rand(2, 5, 1, 16, 16), context())[name].sum().backward()
    reached = {
        n.split(".")[0]
        for n, p in model.named_parameters()
        if p.grad is not None and p.grad.any()
    }
    assert reached == TERMS[name]


def test_the_generator_climbs_the_discriminators_logits():
    model = small()
    frames = torch.rand(2, 5, 1, 16, 16)

    def believed() -> float:
        codes = model.draw_codes(2, torch.Generator().manual_seed(5))
        return model.image(model.decode(codes)).mean().item()

    before = believed()
    optimizer = torch.optim.SGD(model.generator.parameters(), lr=1e-2)
    for _ in range(5):
        optimizer.zero_grad()
        model.loss(frames, context())["generator_image"].mean().backward()
        optimizer.step()
    assert believed() > before


def test_one_adam_is_two():
    """The paper has an Adam per network; Adam works weight by weight."""
    one, two = small(), small()
    judges = [p for n, p in two.named_parameters() if n.startswith(("image", "video"))]
    others = [p for n, p in two.named_parameters() if n.split(".")[0] in GENERATOR]
    of_judges, of_g = (torch.optim.Adam(part, lr=1e-2) for part in (judges, others))
    of_all = torch.optim.Adam(one.parameters(), lr=1e-2)
    for clip in torch.rand(3, 2, 5, 1, 16, 16):
        of_all.zero_grad()
        summed(one.loss(clip, context())).backward()
        of_all.step()
        terms = two.loss(clip, context())
        of_judges.zero_grad()
        of_g.zero_grad()
        for names in ("discriminator", "generator"):
            summed({k: v for k, v in terms.items() if k.startswith(names)}).backward()
        of_judges.step()
        of_g.step()
    for a, b in zip(one.parameters(), two.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)


def test_the_motion_path_step_by_step_does_not_know_f():
    model = small()
    f = torch.randn(2, 4)
    path = model.sample_dynamic(f, 6, torch.Generator().manual_seed(3))
    other = model.sample_dynamic(f + 1, 6, torch.Generator().manual_seed(3))
    assert torch.equal(path, other)
    longer = model.sample_dynamic(f, 6, torch.Generator().manual_seed(4))
    assert not torch.equal(path, longer)
    draws = torch.randn(14, 3, generator=torch.Generator().manual_seed(3))
    gru, z = model.motion.gru, draws[:2]
    noise = draws[2:].unflatten(0, (2, 6))
    cell = torch.nn.GRUCell(3, 3)
    weights = {n: getattr(gru, f"{n}_l0") for n, _ in cell.named_parameters()}
    for t in range(6):
        z = torch.func.functional_call(cell, weights, (noise[:, t], z))
        torch.testing.assert_close(path[:, t], z)


def test_the_video_discriminator_sees_order_and_the_image_discriminator_does_not():
    model, frames = small(), torch.rand(1, 5, 1, 16, 16)
    back = frames.flip(1)
    assert not torch.allclose(model.video(frames), model.video(back))
    cells = model.image(frames).unflatten(1, (5, -1))
    torch.testing.assert_close(cells, model.image(back).unflatten(1, (5, -1)).flip(1))


def test_its_convolutions_are_those_of_torch():
    own = mocogan.SpaceTimeConv(2, 3)
    plain = torch.nn.Conv3d(2, 3, 4, (1, 2, 2), 1)
    with torch.no_grad():
        plain.weight.copy_(own.weight.unflatten(1, (2, 4)))
        plain.bias.copy_(own.bias)
    x = torch.rand(1, 2, 5, 8, 8)
    torch.testing.assert_close(own(x), plain(x))


def test_too_short_clips_are_refused():
    with rejected("n_frames", 2, 16) as problem:
        small(n_frames=2)
    assert re.findall(r"\d+", str(problem.value)).count("2") == 2  # bound and value


@pytest.mark.parametrize("share", [0.0, 1.5, float("nan")])
def test_an_encoder_needs_a_share_of_the_training(share: float):
    with rejected("encoder_from", "(0, 1]", share):
        small(encoder_from=share)


def test_no_encoder_no_codes():
    model = small()
    assert "codes" not in model.capabilities
    with pytest.raises(NotImplementedError, match="encoder_from"):
        model.encode(torch.rand(1, 5, 1, 16, 16))
    assert "codes" in small(encoder_from=0.5).capabilities


@pytest.mark.parametrize("time", [1, 2, 8])
def test_the_encoder_keeps_the_contract(time: int):
    """f sees the whole clip, z_t its frame alone; no clip sees another of its batch."""
    model, frames = small(encoder_from=0.5), torch.rand(3, time, 1, 16, 16)
    codes, alone = model.encode(frames), model.encode(frames[1:2])
    assert codes.static.shape == (3, 4) and codes.dynamic.shape == (3, time, 3)
    torch.testing.assert_close(codes.static[1:2], alone.static)
    torch.testing.assert_close(codes.dynamic[1:2], alone.dynamic)
    changed = frames.clone()
    changed[:, -1] = 1 - changed[:, -1]
    other = model.encode(changed)
    assert not torch.allclose(codes.static, other.static)
    torch.testing.assert_close(codes.dynamic[:, :-1], other.dynamic[:, :-1])
    assert not torch.allclose(codes.dynamic[:, -1], other.dynamic[:, -1])
    assert model.decode(codes).shape == frames.shape


def test_the_encoders_terms_are_of_the_codes_that_made_the_clip():
    model = small(encoder_from=0.5)
    terms = model.loss(torch.rand(2, 5, 1, 16, 16), context(step=500))
    codes = model.draw_codes(2, context(step=500).generator)
    q_f, q_z = model.encoder(model.decode(codes))
    for name, code, (mu, logvar) in (
        ("code_static", codes.static, q_f),
        ("code_dynamic", codes.dynamic, q_z),
    ):
        log_q = torch.distributions.Normal(mu, (logvar / 2).exp()).log_prob(code)
        torch.testing.assert_close(terms[name], -log_q.flatten(1).sum(1))


def test_real_frames_have_a_term_that_reaches_the_encoder_alone():
    model = small(encoder_from=0.5, inversion=0.5)
    frames = torch.rand(2, 5, 1, 16, 16)
    term = model.loss(frames, context(step=500))["reconstruction"]
    torch.testing.assert_close(
        term, 0.5 * model.reconstruction(frames)["reconstruction"]
    )
    term.sum().backward()
    reached = {
        n.split(".")[0]
        for n, p in model.named_parameters()
        if p.grad is not None and p.grad.any()
    }
    assert reached == {"encoder"}


def test_a_weight_of_0_leaves_that_term_out_and_changes_no_other():
    frames = torch.rand(2, 5, 1, 16, 16)
    without, half = (
        small(encoder_from=0.5, inversion=weight).loss(frames, context(step=500))
        for weight in (0.0, 0.5)
    )
    assert half.keys() - without.keys() == {"reconstruction"}
    for name, term in without.items():
        assert torch.equal(term, half[name])


def test_reconstruction_by_hand():
    model, frames = small(encoder_from=0.5).eval(), torch.rand(2, 5, 1, 16, 16)
    terms = model.loss(frames, context())
    p = model.decode(model.encode(frames))
    nll = -(frames * p.log() + (1 - frames) * (1 - p).log()).flatten(1).sum(1)
    assert terms.keys() == {"reconstruction"}
    torch.testing.assert_close(terms["reconstruction"], nll)


def test_instance_noise_has_its_deviation():
    model, frames = small(noise=0.3), torch.full((20, 5, 1, 16, 16), 0.5)
    seen = model.seen(frames, context().generator)
    assert (seen - frames).std().item() == pytest.approx(0.3, rel=0.02)
    assert torch.equal(small(noise=0.0).seen(frames, context().generator), frames)


def test_regression_of_codes_by_hand():
    target = torch.randn(2, 3)
    mu, logvar = torch.randn(2, 3), torch.randn(2, 3)
    normal = torch.distributions.Normal(mu, (logvar / 2).exp())
    expected = -normal.log_prob(target).sum(-1)
    torch.testing.assert_close(gaussian_nll(target, (mu, logvar)), expected)


def test_an_encoder_is_fitted_to_a_generator_that_stays():
    model = small(encoder_from=0.5)

    def weights(*names: str) -> list[torch.Tensor]:
        return [
            p.detach().clone()
            for n, p in model.named_parameters()
            if n.split(".")[0] in names
        ]

    history = []

    def terms_at(step: int) -> dict[str, torch.Tensor]:
        history.append((weights(*GENERATOR, "image", "video"), weights("encoder")))
        terms = model.loss(torch.rand(2, 5, 1, 16, 16), context(step, of=6))
        return {name: term.mean() for name, term in terms.items()}

    fit(model, terms_at, steps=6, learning_rate=1e-2, weight_decay=0.1)
    (first, q_first), (third, q_third) = history[0], history[3]
    (last, q_last) = history[5]
    assert not all(map(torch.equal, first, third))
    assert all(map(torch.equal, q_first, q_third))
    assert all(map(torch.equal, third, last))
    assert not all(map(torch.equal, q_third, q_last))


def bars(n: int, stream: int) -> torch.Tensor:
    """Return white bars that move before a grey: `(n, 5, 1, 16, 16)`."""
    rng = torch.Generator().manual_seed(stream)
    grey = 0.6 * torch.rand(n, 1, 1, 1, 1, generator=rng)
    frames = grey.repeat(1, 5, 1, 16, 16)
    left = torch.randint(0, 12, (n, 5), generator=rng)
    column = torch.arange(16)
    bar = (column >= left[..., None]) & (column < left[..., None] + 4)
    frames[:, :, 0, 4:12] = torch.where(bar[:, :, None], 1.0, frames[:, :, 0, 4:12])
    return frames


@torch.no_grad()
def distance(model: Model) -> float:
    """Return how far means and deviations of pixels are from those of the data."""
    codes = model.draw_codes(200, torch.Generator().manual_seed(9))
    made, real = model.decode(codes), bars(200, 10**6)
    apart = [(part(made) - part(real)).abs().mean() for part in (mean, deviation)]
    return float(sum(apart))


def mean(x: torch.Tensor) -> torch.Tensor:
    return x.mean((0, 1))


def deviation(x: torch.Tensor) -> torch.Tensor:
    return x.flatten(0, 1).std(0)


def grey(x: torch.Tensor) -> torch.Tensor:
    """Read the background of clips."""
    return x[..., :3, :].mean((1, 2, 3, 4))


def place(x: torch.Tensor) -> torch.Tensor:
    """Read where the bar is in each frame, from what is lighter than the background."""
    bar = (x[:, :, 0, 4:12] - grey(x)[:, None, None, None]).clamp(0).sum(2) + 1e-6
    return ((bar * torch.arange(16)).sum(-1) / bar.sum(-1)).flatten()


def correlation(x: torch.Tensor, y: torch.Tensor) -> float:
    return torch.corrcoef(torch.stack([x, y]))[0, 1].nan_to_num().item()


@torch.no_grad()
def swap_score(model: Model) -> float:
    """Return the smaller of two correlations: grey with A's, place with B's."""
    a, b = bars(64, 10**6 + 1), bars(64, 10**6 + 2)
    swap = model.decode(Codes(model.encode(a).static, model.encode(b).dynamic))
    return min(correlation(grey(swap), grey(a)), correlation(place(swap), place(b)))


@pytest.mark.slow
def test_it_learns_to_generate_and_its_encoder_to_read():
    """Seeds 0 to 3 score 0.95, 0.52, 0.91, 0.87; with no real frames at most 0.87."""
    model = small(width=16, hidden=24, dim_z=2, noise=0.3, encoder_from=0.625)
    far, chance = distance(model), swap_score(model)

    def terms_at(step: int) -> dict[str, torch.Tensor]:
        terms = model.loss(bars(6, step), context(step, 6, of=1600))
        return {name: term.mean() / 5 for name, term in terms.items()}

    fit(model, terms_at, steps=1600, learning_rate=3e-3, beta1=0.5)
    assert distance(model) < 0.5 * far
    assert swap_score(model) > max(chance, 0) + 0.25
    # the same f with another z keeps its grey
    rng = torch.Generator().manual_seed(1)
    codes, other = model.draw_codes(100, rng), model.draw_codes(100, rng)
    with torch.no_grad():
        one = model.decode(codes)
        two = model.decode(codes._replace(dynamic=other.dynamic))
    assert correlation(grey(one), grey(two)) > 0.8
