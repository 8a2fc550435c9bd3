"""InfoNCE: how well a code tells its positive from negatives.

Oord, Li, Vinyals 2018, arXiv:1807.03748, with cosine similarity and a temperature (Chen
et al. 2020, arXiv:2002.05709).
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional


def info_nce(
    anchor: Float[Tensor, "batch d"],
    positive: Float[Tensor, "batch d"],
    negative: Float[Tensor, "#batch others d"],
    temperature: float,
    allowed: Bool[Tensor, "batch others"] | None = None,
) -> Float[Tensor, " batch"]:
    """Return -log of the share of a positive among the similarities of its anchor.

    In nats: 0 at best, log(1 + others) where codes say nothing. A similarity is
    exp(cosine / temperature).

    Args:
        anchor: codes.
        positive: for each a code that should be similar.
        negative: codes that should not be, of each anchor or of all.
        temperature: the lower, the more the most similar negatives count.
        allowed: which negatives count; by default all.
    """
    like = functional.cosine_similarity(anchor, positive, dim=-1) / temperature
    unlike = functional.cosine_similarity(anchor[:, None], negative, dim=-1)
    unlike = unlike / temperature
    if allowed is not None:
        unlike = unlike.masked_fill(~allowed, -torch.inf)
    return torch.logsumexp(torch.cat([like[:, None], unlike], 1), 1) - like
