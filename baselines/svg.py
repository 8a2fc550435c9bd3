"""SVG: stochastic video generation, with a learned (SVG-LP) or a fixed prior (SVG-FP).

Denton, Fergus 2018, arXiv:1802.07687. A frame is predicted from the frames before it
and from z_t, which encodes what these frames do not determine. h_t are features of x_t;
x_0 is given:

    p(x_1:T, z | x_0) = prod_t p(x_t | x_<t, z_<=t) p(z_t | x_<t)
    x_t ~ p(x | LSTM_theta(h_t-1, z_t), maps of x_0)
    q(z_t | x_<=t) = Gaussian of LSTM_phi(h_t)
    p(z_t | x_<t)  = Gaussian of LSTM_psi(h_t-1), or N(0, I)

Training is teacher-forced: h_t-1 are features of the true frame. Generation is a closed
loop: h_t-1 are features of the frame predicted before.

Choices that the paper leaves open, and departures from it:

1. The paper has no static code. Here f has features of the conditioning frame x_0 of a
   clip: its `skips` smallest feature maps, and h_0, flattened into one vector of
   `width` (4^2 + 8^2 + ...) + `hidden` numbers. In the paper the decoder sees all maps
   (`skips: 4` for 64 pixels), which would make f larger than the frame; here it sees
   the 4x4 map only.
2. There is one conditioning frame; the paper has five and uses the maps of the last.
   `n_frames` frames therefore train `n_frames` - 1 predictions. The terms are scaled to
   nats of `n_frames` predictions, to be comparable with models that reconstruct every
   frame.
3. When a clip is encoded, it has no frame before its first, so x_0 = x_1. T frames then
   have T codes, and the reconstruction of the first frame may be a copy. This does not
   affect swaps, where x_0 and z come from different clips.
4. As in the official code, LSTM_phi does not see x_0.
5. p(z_t | x_<t) depends on frames, which are not part of the codes. `sample_dynamic`
   and `dynamic_prior` therefore predict these frames from f and z_<t in the closed
   loop.
6. Dense layers and LSTMs have `hidden` units (128 for h and 256 for LSTMs in the
   paper). The dense layers before and after an LSTM are merged with the layers next to
   them. A linear connection bypasses LSTM_theta: without it the LSTM saturated before
   it learnt to use z.
7. The suite's frame encoder and decoder replace DCGAN with batch normalisation. The
   decoder has the suite's layers, with the maps of x_0 concatenated at their
   resolutions.
8. The likelihood is the paper's squared error, unlike that of the suite's VAEs, because
   the KL weight of the paper refers to it: 1e-4 with the mean squared error over the D
   numbers of a frame. A mean squared error of 1 is D / 2 nats of a Gaussian of unit
   variance, so the loss is D / 2 times the paper's if the KL has the weight 1e-4 D / 2:
   0.15 for 32x32x3. The KL term itself is reported in nats. No constant converts this
   weight to cross entropy, which exceeds its minimum by (x - p)^2 / (2 p (1 - p)) if x
   is grey, but by -log(1 - p), about p, if x is black. With `likelihood: bernoulli` the
   weight is the same, but has less effect: a fifth on Sprites of the default tier, and
   less the better frames are.
9. There is no p(f).
10. config/paper.yaml has 12 million weights (12.6 million in the official code). All
    layers have the same width (64 to 512 in the official code). The decoder sees the
    4x4 map only, as in 1; f with all maps would be 28 times as large as a frame. There
    are 24 clips of 15 frames a step (100 clips in the official code).
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

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
from training.deconvolution import Deconvolution
from training.distributions import (
    draw,
    kl_gaussian,
    negative_log_likelihood,
    split_gaussian,
)
from training.networks import MAP, SLOPE, encoder, halvings, he, per_frame
from training.posterior import Posterior

Features = Float[Tensor, "batch time hidden"]
Maps = list[Float[Tensor, "batch filter _ _"]]  # smallest first
State = tuple[Tensor, Tensor] | None  # state of an LSTM; None at the start


@dataclass(frozen=True)
class Config:
    """Sizes and choices.

    Attributes:
        width: filters of the frame encoder and decoder.
        hidden: dimensions of h and units of LSTMs (128 and 256 in the paper).
        dim_z: dimensions of z_t (10).
        skips: number of feature maps of the conditioning frame that the decoder sees,
            smallest first; in the paper all of them, 4 for 64 pixels.
        prior: `learned` (SVG-LP) or `fixed` (SVG-FP).
        beta: weight of the KL relative to a mean squared error (1e-4).
        likelihood: `gaussian` (the paper's) or `bernoulli`.
    """

    width: int = 256
    hidden: int = 256
    dim_z: int = 10
    skips: int = 1
    prior: str = "learned"
    beta: float = 1e-4
    likelihood: str = "gaussian"

    def __post_init__(self) -> None:
        """Check ranges."""
        at_least("dim_z", self.dim_z, 1)
        at_least("skips", self.skips, 0)
        at_least("beta", self.beta, 0)
        one_of("prior", self.prior, ("learned", "fixed"))
        one_of("likelihood", self.likelihood, ("bernoulli", "gaussian"))


class FrameEncoder(nn.Module):
    """h_t of every frame, and the feature maps of the first."""

    def __init__(self, config: Config, spec: Spec) -> None:
        """Build the suite's encoder, one block per resolution, and a dense layer."""
        super().__init__()
        conv = encoder(spec.channels, spec.size, config.width)
        self.blocks = nn.ModuleList(conv[k : k + 2] for k in range(0, len(conv), 2))
        self.dense = nn.Sequential(
            nn.Flatten(),
            he(nn.Linear(config.width * MAP * MAP, config.hidden)),
            nn.LeakyReLU(SLOPE, inplace=True),
        )
        self.skips = config.skips

    def forward(self, frames: Frames) -> tuple[Features, Maps]:
        """Return h and the `skips` smallest maps."""
        x, maps = frames, []
        for block in self.blocks:
            x = per_frame(block, x)
            maps.append(x[:, 0])
        return per_frame(self.dense, x), maps[::-1][: self.skips]


class SkipDecoder(nn.Module):
    """The suite's decoder, with feature maps concatenated to its own.

    A deconvolution of concatenated maps is the sum of two deconvolutions. The maps of
    x_0 are the same for all frames of a clip, so their part is computed once.
    """

    def __init__(self, config: Config, spec: Spec) -> None:
        """Build the layers of `training.networks.Decoder`, and those of the maps."""
        super().__init__()
        width, count = config.width, halvings(spec.size)
        outputs = [width] * (count - 1) + [spec.channels]
        self.dense = nn.Sequential(
            nn.Linear(config.hidden, width * MAP * MAP),
            nn.Unflatten(1, (width, MAP, MAP)),
        )
        self.deconvs = nn.ModuleList(
            nn.Sequential(nn.LeakyReLU(SLOPE), Deconvolution(width, out))
            for out in outputs
        )
        self.skips = nn.ModuleList(
            Deconvolution(width, out, bias=False) for out in outputs[: config.skips]
        )
        he(self)

    def forward(self, g: Features, maps: Maps) -> Frames:
        """Return logits of frames from what is predicted of each and the maps."""
        x = per_frame(self.dense, g)
        for k, deconv in enumerate(self.deconvs):
            x = per_frame(deconv, x)
            if k < len(self.skips):
                x = x + self.skips[k](maps[k])[:, None]
        return x.float()


class GaussianLSTM(nn.Module):
    """A Gaussian of z_t given the inputs up to t."""

    def __init__(self, config: Config, last: type[nn.Linear] = nn.Linear) -> None:
        """Build the LSTM and the affine map, the `last` layer."""
        super().__init__()
        self.lstm = nn.LSTM(config.hidden, config.hidden, batch_first=True)
        self.affine = last(config.hidden, 2 * config.dim_z)

    def forward(self, h: Features, state: State = None) -> tuple[Gaussian, State]:
        """Return mean and log variance, and the state for the next call."""
        out, state = self.lstm(h, state)
        return split_gaussian(self.affine(out)), state


class FixedPrior(nn.Module):
    """N(0, I), whatever the past."""

    def __init__(self, config: Config) -> None:
        """Remember the dimensions of z."""
        super().__init__()
        self.dim_z = config.dim_z

    def forward(self, h: Features, state: State = None) -> tuple[Gaussian, State]:
        """Return mean and log variance, and no state."""
        zeros = h.new_zeros(*h.shape[:2], self.dim_z, dtype=torch.float32)
        return (zeros, zeros), None


class Model(SequenceModel):
    """SVG-LP or SVG-FP."""

    label = "SVG"
    paper = "Denton, Fergus 2018, arXiv:1802.07687"
    n_frames = 8
    order = "ordered"
    capabilities = ("codes", "swap", "sample_dynamic")

    def __init__(self, config: Config, spec: Spec) -> None:
        """Build h (encoder), LSTM_theta, p(x | .), q(z_t | x_<=t) and p(z_t | x_<t)."""
        super().__init__()
        c = self.config = config
        at_least("n_frames", spec.n_frames, 2)  # one of them is given
        self.weights = {"kl_dynamic": c.beta * spec.channels * spec.size**2 / 2}
        self.features = FrameEncoder(c, spec)
        self.predictor = nn.LSTM(c.hidden + c.dim_z, c.hidden, 2, batch_first=True)
        self.direct = he(nn.Linear(c.hidden + c.dim_z, c.hidden))  # bypasses the LSTM
        self.p_x = SkipDecoder(c, spec)
        self.q_z = GaussianLSTM(c, Posterior)
        self.p_z = GaussianLSTM(c) if c.prior == "learned" else FixedPrior(c)

    def loss(self, frames: Frames, context: Context) -> Terms:
        """Return the terms of the bound of frames 2 .. T, scaled to T frames."""
        h, maps = self.features(frames)
        past, present = h[:, :-1], h[:, 1:]
        (mu, logvar), _ = self.q_z(present)
        z = draw(mu, logvar, context.generator)
        logits, _ = self.predict(past, z, maps)
        nll = negative_log_likelihood(logits, frames[:, 1:], self.config.likelihood)
        kl = kl_gaussian(mu, logvar, *self.p_z(past)[0])
        time = frames.shape[1]
        return {
            "reconstruction": time * nll.mean(1),
            "kl_dynamic": time * kl.mean(1),
        }

    def predict(
        self,
        past: Features,
        z: Float[Tensor, "batch time z"],
        maps: Maps,
        state: State = None,
    ) -> tuple[Frames, State]:
        """Return logits of x_t from h_t-1 and z_t, and the state for the next call."""
        given = torch.cat([past, z], -1)
        out, state = self.predictor(given, state)
        return self.p_x(self.direct(given) + out, maps), state

    def step(
        self, h: Features, z: Float[Tensor, "batch 1 z"], maps: Maps, state: State
    ) -> tuple[Frames, Features, State]:
        """Close the loop: return the frame predicted, its own h and the state."""
        logits, state = self.predict(h, z, maps, state)
        frame = torch.sigmoid(logits)
        return frame, self.features(frame)[0], state

    def encode(self, frames: Frames) -> Codes:
        """Return f of the first frame, taken as x_0, and mu_z of all frames."""
        h, maps = self.features(frames)
        f = torch.cat([part.flatten(1) for part in (*maps, h[:, :1])], 1)
        return Codes(f, self.q_z(h)[0][0])

    def unpack(self, static: Float[Tensor, "batch f"]) -> tuple[Features, Maps]:
        """Return h_0 and the maps that f contains."""
        width, sides = self.config.width, [MAP << k for k in range(len(self.p_x.skips))]
        sizes = [width * side**2 for side in sides]
        *maps, h = static.split([*sizes, self.config.hidden], 1)
        shaped = [
            part.unflatten(1, (width, side, side))
            for part, side in zip(maps, sides, strict=True)
        ]
        return h[:, None], shaped

    def decode(self, codes: Codes) -> Frames:
        """Return the means of p(x_t | x_<t, z_<=t), in the closed loop."""
        (h, maps), state, frames = self.unpack(codes.static), None, []
        for z in codes.dynamic.split(1, 1):
            frame, h, state = self.step(h, z, maps, state)
            frames.append(frame)
        return torch.cat(frames, 1)

    def sample_dynamic(
        self, static: Float[Tensor, "batch f"], time: int, generator: torch.Generator
    ) -> Float[Tensor, "batch {time} z"]:
        """Draw each z_t given the frames predicted from f and the draws before it."""
        (h, maps), state, past, samples = self.unpack(static), None, None, []
        for _ in range(time):
            (mu, logvar), past = self.p_z(h, past)
            samples.append(draw(mu, logvar, generator))
            _, h, state = self.step(h, samples[-1], maps, state)
        return torch.cat(samples, 1)

    def dynamic_prior(self, codes: Codes) -> Gaussian:
        """Return mean and standard deviation of p(z_t | x_<t), x decoded from codes."""
        first, _ = self.unpack(codes.static)
        h, _ = self.features(self.decode(codes))
        (mu, logvar), _ = self.p_z(torch.cat([first, h[:, :-1]], 1))
        return mu, torch.exp(0.5 * logvar)
