"""What the suite asks of a model."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from training.settings import Training

Frames = Float[Tensor, "batch time channel height width"]  # in [0, 1]
Terms = dict[str, Float[Tensor, " batch"]]  # nats per sequence
Gaussian = tuple[Float[Tensor, "*shape d"], Float[Tensor, "*shape d"]]


class Codes(NamedTuple):
    """The two codes of a batch of clips.

    Attributes:
        static: f of each clip.
        dynamic: z_t of each frame.
    """

    static: Float[Tensor, "batch f"]
    dynamic: Float[Tensor, "batch time z"]


@dataclass(frozen=True)
class Spec:
    """What a model may know about a dataset before it sees a frame.

    Attributes:
        name: dataset name in the config.
        channels: 1 or 3.
        size: height and width, pixels.
        sequences: number of training sequences.
        longest: frames in the longest training sequence.
        n_frames: frames of a training clip.
    """

    name: str
    channels: int
    size: int
    sequences: int
    longest: int
    n_frames: int = 8


@dataclass(frozen=True)
class Context:
    """What a loss may use besides the frames.

    Attributes:
        step: training step, 0 first.
        generator: the only source of randomness a model may use.
        sequences: index of each clip among the training sequences, 0 first; -1 for a
            clip that is not one of them.
        identities: index of each clip's identity, likewise. With
            `training.clips_per_identity` = k each run of k clips has one identity.
        done: share of the training that is over, in [0, 1).
    """

    step: int
    generator: torch.Generator
    sequences: Int[Tensor, " batch"]
    done: float = 0.0
    identities: Int[Tensor, " batch"] | None = None


class SequenceModel(nn.Module):
    """The contract. A model file defines `Config` and `Model(SequenceModel)`.

    `Model(config, spec)` builds it. `n_frames` and `order` say what the paper trains
    on: clips of how many frames, random ones of a sequence (`unordered`) or consecutive
    ones (`ordered`). `training.n_frames` and `training.order` of the config override
    both for any model, so a model takes clips of `spec.n_frames` frames as they come.
    `capabilities` lists what it can do: `codes` (encode gives codes worth probing),
    `swap` (decode any static code with any dynamic one), `sample_static` and
    `sample_dynamic` (draw codes from p(f), from p(z given f)). What it cannot do is
    "not applicable" in the report.

    Where codes are noisy, `loss` draws them with `training.distributions.draw`, and the
    last layer of each q is a `training.posterior.Posterior`: training then starts all
    posteriors alike. Draws from a prior are made in `sample_static`, `sample_dynamic`
    or another method `sample...`. Tests measure the signal and the noise of all other
    draws, so a model with posteriors of another kind has to see to a ratio in [0.1, 5].

    Some losses have adversaries. There is still one sum and one Adam: Adam works weight
    by weight, so several of them are one, as long as each term reaches only the weights
    it is meant for (`training.networks.frozen`, `detach`). Weights that a step's terms
    do not reach stay as they are: a model that returns other terms by `context.step` or
    `context.done` trains in turns or in phases. `optimiser` may choose another one.
    """

    label: ClassVar[str]
    paper: ClassVar[str]
    n_frames: int = 8
    order: ClassVar[str] = "ordered"
    role: ClassVar[str] = "model"
    capabilities: tuple[str, ...] = (
        "codes",
        "swap",
        "sample_static",
        "sample_dynamic",
    )
    weights: Mapping[str, float] = {}  # of terms in what is minimised, where not 1

    @classmethod
    def supports(cls, spec: Spec) -> tuple[bool, str]:
        """Tell whether the model applies to a dataset, and if not, why."""
        return True, ""

    def loss(self, frames: Frames, context: Context) -> Terms:
        """Return named terms, nats per sequence; we minimise their weighted sum.

        In evaluation mode (`self.training` is false) they are measured, not minimised:
        whatever is annealed has its final weight.

        Args:
            frames: clips of `n_frames` frames; in evaluation of fewer, if the clips
                that are scored have fewer and `order` is `ordered`.
            context: step, randomness, sequence ids.
        """
        raise NotImplementedError

    def optimiser(self, training: Training) -> torch.optim.Optimizer | None:
        """Return the optimiser of its weights; None for AdamW with their settings.

        The loop sets the rate of every group, as scheduled, times its `scale` if it has
        one: `{"params": [...], "scale": 0.1}`. A training can be resumed only if all of
        the optimiser's state is tensors.
        """
        return None

    def encode(self, frames: Frames) -> Codes:
        """Return posterior means for clips of any length, without randomness."""
        raise NotImplementedError

    def decode(self, codes: Codes) -> Frames:
        """Return frames in [0, 1]."""
        raise NotImplementedError

    def sample_static(
        self, n: int, generator: torch.Generator
    ) -> Float[Tensor, "{n} f"]:
        """Draw n codes from p(f)."""
        raise NotImplementedError

    def sample_dynamic(
        self, static: Float[Tensor, "batch f"], time: int, generator: torch.Generator
    ) -> Float[Tensor, "batch {time} z"]:
        """Draw from p(z_1:T given f)."""
        raise NotImplementedError

    def log_weight(
        self, frames: Frames, context: Context
    ) -> Float[Tensor, " batch"] | None:
        """Return log p(x, f, z) - log q(f, z | x) of one draw f, z ~ q, per sequence.

        In nats; its mean is the ELBO (training/importance.py). None where the model has
        no such densities.
        """
        return None

    def dynamic_prior(self, codes: Codes) -> Gaussian | None:
        """Return mean and standard deviation of p(z_t given f or the past), if any."""
        return None
