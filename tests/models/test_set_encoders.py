"""Set encoders by hand, and what each of them makes of order and number of frames."""

import itertools

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from training.distributions import split_gaussian
from unordered_vae.set_encoders import ANY_N, HEADS, set_encoder

SIZES = {"width": 6, "hidden": 12, "dim_f": 4}


def small(name: str, n: int = 3, seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return set_encoder(name, n, **SIZES)


def maps(n: int, batch: int = 2) -> torch.Tensor:
    return torch.randn(batch, n, 6, 4, 4, generator=torch.Generator().manual_seed(n))


@pytest.mark.parametrize(
    ("n", "pairs"),
    [
        (2, [(0, 1)]),
        (3, [(0, 1), (0, 2), (1, 2)]),
        (4, [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]),
    ],
)
def test_pairs_by_hand(n: int, pairs: list):
    """Every pair i < j goes through the same layer; Conv_F sees them in order."""
    encoder, h = small("pairs", n), maps(n)
    h_ij = [encoder.conv_c(torch.cat([h[:, i], h[:, j]], 1)) for i, j in pairs]
    by_hand = split_gaussian(encoder.conv_f(torch.cat(h_ij, 1)))
    torch.testing.assert_close(encoder(h), by_hand)


@pytest.mark.parametrize("n", [2, 3, 5])
def test_symmetric_by_hand(n: int):
    """Symmetrised pairs i < j, then their mean, one clip and one pair at a time."""
    encoder, h = small("symmetric"), maps(n)
    for clip, mu, logvar in zip(h, *encoder(h), strict=True):
        h_ij = []
        for i, j in itertools.combinations(range(n), 2):
            there = encoder.conv_c(torch.cat([clip[i], clip[j]])[None])
            back = encoder.conv_c(torch.cat([clip[j], clip[i]])[None])
            h_ij.append((there + back) / 2)
        total = sum(h_ij) / len(h_ij)
        by_hand = split_gaussian(encoder.conv_f(total)[0])
        torch.testing.assert_close((mu, logvar), by_hand)


@pytest.mark.parametrize("n", [1, 3, 5])
def test_mean_pool_by_hand(n: int):
    encoder, h = small("mean_pool"), maps(n)
    each = [encoder.conv_1(h[:, i]) for i in range(n)]
    by_hand = split_gaussian(encoder.conv_f(sum(each) / n))
    torch.testing.assert_close(encoder(h), by_hand)


def attend(
    layer: nn.MultiheadAttention, q: torch.Tensor, tokens: torch.Tensor
) -> torch.Tensor:
    """Multi-head attention from its formula, softmax(Q K^T / sqrt(d)) V per head."""
    weights = layer.in_proj_weight.chunk(3), layer.in_proj_bias.chunk(3)
    values = [
        x @ w.T + b for x, w, b in zip((q, tokens, tokens), *weights, strict=True)
    ]
    heads = []
    for k, v, u in zip(*(x.chunk(HEADS, -1) for x in values), strict=True):
        score = (k @ v.transpose(-1, -2) / k.shape[-1] ** 0.5).softmax(-1)
        heads.append(score @ u)
    return layer.out_proj(torch.cat(heads, -1))


def test_attention_by_hand():
    """One block of self-attention with its residuals, then the query's attention."""
    encoder, h = small("attention"), maps(5)
    block, x = encoder.block, encoder.token(h.flatten(2))
    x = block.norm1(x + attend(block.self_attn, x, x))
    x = block.norm2(x + block.linear2(torch.relu(block.linear1(x))))
    pooled = attend(encoder.pool, encoder.query.expand(2, 1, -1), x)[:, 0]
    by_hand = split_gaussian(encoder.dense(pooled))
    torch.testing.assert_close(encoder(h), by_hand, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ANY_N)
@given(order=st.integers(2, 7).flatmap(lambda n: st.permutations(range(n))))
def test_f_is_a_function_of_the_set(name: str, order: list[int]):
    """In float64, so that what is left is the order of a sum."""
    encoder, h = small(name).double(), maps(len(order)).double()
    torch.testing.assert_close(encoder(h), encoder(h[:, order]), rtol=1e-6, atol=1e-7)


@given(order=st.permutations(range(3)).filter(lambda order: order != [0, 1, 2]))
def test_pairs_mind_the_order(order: list[int]):
    encoder, h = small("pairs"), maps(3)
    assert not torch.allclose(encoder(h)[0], encoder(h[:, order])[0], atol=1e-4)


@pytest.mark.parametrize("name", ANY_N)
def test_any_number_of_frames(name: str):
    encoder = small(name)
    found = [encoder(maps(n)) for n in (2, 3, 8, 12)]
    assert all(mu.shape == logvar.shape == (2, 4) for mu, logvar in found)
    assert not torch.allclose(found[0][0], found[1][0])


@pytest.mark.parametrize("name", ANY_N)
def test_doubling_a_set_of_frames_changes_little_or_nothing(name: str):
    """Means and softmaxes weigh frames, they do not count them."""
    encoder, h = small(name), maps(3)
    once, twice = encoder(h)[0], encoder(torch.cat([h, h], 1))[0]
    if name == "symmetric":  # a frame is now also paired with its copy
        assert not torch.allclose(once, twice)
    else:
        torch.testing.assert_close(once, twice, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["pairs", *ANY_N])
def test_every_frame_counts(name: str):
    encoder, h = small(name), maps(3).requires_grad_()
    encoder(h)[0].square().sum().backward()
    assert (h.grad.flatten(2).norm(dim=-1) > 0).all()
