"""C-DSVAE: its terms by hand, its queue, what a clip is compared with."""

import math

import pytest
import torch

from baselines import cdsvae, dsae
from baselines.cdsvae import Config, Model
from training.augment import change_appearance, shuffle_time
from training.cell import make
from training.contract import Context, Spec
from training.distributions import draw
from training.infonce import info_nce
from training.minibatch_information import mutual_information

SIZES = {"width": 6, "hidden": 10, "dim_f": 4, "dim_z": 3}


def small(channels: int = 1, **settings: object) -> Model:
    config = Config(**SIZES | settings)
    return make(cdsvae, config, Spec("toy", channels, 16, 9, 12, 5), seed=0)


def context(step: int = 0, sequences: tuple[int, ...] = (2, 5, 7)) -> Context:
    rng = torch.Generator().manual_seed(step)
    return Context(step, rng, torch.tensor(sequences))


@pytest.mark.parametrize("posterior", ["factorised", "full"])
def test_every_term_by_hand(posterior: str):
    model = small(3, posterior=posterior)
    frames = torch.rand(3, 5, 3, 16, 16)
    terms = model.loss(frames, context())
    rng = torch.Generator().manual_seed(0)
    v = torch.stack([model.features(frames[:, t]) for t in range(5)], 1)
    q_f = model.q_f(v)
    f = draw(*q_f, rng)
    q_z = model.q_z(v, f)
    z = draw(*q_z, rng)
    # features of the shuffled clip, which the model does not encode again
    state = rng.get_state()
    shuffled = shuffle_time(frames, rng)
    rng.set_state(state)
    shuffle_time(v, rng)
    painted = change_appearance(frames, rng)
    features = [
        torch.stack([model.features(clip[:, t]) for t in range(5)], 1)
        for clip in (shuffled, painted)
    ]
    pairs = {
        "contrast_static": (q_f[0], model.q_f(features[0])[0]),
        "contrast_dynamic": (
            q_z[0].flatten(1),
            model.q_z(features[1], f)[0].flatten(1),
        ),
    }
    for name, (code, other) in pairs.items():
        cosine = torch.cosine_similarity(code[:, None], other[None], dim=-1) / 0.5
        rows, columns = (cosine.log_softmax(k).diagonal() for k in (1, 0))
        torch.testing.assert_close(terms[name], -(rows + columns) / 2)
    information = mutual_information(f, q_f, z, q_z)
    torch.testing.assert_close(terms["information"], information)
    bound = dsae.Model.loss(model, frames, context())
    for name, expected in bound.items():
        torch.testing.assert_close(terms[name], expected)


def test_weights_are_those_of_the_public_code_in_nats_of_cross_entropy():
    """At 1/2, cross entropy exceeds entropy by 2 squared errors, at least elsewhere."""
    x, p = (torch.rand(2000, dtype=torch.float64) for _ in range(2))

    def cross_entropy(p: torch.Tensor) -> torch.Tensor:
        return -(x * p.log() + (1 - x) * (1 - p).log())

    assert (cross_entropy(p) - cross_entropy(x) >= 2 * (x - p) ** 2).all()
    weights = small().weights
    sixteenth = {"contrast_static": 20, "contrast_dynamic": 20, "information": 2}
    assert weights == {name: weight / 16 for name, weight in sixteenth.items()}


def test_negatives_are_others_of_the_batch_and_of_the_queue():
    model = small()
    codes, changed = torch.randn(7, 4), torch.randn(3, 4)
    of = torch.tensor([4, 4, 8, 1, 8, 2, 4])  # three of the batch, four of the queue
    found = model.contrast(codes, changed, of)
    negatives = [[2, 3, 4, 5], [2, 3, 4, 5], [0, 1, 3, 5, 6]]
    for i in range(3):
        ways = []
        for a, b in ((codes, changed), (changed, codes)):
            candidates = torch.cat([b[:3], codes[3:]])[negatives[i]]
            ways.append(info_nce(a[i : i + 1], b[i : i + 1], candidates[None], 0.5))
        torch.testing.assert_close(found[i], torch.stack(ways).mean())


def test_the_terms_see_earlier_clips():
    model, clips = small(), torch.rand(2, 3, 5, 1, 16, 16)
    other = small()
    for step in (0, 1):
        seen = model.loss(clips[step], context(step, (3 * step, 3 * step + 1, 8)))
    alone = other.loss(clips[1], context(1, (3, 4, 8)))
    for name in ("contrast_static", "contrast_dynamic"):
        assert (seen[name] > alone[name]).all()  # more negatives
    assert not torch.allclose(seen["information"], alone["information"])
    assert torch.equal(seen["reconstruction"], alone["reconstruction"])


def test_clips_of_no_training_sequence_have_no_negatives():
    model, frames = small(), torch.rand(3, 5, 1, 16, 16)
    terms = model.loss(frames, context(0, (-1, -1, -1)))
    assert (model.queue.sequences == -1).all()
    assert not terms["contrast_static"].any()


def test_evaluation_is_the_bound_of_dsae():
    model, frames = small().eval(), torch.rand(3, 5, 1, 16, 16)
    fit = {k: v.clone() for k, v in model.state_dict().items()}
    terms = model.loss(frames, context())
    assert set(terms) == {"reconstruction", "kl_dynamic", "kl_static"}
    assert all(torch.equal(v, fit[k]) for k, v in model.state_dict().items())
    other = make(dsae, dsae.Config(**SIZES), Spec("toy", 1, 16, 9, 12, 5), seed=0)
    expected = other.eval().loss(frames, context())
    assert all(torch.equal(terms[name], expected[name]) for name in expected)


def test_a_shuffled_clip_of_one_code_is_its_own_positive():
    """Where f ignores the order, the contrast of f is that of equal codes."""
    model = small()
    frames = torch.rand(3, 1, 1, 16, 16).expand(-1, 5, -1, -1, -1)  # still clips
    terms = model.loss(frames, context())
    mu = model.encode(frames).static
    cosine = torch.cosine_similarity(mu[:, None], mu[None], dim=-1) / 0.5
    expected = -cosine.log_softmax(1).diagonal()
    torch.testing.assert_close(terms["contrast_static"], expected)
    assert terms["contrast_static"].mean() < math.log(3)
