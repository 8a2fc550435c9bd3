"""MoCoGAN: motion and content decomposed by two adversaries.

Tulyakov, Liu, Yang, Kautz 2018, arXiv:1707.04993. A generator of clips without a
likelihood and without an encoder. A clip has one content code and a path of motion
codes:

    z_C ~ N(0, I),  z_M^0 ~ N(0, I),  z_M^t = GRU(e_t, z_M^t-1),  e_t ~ N(0, I)
    x_t = G(z_C, z_M^t),  f = z_C,  z_t = z_M^t

D_I discriminates real from generated frames, D_V real from generated clips. Both give
one logit per patch. For each output of D, where BCE is the cross entropy averaged over
patches and sg stops gradients, the terms are:

    discriminator_image, _video    BCE(D(x), 1) / 2 + BCE(D(sg G(z)), 0) / 2
    generator_image, _video        BCE(D(G(z)), 1), D frozen

Choices that the paper leaves open, and departures from it:

1. Each term is a sum of T outputs: D_I has one per frame, and the single output of D_V
   per clip counts T times. Both discriminators thus have the same weight, as in the
   paper. At chance a term is log 2 per frame.
2. D_I sees all frames of the clips. The paper's D_I sees one random frame of each clip.
3. One Adam minimises the sum of all four terms: D and G are updated at the same time,
   each by its own terms. The paper alternates. The paper's beta1 of 0.5 is
   `training.beta1`.
4. The suite's decoder and encoder replace DCGAN: there is no batch normalisation, and G
   ends with a sigmoid. D_I has a 1x1 convolution on the 4x4 map of the encoder; its
   patches are those of the official code. D_V has as many layers as the encoder, 4x4x4
   convolutions with stride 2 in space and 1 in time. Because of padding in time, each
   layer shortens the clip by one frame, not by three.
5. T is 8 instead of 16.
6. `noise` is added to the input of both discriminators. The official code adds noise to
   the input of each layer.
7. There is no category z_A, and so no InfoGAN term.
8. z_M^0 is drawn, as in the official code.
9. `encoder_from` < 1 is a variant with an encoder, which the paper does not have. From
   this share of the training on, G is frozen, and q(f | x) prod_t q(z_t | x_t) is
   fitted to clips that G generates, whose codes are known (the sleep phase of
   wake-sleep). Means and variances are learnt:

       code_static, code_dynamic    -log q(f | G(z)), -sum_t log q(z_t | G(z)_t)

   The encoder must read real frames, not only frames that G draws. A further term, with
   the weight `inversion`, therefore fits the means mu of q so that G reconstructs real
   frames (Zhu et al. 2016, arXiv:1609.03552):

       reconstruction    -log p(x | sg G, mu_f, mu_z)

10. config/paper.yaml has 3 clips of 16 frames a step, as the official code; D_I sees
    all 48 frames (10 in the code). It has the code's weight decay of 1e-5, decoupled
    (AdamW), and 19 million weights (6.6 million in the code).
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from seqdis.errors import UserError
from seqdis.settings import at_least, one_of
from training.contract import (
    Codes,
    Context,
    Frames,
    SequenceModel,
    Spec,
    Terms,
)
from training.distributions import (
    gaussian_nll,
    negative_log_likelihood,
    split_gaussian,
    standard_normal,
)
from training.networks import (
    SLOPE,
    Decoder,
    encoder,
    frame_features,
    frozen,
    halvings,
    per_frame,
)

Logits = Float[Tensor, "batch patches"]


@dataclass(frozen=True)
class Config:
    """Sizes, instance noise, and whether there is an encoder.

    Attributes:
        width: filters of generator, discriminators and encoder.
        hidden: units of the encoder's dense layer, if there is one.
        dim_f: dimensions of z_C (50).
        dim_z: dimensions of z_M^t (10).
        noise: standard deviation of Gaussian noise on what discriminators see.
        encoder_from: share of the training, in (0, 1], after which an encoder is
            fitted instead; 1 fits none.
        inversion: weight of the term of real frames when the encoder is fitted; 0 fits
            it to generated clips only.
        likelihood: `bernoulli` or `gaussian`, in the reconstruction of the encoder.
    """

    width: int = 256
    hidden: int = 512
    dim_f: int = 50
    dim_z: int = 10
    noise: float = 0.1
    encoder_from: float = 1.0
    inversion: float = 1.0
    likelihood: str = "bernoulli"

    def __post_init__(self) -> None:
        """Check ranges."""
        at_least("dim_f", self.dim_f, 1)
        at_least("dim_z", self.dim_z, 1)
        at_least("noise", self.noise, 0)
        at_least("inversion", self.inversion, 0)
        if not 0 < self.encoder_from <= 1:
            raise UserError(f"encoder_from must be in (0, 1]. Got {self.encoder_from}.")
        one_of("likelihood", self.likelihood, ("bernoulli", "gaussian"))


class MotionPath(nn.Module):
    """p(z_1:T): the states of a GRU that is fed with noise."""

    def __init__(self, dim_z: int) -> None:
        """Build the GRU."""
        super().__init__()
        self.gru = nn.GRU(dim_z, dim_z, batch_first=True)

    def forward(
        self, n: int, time: int, generator: torch.Generator
    ) -> Float[Tensor, "{n} {time} z"]:
        """Draw n paths; the first state drawn is z_M^0, which has no frame."""
        draws = standard_normal((1 + time) * n, self.gru.input_size, generator)
        start, noise = draws[:n], draws[n:].unflatten(0, (n, time))
        return self.gru(noise, start[None])[0].float()


class ImageDiscriminator(nn.Module):
    """D_I: is each of these frames real?"""

    def __init__(self, spec: Spec, width: int) -> None:
        """Build the suite's frame encoder and a logit per cell of its map."""
        super().__init__()
        self.layers = nn.Sequential(
            encoder(spec.channels, spec.size, width), nn.Conv2d(width, 1, 1)
        )

    def forward(self, frames: Frames) -> Logits:
        """Return the logits of "real" of all patches of all frames."""
        return per_frame(self.layers, frames).flatten(1).float()


class SpaceTimeConv(nn.Conv2d):
    """A 4x4x4 convolution of stride (1, 2, 2) and padding 1.

    Its weights are stored like those of a 2-D convolution whose channels are (input,
    time): the suite's networks are channels-last, a memory format that torch has for 4
    dimensions only.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        """Build the weights."""
        super().__init__(inputs * 4, outputs, 4)

    def forward(
        self, x: Float[Tensor, "batch inputs time height width"]
    ) -> Float[Tensor, "batch outputs time-1 height/2 width/2"]:
        """Convolve."""
        weight = self.weight.unflatten(1, (-1, 4))
        return functional.conv3d(x, weight, self.bias, (1, 2, 2), 1)


class VideoDiscriminator(nn.Module):
    """D_V: is this clip real?"""

    def __init__(self, spec: Spec, width: int) -> None:
        """Build as many layers as the frame encoder has, and a logit per cell."""
        super().__init__()
        layers: list[nn.Module] = []
        for layer in range(halvings(spec.size)):
            layers.append(SpaceTimeConv(width if layer else spec.channels, width))
            layers.append(nn.LeakyReLU(SLOPE, inplace=True))
        self.layers = nn.Sequential(*layers, nn.Flatten(3), nn.Conv2d(width, 1, 1))

    def forward(self, frames: Frames) -> Logits:
        """Return the logits of "real" of all patches in space and time."""
        return self.layers(frames.transpose(1, 2)).flatten(1).float()


class Encoder(nn.Module):
    """q(f | x_1:T) from the mean of frame features, q(z_t | x_t) from each."""

    def __init__(self, config: Config, spec: Spec) -> None:
        """Build the features and two affine maps."""
        super().__init__()
        c = config
        self.features = frame_features(spec.channels, spec.size, c.width, c.hidden)
        self.f = nn.Linear(c.hidden, 2 * c.dim_f)
        self.z = nn.Linear(c.hidden, 2 * c.dim_z)

    def forward(
        self, frames: Frames
    ) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
        """Return mean and log variance of f and of z."""
        v = per_frame(self.features, frames)
        return split_gaussian(self.f(v.mean(1))), split_gaussian(self.z(v))


class Model(SequenceModel):
    """MoCoGAN."""

    label = "MoCoGAN"
    paper = "Tulyakov, Liu, Yang, Kautz 2018, arXiv:1707.04993"
    n_frames = 8
    order = "ordered"
    capabilities: tuple[str, ...] = ("sample_static", "sample_dynamic")

    def __init__(self, config: Config, spec: Spec) -> None:
        """Build the motion path, G, D_I and D_V, and the encoder if there is one."""
        super().__init__()
        c = self.config = config
        self.time = spec.n_frames  # T
        if self.time <= halvings(spec.size):
            raise UserError(
                f"n_frames must be > {halvings(spec.size)} for frames of {spec.size} "
                f"pixels: each layer of D_V takes one away. Got {self.time}."
            )
        self.motion = MotionPath(c.dim_z)
        self.generator = Decoder(c.dim_f + c.dim_z, spec.channels, spec.size, c.width)
        self.image = ImageDiscriminator(spec, c.width)
        self.video = VideoDiscriminator(spec, c.width)
        # Large initial weights saturate adversaries, so these start as in PyTorch.
        for network in (self.generator, self.image, self.video):
            network.apply(start_as_torch)
        self.encoder = Encoder(c, spec) if c.encoder_from < 1 else None
        if self.encoder:
            self.capabilities = SequenceModel.capabilities

    def loss(self, frames: Frames, context: Context) -> Terms:
        """Return the terms of the adversaries, or later those of the encoder."""
        if self.encoder and not self.training:
            return self.reconstruction(frames)
        if self.encoder and context.done >= self.config.encoder_from:
            terms = self.inference(self.encoder, len(frames), context.generator)
            weight = self.config.inversion
            shown = self.reconstruction(frames) if weight else {}
            return terms | {name: weight * term for name, term in shown.items()}
        return self.adversaries(frames, context.generator)

    def adversaries(self, frames: Frames, generator: torch.Generator) -> Terms:
        """Return the terms of both discriminators, and those of G for each."""
        generated = self.decode(self.draw_codes(len(frames), generator))
        real, fake = self.seen(frames, generator), self.seen(generated, generator)
        terms = {}
        for name, judge in (("image", self.image), ("video", self.video)):
            found = cross_entropy(judge(real), True)
            caught = cross_entropy(judge(fake.detach()), False)
            terms[f"discriminator_{name}"] = 0.5 * (found + caught)
            terms[f"generator_{name}"] = cross_entropy(frozen(judge, fake), True)
        return {name: self.time * term for name, term in terms.items()}

    def seen(self, frames: Frames, generator: torch.Generator) -> Frames:
        """Return frames as discriminators see them, with instance noise."""
        noise = torch.randn(frames.shape, generator=generator, device=frames.device)
        return frames + self.config.noise * noise

    def inference(self, q: Encoder, n: int, generator: torch.Generator) -> Terms:
        """Return -log q of the codes of n generated clips."""
        with torch.no_grad():
            codes = self.draw_codes(n, generator)
            frames = self.decode(codes)
        q_f, q_z = q(frames)
        return {
            "code_static": gaussian_nll(codes.static, q_f),
            "code_dynamic": gaussian_nll(codes.dynamic, q_z).sum(1),
        }

    def reconstruction(self, frames: Frames) -> Terms:
        """Return -log p of real frames given the means of their codes, G frozen."""
        logits = frozen(self.generator, *self.encode(frames))
        nll = negative_log_likelihood(logits, frames, self.config.likelihood)
        return {"reconstruction": nll.sum(1)}

    def draw_codes(self, n: int, generator: torch.Generator) -> Codes:
        """Draw the codes of n training clips."""
        f = self.sample_static(n, generator)
        return Codes(f, self.sample_dynamic(f, self.time, generator))

    def encode(self, frames: Frames) -> Codes:
        """Return the means of q, if there is an encoder."""
        if not self.encoder:
            raise NotImplementedError("MoCoGAN has no encoder; see encoder_from.")
        (f, _), (z, _) = self.encoder(frames)
        return Codes(f, z)

    def decode(self, codes: Codes) -> Frames:
        """Return G(f, z_t)."""
        return torch.sigmoid(self.generator(codes.static, codes.dynamic))

    def sample_static(
        self, n: int, generator: torch.Generator
    ) -> Float[Tensor, "{n} f"]:
        """Draw z_C from N(0, I)."""
        return standard_normal(n, self.config.dim_f, generator)

    def sample_dynamic(
        self, static: Float[Tensor, "batch f"], time: int, generator: torch.Generator
    ) -> Float[Tensor, "batch {time} z"]:
        """Draw motion paths, which do not know f."""
        return self.motion(len(static), time, generator)


def start_as_torch(layer: nn.Module) -> None:
    """Start the weights of a convolution or dense layer as PyTorch does."""
    if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
        layer.reset_parameters()


def cross_entropy(logits: Logits, real: bool) -> Float[Tensor, " batch"]:
    """Return the mean over patches of the cross entropy with one target for all."""
    return functional.softplus(-logits if real else logits).mean(1)
