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


def fit_queue(model: Model, steps: int) -> list[torch.Tensor]:
    """Take losses of some steps, of sequences 3 s + 1 ..., and return their clips."""
    clips = torch.rand(steps, 3, 5, 1, 16, 16)
    for step in range(steps):
        of = tuple(100 + 3 * step + k for k in range(3))
        model.loss(clips[step], context(step, of))
    return [*clips]


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


def test_the_queue_holds_the_last_clips():
    model = small(queue=7)
    clips = fit_queue(model, 4)  # of 12 clips the last 7
    assert sorted(model.queue_of.tolist()) == list(range(105, 112))
    with torch.no_grad():
        codes = model.encode(clips[3])
    rows = [model.queue_of.tolist().index(109 + k) for k in range(3)]
    torch.testing.assert_close(model.queue_f[rows], codes.static)
    torch.testing.assert_close(model.queue_z[rows], codes.dynamic.flatten(1))
    assert not model.queue_f.requires_grad


def test_negatives_are_others_of_the_batch_and_of_the_queue():
    model = small(queue=7)
    fit_queue(model, 2)
    torch.manual_seed(1)
    codes, alike = torch.randn(2, 3, 4), torch.randn(2, 3, 15)
    model.queue_f.copy_(torch.randn(7, 4))
    pair = (codes[0], alike[0]), (codes[1], alike[1])
    queue = model.queue_f.clone()
    # Two of sequence 104, which has row 4 of the queue; rows 6, 0, 1 are this step's.
    found, _ = model.contrasts(*pair, context(2, (104, 104, 8)))
    kept = [[2, 3, 5], [2, 3, 5], [2, 3, 4, 5]]
    batch = [[2], [2], [0, 1]]
    for i in range(3):
        ways = []
        for a, b in ((codes[0], codes[1]), (codes[1], codes[0])):
            negative = torch.cat([b[batch[i]], queue[kept[i]]])[None]
            ways.append(info_nce(a[i : i + 1], b[i : i + 1], negative, 0.5))
        torch.testing.assert_close(found[i], torch.stack(ways).mean())


def test_a_step_can_be_taken_again_and_the_first_one_starts_anew():
    model, clips = small(queue=7), torch.rand(2, 3, 5, 1, 16, 16)
    fit_queue(model, 2)
    first, again = (model.loss(clips[0], context(2)) for _ in range(2))
    assert all(torch.equal(first[name], again[name]) for name in first)
    anew = model.loss(clips[1], context(0))
    fresh = small(queue=7).loss(clips[1], context(0))
    assert all(torch.equal(anew[name], fresh[name]) for name in anew)


def test_the_queue_is_of_buffers_that_a_state_holds():
    """A killed training resumes with the same negatives."""
    one, clips = small(queue=7), torch.rand(4, 3, 5, 1, 16, 16)
    for step in (0, 1):
        one.loss(clips[step], context(step))
    two = small(queue=7)
    two.load_state_dict({k: v.clone() for k, v in one.state_dict().items()})
    for step in (2, 3):
        terms = [model.loss(clips[step], context(step)) for model in (one, two)]
        assert all(torch.equal(terms[0][k], terms[1][k]) for k in terms[0])


@pytest.mark.parametrize("queue", [0, 2])
def test_a_queue_may_be_shorter_than_a_batch(queue: int):
    model = small(queue=queue)
    fit_queue(model, 3)
    assert len(model.queue_of) == queue and (model.queue_of >= 100).all()


def test_clips_of_no_training_sequence_stay_out_of_the_queue():
    model, frames = small(), torch.rand(3, 5, 1, 16, 16)
    terms = model.loss(frames, context(0, (-1, -1, -1)))
    assert (model.queue_of == -1).all()
    assert not terms["contrast_static"].any()  # there are no negatives


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
