"""Everything evaluation needs of a trained model, as arrays (docs/formats.md)."""

import time
from collections.abc import Iterator

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from datasets.store import Store, clip_frames
from seqdis.files import read_parquet
from seqdis.seeds import numpy_generator, torch_generator
from training.batches import gather
from training.contract import Codes, Context, SequenceModel
from training.importance import bounds

CLIPS_AT_ONCE = 16
MANIFOLD_IDENTITIES = 4
MANIFOLD_SIDE = 9
MANIFOLD_REACH = 2.0  # standard deviations of z on the test clips
TRACE_FRAMES = 450
BOUND_CLIPS = 32  # at most, a tenth of the test clips; each is decoded K times


@torch.inference_mode()
def represent(
    model: SequenceModel, store: Store, device: torch.device, shuffled: bool = False
) -> tuple[dict[str, np.ndarray], dict[str, float]]:
    """Return the arrays of representation.npz, and how fast codes and frames were made.

    Evaluation randomness is shared by all. Speeds, in frames per second, are of all
    clips encoded, read from the store, and of the test clips reconstructed; of a model
    that does not, there are none.

    Args:
        model: trained, in evaluation mode, on `device`.
        store: frames, with clips.parquet and pairs.parquet beside them.
        device: where to compute.
        shuffled: encode every clip with its frames in random order, and give each frame
            its own z_t back. Loss terms, drawn pictures and what a prior makes without
            a clip are left out.
    """
    clips = read_parquet(store.path / "clips.parquet")
    pairs = read_parquet(store.path / "pairs.parquet")
    arrays = {"status": np.array("done")}
    able = model.capabilities
    if "sample_static" in able and "sample_dynamic" in able and not shuffled:
        length = int(clips["n_frames"].iloc[0])
        arrays |= _generate(model, store, len(pairs), length, device)
    if "swap" not in able:
        return arrays, {}
    started = time.perf_counter()
    codes = _encode(model, store, clips, device, shuffled)
    speeds = {"encode": _speed(codes.dynamic, started)}
    test = np.flatnonzero(clips["split"].to_numpy() == "test")
    if "codes" in able:
        arrays |= {"static": _array(codes.static), "dynamic": _array(codes.dynamic)}
        arrays |= _prior(model, codes)
        if not shuffled:
            arrays |= _trace(model, store, device)
            arrays |= _terms(model, store, clips.iloc[test], device)
            arrays |= _bounds(model, store, clips.iloc[test], device)
    a, b = (torch.tensor(pairs[side].tolist(), device=device) for side in "ab")
    started = time.perf_counter()
    arrays["reconstruction"] = decode(model, codes.static[test], codes.dynamic[test])
    speeds["decode"] = _speed(codes.dynamic[test], started)
    arrays["swap"] = decode(model, codes.static[a], codes.dynamic[b])
    rng = torch_generator(device, "evaluation", store.info["name"], "samples")
    if "sample_dynamic" in able:
        z = model.sample_dynamic(codes.static[a], codes.dynamic.shape[1], rng)
        arrays["sample_dynamic"] = decode(model, codes.static[a], z)
    if "sample_static" in able:
        f = model.sample_static(len(b), rng)
        arrays["sample_static"] = decode(model, f, codes.dynamic[b])
    if "codes" in able and codes.dynamic.shape[-1] >= 2 and not shuffled:
        arrays |= _manifold(model, store, clips.iloc[test], codes, test)
    return arrays, speeds


def _speed(dynamic: Tensor, started: float) -> float:
    """Return frames per second of clips `(clips, T, z)` since a moment."""
    if dynamic.is_cuda:
        torch.cuda.synchronize(dynamic.device)
    return round(dynamic[..., 0].numel() / (time.perf_counter() - started), 1)


def _chunks(n: int) -> Iterator[slice]:
    return (slice(k, k + CLIPS_AT_ONCE) for k in range(0, n, CLIPS_AT_ONCE))


def _array(tensor: Tensor) -> np.ndarray:
    return tensor.float().cpu().numpy()


def _frames(store: Store, clips: pd.DataFrame, device: torch.device) -> Tensor:
    return gather(store.frames, clip_frames(clips), device)


def _encode(
    model: SequenceModel,
    store: Store,
    clips: pd.DataFrame,
    device: torch.device,
    shuffled: bool,
) -> Codes:
    index = clip_frames(clips)
    if not shuffled:
        return encode(model, store.frames, index, device)
    rng = numpy_generator("evaluation", store.info["name"], "shuffled")
    order = rng.permuted(np.tile(np.arange(index.shape[1]), (len(index), 1)), axis=1)
    codes = encode(model, store.frames, np.take_along_axis(index, order, 1), device)
    back = torch.from_numpy(order.argsort(1)).to(device)[..., None]
    return Codes(codes.static, codes.dynamic.take_along_dim(back, 1))


def encode(
    model: SequenceModel, frames: np.ndarray, index: np.ndarray, device: torch.device
) -> Codes:
    """Return the codes of clips, `(clips, T)` indices of uint8 frames."""
    parts = [
        model.encode(gather(frames, index[part], device))
        for part in _chunks(len(index))
    ]
    return Codes(*(torch.cat(part).float() for part in zip(*parts, strict=True)))


def decode(model: SequenceModel, static: Tensor, dynamic: Tensor) -> np.ndarray:
    """Return uint8 frames `(n, time, height, width, channel)`."""
    parts = []
    for part in _chunks(len(static)):
        frames = model.decode(Codes(static[part], dynamic[part])).clamp(0, 1)
        pixels = (frames * 255).round().to(torch.uint8)
        parts.append(pixels.permute(0, 1, 3, 4, 2).cpu().numpy())
    return np.concatenate(parts)


def _generate(
    model: SequenceModel, store: Store, n: int, time: int, device: torch.device
) -> dict[str, np.ndarray]:
    """Return clips from the priors alone, then the same with new z, and with new f."""
    rng = torch_generator(device, "evaluation", store.info["name"], "generated")
    f, new_f = model.sample_static(n, rng), model.sample_static(n, rng)
    z, new_z = (model.sample_dynamic(f, time, rng) for _ in range(2))
    return {
        "generated": decode(model, f, z),
        "generated_new_dynamic": decode(model, f, new_z),
        "generated_new_static": decode(model, new_f, z),
    }


def _prior(model: SequenceModel, codes: Codes) -> dict[str, np.ndarray]:
    parts = [
        model.dynamic_prior(Codes(codes.static[part], codes.dynamic[part]))
        for part in _chunks(len(codes.static))
    ]
    given = [prior for prior in parts if prior is not None]
    if not given:
        return {}
    mean, std = (torch.cat(part) for part in zip(*given, strict=True))
    return {"prior_mean": _array(mean), "prior_std": _array(std)}


def _terms(
    model: SequenceModel, store: Store, clips: pd.DataFrame, device: torch.device
) -> dict[str, np.ndarray]:
    """Return the loss terms of every test clip, in nats per frame."""
    asked = _asked(model, store, clips, device, "terms")
    parts = [
        {name: term / frames.shape[1] for name, term in model.loss(frames, now).items()}
        for frames, now in asked
    ]
    return {
        f"term_{name}": _array(torch.cat([part[name] for part in parts]))
        for name in parts[0]
    }


def _bounds(
    model: SequenceModel, store: Store, clips: pd.DataFrame, device: torch.device
) -> dict[str, np.ndarray]:
    """Return the importance-weighted bound and the ELBO of some clips, per frame."""
    spread = np.linspace(0, len(clips) - 1, min(BOUND_CLIPS, max(1, len(clips) // 10)))
    some = clips.iloc[spread.round().astype(int)]
    asked = _asked(model, store, some, device, "importance")
    known = [
        [bound / frames.shape[1] for bound in found]
        for frames, context in asked
        if (found := bounds(model, frames, context)) is not None
    ]
    if not known:
        return {}
    bound, elbo = (_array(torch.cat(part)) for part in zip(*known, strict=True))
    return {"importance_bound": bound, "elbo": elbo}


def _asked(
    model: SequenceModel,
    store: Store,
    clips: pd.DataFrame,
    device: torch.device,
    stream: str,
) -> Iterator[tuple[Tensor, Context]]:
    """Yield what the density of clips is asked about, some clips at a time.

    A model trained on N frames is asked about N frames spread evenly over the clip. A
    shorter clip is taken as it is, but by a model of sets, which may need N: there
    some frames count twice.
    """
    rng = torch_generator(device, "evaluation", store.info["name"], stream)
    for part in _chunks(len(clips)):
        frames = _frames(store, clips.iloc[part], device)
        time, n = frames.shape[1], model.n_frames
        n = min(n, time) if model.order == "ordered" else n
        chosen = np.linspace(0, time - 1, n).round().astype(int)
        sequences = torch.full((len(frames),), -1, device=device)
        yield frames[:, chosen], Context(0, rng, sequences)


def _trace(
    model: SequenceModel, store: Store, device: torch.device
) -> dict[str, np.ndarray]:
    """Return z along the longest test sequence (the seed's figure 4b)."""
    test = store.sequences[store.sequences["split"] == "test"]
    row = test.iloc[int(np.argmax(test["n_frames"]))]
    index = row["first_frame"] + np.arange(min(row["n_frames"], TRACE_FRAMES))
    codes = model.encode(gather(store.frames, index[None], device))
    return {
        "trace": _array(codes.dynamic[0]),
        "trace_sequence": np.array(row["sequence"]),
    }


def _manifold(
    model: SequenceModel,
    store: Store,
    clips: pd.DataFrame,
    codes: Codes,
    test: np.ndarray,
) -> dict[str, np.ndarray]:
    """Decode a grid over a plane of z at fixed f (the seed's figure 3)."""
    z = codes.dynamic[test].flatten(0, 1)
    centre = z.mean(0)
    if z.shape[1] == 2:
        plane, words = torch.diag(z.std(0)), "z1 and z2"
    else:
        _, scale, axes = torch.linalg.svd(z - centre, full_matrices=False)
        plane = axes[:2] * scale[:2, None] / len(z) ** 0.5
        words = f"first two principal axes of the {z.shape[1]} dimensions of z"
    steps = torch.linspace(-MANIFOLD_REACH, MANIFOLD_REACH, MANIFOLD_SIDE)
    grid = torch.stack(torch.meshgrid(steps, steps, indexing="ij"), -1).to(z.device)
    points = centre + grid.flatten(0, 1) @ plane
    identity = store.sequences["identity"].to_numpy()[clips["sequence"]]
    _, first = np.unique(identity, return_index=True)
    static = codes.static[test[np.sort(first)[:MANIFOLD_IDENTITIES]]]
    frames = decode(model, static, points.expand(len(static), -1, -1))
    shape = (len(static), MANIFOLD_SIDE, MANIFOLD_SIDE, *frames.shape[2:])
    return {
        "manifold": frames.reshape(shape),
        "manifold_axes": _array(grid),
        "manifold_plane": np.array(words),
    }
