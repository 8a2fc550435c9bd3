"""q(f | x_S): four encoders from a set of frames to the static code f.

Each takes the feature maps h_1 .. h_n of a clip and gives mu_f and logvar_f:

    pairs        Conv_F [h_12, h_13, h_23, ..]       where h_ij = Conv_C [h_i, h_j]
    symmetric    Conv_F  mean_i<j  (h_ij + h_ji) / 2
    mean_pool    Conv_F  mean_i  Conv_1 h_i
    attention    attention of one learned query to the h_i, after their self-attention

`pairs` is the paper's: it depends on the order of the frames and has a fixed n. The
others depend on neither, so f is a function of the set.
"""

import itertools

import torch
from jaxtyping import Float
from torch import Tensor, nn

from training.contract import Gaussian
from training.distributions import split_gaussian
from training.networks import MAP, he, mlp, per_frame
from training.posterior import Posterior

HEADS = 4  # heads of attention


class PairwiseEncoder(nn.Module):
    """The paper's: Conv_C on every pair of feature maps, then Conv_F on all pairs."""

    def __init__(self, n: int, width: int, hidden: int, dim_f: int) -> None:
        """Build Conv_C and Conv_F for n frames."""
        super().__init__()
        self.pairs = list(itertools.combinations(range(n), 2))
        self.conv_c = conv(2 * width, 2 * width)
        self.conv_f = last_layers(2 * width * len(self.pairs), width, hidden, dim_f)

    def forward(self, h: Float[Tensor, "batch n width 4 4"]) -> Gaussian:
        """Return mu_f and logvar_f from the N feature maps of a clip."""
        i, j = zip(*self.pairs, strict=True)
        h_ij = per_frame(self.conv_c, torch.cat([h[:, i], h[:, j]], 2))
        return split_gaussian(self.conv_f(h_ij.flatten(1, 2)))


class SymmetricEncoder(nn.Module):
    """Mean over pairs, each pair in both orders. Needs n >= 2."""

    def __init__(self, width: int, hidden: int, dim_f: int) -> None:
        """Build Conv_C and Conv_F."""
        super().__init__()
        self.conv_c = conv(2 * width, 2 * width)
        self.conv_f = last_layers(2 * width, width, hidden, dim_f)

    def forward(self, h: Float[Tensor, "batch n width 4 4"]) -> Gaussian:
        """Return mu_f and logvar_f from any number of feature maps."""
        i, j = zip(*itertools.permutations(range(h.shape[1]), 2), strict=True)
        h_ij = per_frame(self.conv_c, torch.cat([h[:, i], h[:, j]], 2))
        return split_gaussian(self.conv_f(h_ij.mean(1)))


class MeanPoolEncoder(nn.Module):
    """No comparison: the mean over single frames, as in the Neural Statistician.

    Edwards, Storkey 2017, arXiv:1606.02185.
    """

    def __init__(self, width: int, hidden: int, dim_f: int) -> None:
        """Build Conv_1, of one frame, and Conv_F."""
        super().__init__()
        self.conv_1 = conv(width, 2 * width)
        self.conv_f = last_layers(2 * width, width, hidden, dim_f)

    def forward(self, h: Float[Tensor, "batch n width 4 4"]) -> Gaussian:
        """Return mu_f and logvar_f from any number of feature maps."""
        return split_gaussian(self.conv_f(per_frame(self.conv_1, h).mean(1)))


class AttentionEncoder(nn.Module):
    """Self-attention between frames, then attention of one learned query to them.

    Frames are vectors here, so it has only the dense layers of Conv_F.
    """

    def __init__(self, width: int, hidden: int, dim_f: int) -> None:
        """Build frame tokens, the block, the query and the dense layers."""
        super().__init__()
        self.token = nn.Linear(width * MAP * MAP, hidden)
        self.block = nn.TransformerEncoderLayer(
            hidden, HEADS, hidden, dropout=0.0, batch_first=True
        )
        self.query = nn.Parameter(torch.randn(1, 1, hidden))
        self.pool = nn.MultiheadAttention(hidden, HEADS, batch_first=True)
        self.dense = mlp(hidden, hidden, 2 * dim_f, 1, Posterior)

    def forward(self, h: Float[Tensor, "batch n width 4 4"]) -> Gaussian:
        """Return mu_f and logvar_f from any number of feature maps."""
        tokens = self.block(self.token(h.flatten(2)))
        query = self.query.expand(len(h), -1, -1)
        pooled, _ = self.pool(query, tokens, tokens, need_weights=False)
        return split_gaussian(self.dense(pooled[:, 0]))


ANY_N = {
    "symmetric": SymmetricEncoder,
    "mean_pool": MeanPoolEncoder,
    "attention": AttentionEncoder,
}


def set_encoder(name: str, n: int, width: int, hidden: int, dim_f: int) -> nn.Module:
    """Return the set encoder of a name, for clips of n frames or of any number."""
    if name in ANY_N:
        return ANY_N[name](width, hidden, dim_f)
    return PairwiseEncoder(n, width, hidden, dim_f)


def conv(inputs: int, outputs: int) -> nn.Sequential:
    """Return a convolution that keeps the size of maps."""
    return he(nn.Sequential(nn.Conv2d(inputs, outputs, 3, 1, 1), nn.ReLU(inplace=True)))


def last_layers(channels: int, width: int, hidden: int, dim_f: int) -> nn.Sequential:
    """Return Conv_F: one convolution and dense layers to mean and log variance."""
    return nn.Sequential(
        *conv(channels, 2 * width),
        nn.Flatten(),
        mlp(2 * width * MAP * MAP, hidden, 2 * dim_f, 1, Posterior),
    )
