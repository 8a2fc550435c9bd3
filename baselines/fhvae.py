"""FHVAE, the factorised hierarchical VAE, for images.

Hsu, Zhang, Glass 2017, arXiv:1709.07902; Hsu, Glass 2018, arXiv:1804.03201. The papers
model speech; here the same model is applied to frames. Every sequence i has a mean
mu2_i, and each segment x_t of it has two codes; z2_t is near this mean:

    p(mu2_i) = N(0, I)    p(z2_t | mu2_i) = N(mu2_i, 0.5^2 I)    p(z1_t) = N(0, I)
    p(x_t | z1_t, z2_t)   q(z2_t | x_t)   q(z1_t | x_t, z2_t)

In this suite f is mu2, and z_t is (z1_t, z2_t - mu2), `dim_z` + `dim_f` numbers. The
second part is the residual of the segment, with the prior N(0, 0.5^2 I). A swap adds
the residual of B to the mu2 of A, as the authors' code does.

The mu2 of training sequences are rows of a table that is learnt with the networks. A
discriminative term with the weight `alpha` is the log probability of a frame's sequence
i among all sequences j, given z2:

    p(i | z2) = softmax_j(-||z2 - mu2_j||^2 / (2 0.5^2)) at j = i

The mu2 of any other clip maximises p(mu2) prod_t p(z2_t | mu2):

    mu2 = sum_t z2_t / (T + 0.5^2)

log p(mu2) counts once per sequence: a training clip with T of the N frames of its
sequence has T / N of it, and any other clip counts as a sequence. N is the length of
the longest training sequence, which is exact if all sequences have the same length
(Moving MNIST, Sprites).

Departures: the suite's frame encoder, decoder and likelihood (training/networks.py). A
segment is one frame or, with `segment` > 1, the frames around t, read by an LSTM (20
frames of speech in the paper). The decoder predicts frame t only, the paper's predicts
the segment. q(z1 | .) and q(z2 | .) share these features (each has an LSTM in the
paper). Adam keeps its momentum for rows of the table that are not in the batch.

config/paper.yaml has segments of 7 frames, 45 clips of 8 frames a step (256 segments in
the paper), the L2 weight of 1e-4 as a decoupled weight decay (AdamW), and a constant
learning rate (the paper has a decay of 0.8).

Scalable FHVAE (the second paper) sets rows of the table to the closed form of all their
segments before it trains on these sequences, and again from time to time; its softmax
is over such rows. Here a row is set when its sequence is first drawn, and again when
the sequence is drawn `refresh` or more steps later. The closed form uses the means of
q(z2) of all training clips of the sequence since the row was last set, including the
present clip, each as it was in its step. The softmax is over all sequences drawn so
far.

`training.beta` and the size of frames scale the terms called `kl_...`, but not the
discriminative term and log p(mu2). At 32 pixels, these two therefore have four times
the relative weight.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from seqdis.settings import at_least, one_of
from training.contract import (
    Codes,
    Context,
    Frames,
    Gaussian,
    SequenceModel,
    Spec,
    Terms,
)
from training.distributions import (
    draw,
    kl_gaussian,
    kl_standard,
    negative_log_likelihood,
    split_gaussian,
    standard_normal,
)
from training.importance import Normal, log_weight, standard
from training.networks import Decoder, frame_features, mlp, per_frame
from training.posterior import Posterior

VAR_Z2 = 0.5**2  # variance of p(z2 | mu2), and so of the residual


@dataclass(frozen=True)
class Config:
    """Sizes.

    Attributes:
        width: filters of the frame encoder and decoder.
        hidden: units of dense layers and of the segment's LSTM (256 in the paper).
        dim_f: dimensions of z2 and mu2 (32).
        dim_z: dimensions of z1 (32).
        segment: number of frames that an encoder sees.
        alpha: weight of the discriminative term (10).
        refresh: steps after which a row of the table is estimated anew.
        likelihood: `bernoulli` or `gaussian`.
    """

    width: int = 256
    hidden: int = 256
    dim_f: int = 32
    dim_z: int = 32
    segment: int = 1
    alpha: float = 10.0
    refresh: int = 100
    likelihood: str = "bernoulli"

    def __post_init__(self) -> None:
        """Check ranges."""
        at_least("segment", self.segment, 1)
        at_least("dim_f", self.dim_f, 1)
        at_least("dim_z", self.dim_z, 1)
        at_least("alpha", self.alpha, 0)
        at_least("refresh", self.refresh, 1)
        one_of("likelihood", self.likelihood, ("bernoulli", "gaussian"))


class SegmentEncoder(nn.Module):
    """Features of frame t, or of the `segment` frames around it."""

    def __init__(self, config: Config, spec: Spec) -> None:
        """Build the frame features and, for longer segments, the LSTM."""
        super().__init__()
        hidden, self.segment = config.hidden, config.segment
        self.features = frame_features(spec.channels, spec.size, config.width, hidden)
        several = config.segment > 1
        self.lstm = nn.LSTM(hidden, hidden, batch_first=True) if several else None

    def forward(self, frames: Frames) -> Float[Tensor, "batch time hidden"]:
        """Return the features of every segment."""
        v = per_frame(self.features, frames)
        if self.lstm is None:
            return v
        around = v[:, windows(v.shape[1], self.segment)]
        _, (last, _) = self.lstm(around.flatten(0, 1))
        return last[0].unflatten(0, v.shape[:2])


def windows(time: int, segment: int) -> Int[Tensor, "{time} {segment}"]:
    """Return the frames around each; at the edges the first or last is repeated."""
    offsets = torch.arange(segment) - (segment - 1) // 2
    return (torch.arange(time)[:, None] + offsets).clamp(0, time - 1)


class Model(SequenceModel):
    """FHVAE of frames."""

    label = "FHVAE"
    paper = "Hsu, Zhang, Glass 2017, arXiv:1709.07902"
    n_frames = 8
    order = "ordered"
    sums: Tensor
    counts: Tensor
    due: Tensor

    def __init__(self, config: Config, spec: Spec) -> None:
        """Build q(z2 | x), q(z1 | x, z2), p(x | z1, z2) and the table of mu2."""
        super().__init__()
        c = self.config = config
        self.segments = SegmentEncoder(c, spec)
        self.q_z2 = mlp(c.hidden, c.hidden, 2 * c.dim_f, 1, Posterior)
        self.q_z1 = mlp(c.hidden + c.dim_f, c.hidden, 2 * c.dim_z, 1, Posterior)
        self.p_x = Decoder(c.dim_f + c.dim_z, spec.channels, spec.size, c.width)
        self.longest = spec.longest
        rows = spec.sequences
        self.mu2 = nn.Parameter(torch.zeros(rows, c.dim_f))
        # For each row: the sum and number of the z2 since it was set, and the step from
        # which it will be set again; 0 before its sequence was drawn.
        self.register_buffer("sums", torch.zeros(rows, c.dim_f))
        self.register_buffer("counts", torch.zeros(rows, 1))
        self.register_buffer("due", torch.zeros(rows, 1, dtype=torch.long))

    def loss(self, frames: Frames, context: Context) -> Terms:
        """Return the terms of the negative discriminative segment bound.

        Clips that are not training sequences have no row in the table: their mu2 is the
        closed form, and there is no discriminative term. In evaluation no clip has one.
        """
        z2, (mu_z2, logvar_z2), z1, q_z1 = self.drawn(frames, context.generator)
        nll = self.nll(z2, z1, frames)
        known = self.training and bool((context.sequences >= 0).all())
        if known:
            self.set_rows(mu_z2, context)
        share = frames.shape[1] / self.longest if known else 1.0  # of its frames
        mu2 = self.mu2[context.sequences] if known else closed_form(mu_z2)
        prior = mu2[:, None], torch.full_like(mu2, VAR_Z2).log()[:, None]
        terms = {
            "reconstruction": nll.sum(1),
            "kl_dynamic": kl_standard(*q_z1).sum(1),
            "kl_segment": kl_gaussian(mu_z2, logvar_z2, *prior).sum(1),
            # The constant is left out.
            "table_prior": 0.5 * share * mu2.square().sum(-1),
        }
        if known:
            chosen = self.log_which(mu_z2, context.sequences).sum(1)
            terms["discriminative"] = -self.config.alpha * chosen
        return terms

    @torch.no_grad()
    def set_rows(self, z2: Float[Tensor, "batch time f"], context: Context) -> None:
        """Set the rows of a batch that are due to the closed form of their z2."""
        rows = context.sequences
        if context.step == 0:  # nothing is kept of a training that this one starts from
            for kept in (self.sums, self.counts, self.due):
                kept.zero_()
        self.sums.index_add_(0, rows, z2.sum(1))
        self.counts.index_add_(0, rows, z2.new_full((len(z2), 1), z2.shape[1]))
        now = context.step >= self.due[rows]
        closed = self.sums[rows] / (self.counts[rows] + VAR_Z2)
        self.mu2[rows] = torch.where(now, closed, self.mu2[rows])
        self.due[rows] = torch.where(
            now, context.step + self.config.refresh, self.due[rows]
        )
        self.sums[rows] = self.sums[rows].masked_fill(now, 0)
        self.counts[rows] = self.counts[rows].masked_fill(now, 0)

    def log_weight(self, frames: Frames, context: Context) -> Float[Tensor, " batch"]:
        """Return log p(x, z1, z2) - log q(z1, z2 | x) of a draw, mu2 integrated out.

        p(mu2 | z2) is a Gaussian around the closed form, whose variance is v, so that
        p(z2) = p(z2 | mu2) p(mu2) / p(mu2 | z2) at any mu2, here at its mean.
        """
        z2, q_z2, z1, q_z1 = self.drawn(frames, context.generator)
        mu2 = closed_form(z2)
        v = torch.full_like(mu2, VAR_Z2 / (z2.shape[1] + VAR_Z2))
        around = mu2[:, None], torch.full_like(mu2, VAR_Z2).log()[:, None]
        return log_weight(
            self.nll(z2, z1, frames),
            (z2, q_z2, around),
            (mu2, (mu2, v.log()), standard(mu2)),
            (z1, q_z1, standard(z1)),
        )

    def drawn(
        self, frames: Frames, generator: torch.Generator
    ) -> tuple[Tensor, Normal, Tensor, Normal]:
        """Return z2, z1 and the mean and log variance they were drawn with."""
        v = self.segments(frames)
        q_z2 = split_gaussian(self.q_z2(v))
        z2 = draw(*q_z2, generator)
        q_z1 = self.infer_z1(v, z2)
        return z2, q_z2, draw(*q_z1, generator), q_z1

    def nll(
        self,
        z2: Float[Tensor, "batch time f"],
        z1: Float[Tensor, "batch time z"],
        frames: Frames,
    ) -> Float[Tensor, "batch time"]:
        """Return -log p(x_t | z1_t, z2_t)."""
        logits = self.logits(z2, z1)
        return negative_log_likelihood(logits, frames, self.config.likelihood)

    def logits(
        self, z2: Float[Tensor, "batch time f"], z1: Float[Tensor, "batch time z1"]
    ) -> Frames:
        """Return the decoder's output."""
        # z2 differs from frame to frame, so each frame is treated as a clip.
        logits = self.p_x(z2.flatten(0, 1), z1.flatten(0, 1)[:, None])
        return logits[:, 0].unflatten(0, z2.shape[:2])

    def log_which(
        self, z2: Float[Tensor, "batch time f"], sequences: Int[Tensor, " batch"]
    ) -> Float[Tensor, "batch time"]:
        """Return log p(i | z2) of the sequence i that a frame is from."""
        distance = torch.cdist(z2.flatten(0, 1).float(), self.mu2.float()).square()
        logits = (-distance / (2 * VAR_Z2)).masked_fill(self.due.T.eq(0), -torch.inf)
        target = sequences.repeat_interleave(z2.shape[1])
        chosen = -functional.cross_entropy(logits, target, reduction="none")
        return chosen.unflatten(0, z2.shape[:2])

    def infer_z1(
        self, v: Float[Tensor, "batch time hidden"], z2: Float[Tensor, "batch time f"]
    ) -> Gaussian:
        """Return mu and logvar of q(z1_t | x_t, z2_t)."""
        return split_gaussian(self.q_z1(torch.cat([v, z2], -1)))

    def encode(self, frames: Frames) -> Codes:
        """Return the closed form of mu2, and the means of z1 with residuals of z2."""
        v = self.segments(frames)
        z2, _ = split_gaussian(self.q_z2(v))
        mu2, (z1, _) = closed_form(z2), self.infer_z1(v, z2)
        return Codes(mu2, torch.cat([z1, z2 - mu2[:, None]], -1))

    def decode(self, codes: Codes) -> Frames:
        """Return the means of p(x_t | z1_t, z2_t), z2_t = mu2 + its residual."""
        z1, residual = self.split(codes.dynamic)
        return torch.sigmoid(self.logits(codes.static[:, None] + residual, z1))

    def split(
        self, dynamic: Float[Tensor, "batch time z"]
    ) -> tuple[Float[Tensor, "batch time z1"], Float[Tensor, "batch time f"]]:
        """Return the two parts of a dynamic code."""
        z1, residual = dynamic.split([self.config.dim_z, self.config.dim_f], -1)
        return z1, residual

    def sample_static(
        self, n: int, generator: torch.Generator
    ) -> Float[Tensor, "{n} f"]:
        """Draw mu2 from N(0, I)."""
        return standard_normal(n, self.config.dim_f, generator)

    def sample_dynamic(
        self, static: Float[Tensor, "batch f"], time: int, generator: torch.Generator
    ) -> Float[Tensor, "batch {time} z"]:
        """Draw z1_1:T and residuals from their priors: the model has no dynamics."""
        n, d = len(static), self.config.dim_z + self.config.dim_f
        noise = standard_normal(n * time, d, generator).unflatten(0, (n, time))
        return noise * self.prior_std(noise)

    def dynamic_prior(self, codes: Codes) -> Gaussian:
        """Return mean and standard deviation of p(z1) and of the residual's prior."""
        return torch.zeros_like(codes.dynamic), self.prior_std(codes.dynamic)

    def prior_std(
        self, dynamic: Float[Tensor, "batch time z"]
    ) -> Float[Tensor, "batch time z"]:
        """Return 1 for the dimensions of z1 and 0.5 for those of the residual."""
        z1, residual = self.split(torch.ones_like(dynamic))
        return torch.cat([z1, residual * VAR_Z2**0.5], -1)


def closed_form(z2: Float[Tensor, "batch time f"]) -> Float[Tensor, "batch f"]:
    """Return the mu2 that is most likely given the z2 of a sequence."""
    return z2.sum(1) / (z2.shape[1] + VAR_Z2)
