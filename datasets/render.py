"""The true picture of any mixture of factors: what a perfect swap would look like."""

import numpy as np

from datasets.bouncing import draw
from datasets.shrink import shrink
from datasets.store import Store
from seqdis.errors import UserError
from seqdis.files import sha256_of


def renderable(store: Store) -> bool:
    """Say whether `render` works: for sprites and for digits of known place."""
    kind, variant = store.info["kind"], store.info["variant"]
    return kind == "sprites" or (kind == "mmnist" and variant != "public")


def render(
    store: Store, static_sequence: np.ndarray, dynamic_frames: np.ndarray
) -> np.ndarray:
    """Return true frames with one sequence's static and other frames' dynamic factors.

    A sequence rendered with its own frames gives the store's frames bit for bit. For
    sprites the identity's own frame is looked up, so the store must hold the identity
    in the wanted pose (it always does). Digits are drawn again: slot by slot, so which
    digit takes which path is settled by their order in `digits.npy`.

    Args:
        store: a store for which `renderable` is true.
        static_sequence: `(n,)` sequence ids which give the static factors.
        dynamic_frames: `(n, T)` indices into `frames.npy` which give the dynamic ones.

    Returns:
        uint8 `(n, T, height, width, channel)`.

    Raises:
        UserError: the store cannot be rendered.
    """
    static_sequence = np.asarray(static_sequence)
    dynamic_frames = np.asarray(dynamic_frames)
    if not renderable(store):
        raise UserError(
            f"{store.path} ({store.info['kind']}, {store.info['variant']}) cannot be "
            "rendered from its factors; only sprites and generated digits can."
        )
    if store.info["kind"] == "mmnist":
        return _draw_digits(store, static_sequence, dynamic_frames)
    return store.frames[_same_pose(store, static_sequence, dynamic_frames)]


def _same_pose(
    store: Store, static_sequence: np.ndarray, dynamic_frames: np.ndarray
) -> np.ndarray:
    """Return the frames of an identity which show given frames' poses."""
    sequences, timeline = store.sequences, store.timeline
    if store.info["variant"] == "sheet":
        first = sequences["first_frame"].to_numpy()[static_sequence]
        return first[:, None] + timeline["cell"].to_numpy()[dynamic_frames]
    first_frame = sequences["first_frame"].to_numpy()
    identity = sequences["identity"].to_numpy()
    actions = timeline["action"].to_numpy()
    first = np.zeros((identity.max() + 1, actions.max() + 1), np.int64)
    first[identity, actions[first_frame]] = first_frame
    chosen = first[identity[static_sequence][:, None], actions[dynamic_frames]]
    return chosen + timeline["step"].to_numpy()[dynamic_frames]


def _draw_digits(
    store: Store, static_sequence: np.ndarray, dynamic_frames: np.ndarray
) -> np.ndarray:
    """Draw a sequence's digits at other frames' places."""
    path = store.path / "digits.npy"
    if sha256_of(path) != store.info["digits_sha256"]:
        raise UserError(
            f"{path} is not the file that dataset.json describes (its sha256 differs). "
            f"Delete {store.path} and rerun: the dataset will be prepared again."
        )
    digits = np.load(path, mmap_mode="r", allow_pickle=False)[static_sequence]
    names = ["top_0", "left_0", "top_1", "left_1"]
    corners = store.timeline[names].to_numpy().reshape(-1, 2, 2)
    add = store.info["variant"] == "denton"
    frames = [draw(digits, corners[at], add) for at in dynamic_frames.T]
    return shrink(np.stack(frames, axis=1)[..., None], store.info["shape"][1])
