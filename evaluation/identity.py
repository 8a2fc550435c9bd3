"""The identity judge: is a frame nearer to real frames of one identity or another?

For datasets whose static factors have no labels that hold for strangers (faces). Test
identities are strangers to the identity heads (`evaluation.judge.IdentityHead`), so a
frame is compared with reference frames of two clips: a forced choice.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from datasets.store import Store, column
from evaluation.contrast import contrast_sums
from evaluation.evalset import EvalSet

if TYPE_CHECKING:
    from evaluation.ensemble import Ensemble

IDENTITY = "identity"  # as the judges name the factor
REFERENCES = 4  # frames of each clip's identity


def reference_frames(store: Store, clips: np.ndarray) -> np.ndarray:
    """Choose other real frames of each clip's identity, int64 `(clips, REFERENCES)`.

    They are spread evenly over the frames of all other sequences of the identity. If
    there are none, over the farther half of the frames of the clip's sequence that are
    outside its window, and if these are none too, over the clip. Frames repeat where
    there are fewer than REFERENCES.

    Args:
        store: the dataset.
        clips: `(clips, T)` frame indices, consecutive in each row.
    """
    names = store.sequences["identity"].astype(str).to_numpy()
    first = store.sequences["first_frame"].to_numpy()
    end = first + store.sequences["n_frames"].to_numpy()
    of_clip = column(store, "sequence", clips[:, 0])
    chosen = []
    for clip, sequence in zip(clips, of_clip, strict=True):
        others = np.flatnonzero(names == names[sequence])
        others = others[others != sequence]
        if len(others):
            frames = np.concatenate([np.arange(first[o], end[o]) for o in others])
        else:
            frames = farthest_frames(np.arange(first[sequence], end[sequence]), clip)
        places = (2 * np.arange(REFERENCES) + 1) * len(frames) // (2 * REFERENCES)
        chosen.append(frames[places])
    return np.stack(chosen)


def farthest_frames(sequence: np.ndarray, clip: np.ndarray) -> np.ndarray:
    """Return the frames of a sequence that are far from a clip, in order.

    The farther half of those outside the clip, but REFERENCES at least; the clip itself
    if it is the whole sequence.
    """
    distance = np.maximum(clip[0] - sequence, sequence - clip[-1])
    outside = np.flatnonzero(distance > 0)
    if not len(outside):
        return clip
    by_distance = outside[np.argsort(-distance[outside], kind="stable")]
    return sequence[np.sort(by_distance[: max(REFERENCES, len(outside) // 2)])]


def reference_embeddings(
    store: Store, ensemble: "Ensemble", clips: np.ndarray
) -> np.ndarray:
    """Return the mean unit embedding of each clip's references, `(members, clips, d)`.

    Its product with a unit embedding is the mean cosine over the references.

    Args:
        store: the dataset.
        ensemble: judges with identity heads.
        clips: `(clips, T)` frame indices.
    """
    frames = store.frames[reference_frames(store, clips)]
    embeddings = ensemble.read(frames).embeddings
    assert embeddings is not None
    return embeddings.mean(2)


def identity_contrast(
    embeddings: np.ndarray,
    references: np.ndarray,
    wanted: np.ndarray,
    other: np.ndarray,
) -> np.ndarray:
    """Return c = sign(mean cos(e(x), e(A')) - mean cos(e(x), e(B'))), `(n, T)`.

    Means are over the references A' of the wanted and B' of the other clip, then over
    the members. 1: the frame shows the wanted identity; -1: the other one. Exchanging
    wanted and other changes the sign exactly.

    Args:
        embeddings: `(members, n, T, d)`, unit vectors.
        references: `(members, clips, d)`, see `reference_embeddings`.
        wanted: `(n,)`, positions among the clips of the references.
        other: likewise.
    """
    apart = (references[:, wanted] - references[:, other])[:, :, None]
    return np.sign((embeddings * apart).sum(-1).mean(0))


def identity_stranger_sums(
    embeddings: np.ndarray,
    references: np.ndarray,
    wanted: np.ndarray,
    strangers: np.ndarray,
) -> np.ndarray:
    """Return c against strangers, as `contrast.stranger_sums` does: `(n, 6)`.

    Args:
        embeddings: `(members, n, T, d)`, unit vectors.
        references: `(members, clips, d)`.
        wanted: `(n,)`, positions among the clips.
        strangers: bool `(n, clips)`.
    """
    near = np.einsum("mntd,mcd->ntc", embeddings, references)
    own = np.take_along_axis(near, wanted[:, None, None], 2)
    c = np.where(strangers[:, None], np.sign(own - near), np.nan)
    return contrast_sums(c.reshape(len(c), -1)) / strangers.shape[1]


def corner_colours(frames: np.ndarray) -> np.ndarray:
    """Return the mean colours of the four corners of frames, in [0, 1].

    A corner is a square of an eighth of the side: background and light, no face.

    Args:
        frames: `(..., side, side, channel)` in [0, 255].

    Returns:
        float64 `(..., 4 * channel)`.
    """
    patch = frames.shape[-3] // 8
    ends = (slice(None, patch), slice(-patch, None))
    corners = [frames[..., y, x, :].mean((-3, -2)) for y in ends for x in ends]
    return np.concatenate(corners, -1) / 255


def nearest_contrast(
    points: np.ndarray, references: np.ndarray, wanted: np.ndarray, other: np.ndarray
) -> np.ndarray:
    """Return 1 where a point is nearer to the wanted reference, -1 where to the other.

    Args:
        points: `(n, T, k)`.
        references: `(clips, k)`.
        wanted: `(n,)`, positions among the references.
        other: likewise.
    """
    far, near = (
        ((points - references[clip][:, None]) ** 2).sum(-1) for clip in (other, wanted)
    )
    return np.sign(far - near)


def share_right(contrast: np.ndarray) -> float:
    """Return the share of forced choices that are right, in [0, 1]; ties are halves."""
    return float((1 + np.mean(contrast, dtype=np.float64)) / 2)


def certify_identity(
    store: Store,
    ensemble: "Ensemble",
    evalset: EvalSet,
    embeddings: tuple[np.ndarray, np.ndarray],
    floor: float,
) -> dict[str, Any]:
    """Return the entry of the identity in `judge.json`.

    Every real frame of clip A of a pair is to be nearer to the references of A than to
    those of B. `confound` is the same choice by the colours of the frames' corners
    alone: what the background and the light say.

    Args:
        store: the dataset.
        ensemble: judges with identity heads.
        evalset: its pairs of test clips are compared.
        embeddings: `(members, test clips, T, d)` of real and of blurred test frames.
        floor: least share of right choices.
    """
    test, a, b = evalset.test, evalset.a, evalset.b
    real, blurred = (frames[:, a] for frames in embeddings)
    references = reference_embeddings(store, ensemble, test)
    chosen = reference_frames(store, test)
    # A clip's own frames are near to it, whichever identity they show.
    apart = ~is_inside(test, chosen)
    fair = apart[a] & apart[b]
    contrast = identity_contrast(real, references, a, b)
    share = share_right(contrast[fair]) if fair.any() else 0.0
    members = [
        share_right(identity_contrast(real[[k]], references[[k]], a, b))
        for k in range(len(real))
    ]
    colours = corner_colours(store.frames[chosen]).mean(1)
    corners = nearest_contrast(corner_colours(store.frames[test])[a], colours, a, b)
    names = column(store, "identity", test[a, 0]).astype(str)
    number = np.unique(names, return_inverse=True)[1]
    of_identities = np.bincount(number, contrast.mean(1)) / np.bincount(number)
    return {
        "name": IDENTITY,
        "scope": "static",
        "kind": "identity",
        "metric": "forced choice",
        "real": share,
        "blurred": share_right(identity_contrast(blurred, references, a, b)),
        "chance": 0.5,
        "floor": floor,
        "certified": share >= floor,
        "n": int(contrast.size),
        "worst_identity": share_right(of_identities.min()),
        "members": members,
        "confound": share_right(corners),
        "references": count_references(store, test, chosen),
    }


def count_references(
    store: Store, clips: np.ndarray, chosen: np.ndarray
) -> dict[str, int]:
    """Return how many clips have references of another sequence, or only of their own.

    Args:
        store: the dataset.
        clips: `(clips, T)` frame indices.
        chosen: `(clips, REFERENCES)`, see `reference_frames`.
    """
    of_clip, of_chosen = (column(store, "sequence", f[:, 0]) for f in (clips, chosen))
    same, inside = of_clip == of_chosen, is_inside(clips, chosen)
    return {
        "another sequence": int((~same).sum()),
        "same sequence": int((same & ~inside).sum()),
        "same clip": int(inside.sum()),
    }


def is_inside(clips: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Return whether references are frames of the clip itself, bool `(clips,)`.

    Arguments as of `count_references`.
    """
    return (chosen[:, 0] >= clips[:, 0]) & (chosen[:, 0] <= clips[:, -1])
