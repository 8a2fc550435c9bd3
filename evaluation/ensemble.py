"""The ensemble of judges: predicted factors and their probabilities."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from evaluation.judge import Head, Judge
from seqdis.errors import UserError
from seqdis.files import read_json
from training import checkpoint
from training.device import autocast, pick

CHUNK = 512  # frames judged at once


class Outputs(NamedTuple):
    """What the networks return for frames.

    Attributes:
        raw: factor to logits `(members, n, T, classes)`, or to values `(members, n, T)`
            in the factor's unit.
        features: float32 `(n, T, hidden)`, the first member's last layer before the
            heads.
        embeddings: float32 `(members, n, T, d)`, unit vectors of the identity heads;
            None where the identity is not judged.
    """

    raw: dict[str, np.ndarray]
    features: np.ndarray
    embeddings: np.ndarray | None


class Look(NamedTuple):
    """What the judges see in frames.

    Attributes:
        predictions: factor to `(n, T)`: int64 values of categorical factors, the most
            probable under the mean of calibrated probabilities; float32 of continuous
            ones, the members' mean.
        probabilities: categorical factor to `(n, T, values)`, calibrated probabilities.
        features: see `Outputs`.
        members: factor to `(members, n, T)`, the prediction of each member alone.
        embeddings: see `Outputs`.
    """

    predictions: dict[str, np.ndarray]
    probabilities: dict[str, np.ndarray]
    features: np.ndarray
    members: dict[str, np.ndarray]
    embeddings: np.ndarray | None


@dataclass(frozen=True)
class Ensemble:
    """Judges whose predictions are averaged.

    Attributes:
        judges: the members. The last of several is the held-out member.
        names: of the members' files, without the suffix.
        heads: the factors they predict.
        temperatures: per categorical factor; divides the logits.
        frames_sha256: of the frames they were trained on.
    """

    judges: list[Judge]
    names: list[str]
    heads: list[Head]
    temperatures: dict[str, float]
    frames_sha256: str

    def read(self, frames: np.ndarray) -> Outputs:
        """Return the members' outputs for uint8 `(n, T, height, width, channel)`."""
        raw, features, embeddings = zip(
            *(self._outputs(judge, frames) for judge in self.judges), strict=True
        )
        embedded = embeddings[0] is not None
        return Outputs(
            self._stack(raw), features[0], np.stack(embeddings) if embedded else None
        )

    def look(self, frames: np.ndarray) -> Look:
        """Return all that the judges see in frames, in one pass."""
        raw, features, embeddings = self.read(frames)
        calibrated = self.calibrate(raw)
        predictions = decide(raw, calibrated)
        members = {name: decide_alone(outputs) for name, outputs in raw.items()}
        return Look(predictions, calibrated, features, members, embeddings)

    def features(self, frames: np.ndarray) -> np.ndarray:
        """Return the first member's features alone, `(n, T, hidden)`."""
        return self._outputs(self.judges[0], frames)[1]

    def _outputs(
        self, judge: Judge, frames: np.ndarray
    ) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray | None]:
        """Return one member's outputs by factor, its features and its embeddings.

        All are `(n, T, ...)`.
        """
        device = next(judge.parameters()).device
        parts: dict[str, list[np.ndarray]] = {head.name: [] for head in self.heads}
        features: list[np.ndarray] = []
        embeddings: list[np.ndarray] = []
        clips = max(1, CHUNK // frames.shape[1])
        for start in range(0, max(1, len(frames)), clips):  # no clips: empty arrays
            block = torch.from_numpy(np.array(frames[start : start + clips]))
            pixels = block.to(device).permute(0, 1, 4, 2, 3).float() / 255
            with torch.inference_mode():
                with autocast(device):
                    hidden = judge.features(pixels)
                    outputs = judge.predict(hidden)
                if judge.identity is not None:
                    embeddings.append(judge.identity(hidden).cpu().numpy())
            features.append(hidden.float().cpu().numpy())
            for name, output in outputs.items():
                parts[name].append(output.cpu().numpy())
        by_factor = {name: np.concatenate(part) for name, part in parts.items()}
        embedded = np.concatenate(embeddings) if embeddings else None
        return by_factor, np.concatenate(features), embedded

    def _stack(self, members: Sequence[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
        """Stack the members' outputs; values of continuous factors in their unit."""
        stacked = {
            head.name: np.stack([m[head.name] for m in members]) for head in self.heads
        }
        for head in self.heads:
            if not head.classes:
                stacked[head.name] = stacked[head.name] * head.std + head.mean
        return stacked

    def calibrate(self, raw: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the calibrated probabilities of categorical factors."""
        return {
            name: probabilities(members, self.temperatures.get(name, 1.0))
            for name, members in raw.items()
            if members.ndim == 4
        }


def decide(
    raw: dict[str, np.ndarray], calibrated: dict[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Return the most probable value of each factor, or the members' mean."""
    return {
        name: calibrated[name].argmax(-1)
        if name in calibrated
        else members.mean(0).astype(np.float32)
        for name, members in raw.items()
    }


def decide_alone(members: np.ndarray) -> np.ndarray:
    """Return each member's most probable values, of its logits, or its values."""
    return members.argmax(-1) if members.ndim == 4 else members.astype(np.float32)


def probabilities(logits: np.ndarray, temperature: float) -> np.ndarray:
    """Return the members' mean of softmax(logits / temperature), `(..., classes)`."""
    scaled = logits / temperature
    scaled = np.exp(scaled - scaled.max(-1, keepdims=True))
    return (scaled / scaled.sum(-1, keepdims=True)).mean(0)


def load(folder: str | Path) -> Ensemble:
    """Open all `seed*.safetensors` of a folder, and `judge.json` if it is there.

    Raises:
        UserError: no judges, damaged files, or judges trained on different frames.
    """
    folder = Path(folder)
    files = folder.glob("seed*.safetensors")
    paths = sorted(files, key=lambda path: (len(path.name), path.name))  # 2 before 10
    if not paths:
        raise UserError(
            f"{folder} has no seed*.safetensors. Train judges first: "
            "python -m evaluation.judge."
        )
    device = pick()
    judges: list[Judge] = []
    abouts: list[Any] = []
    for path in paths:
        weights, about = checkpoint.load(path)
        abouts.append(about)
        heads = [Head(**entry) for entry in abouts[-1]["heads"]]
        height, _, channels = abouts[-1]["shape"]
        width, identities = abouts[-1]["width"], abouts[-1]["identities"]
        judge = Judge(channels, height, width, heads, identities)
        judge.load_state_dict(weights)
        judges.append(judge.to(device).eval())
    if any(about["frames_sha256"] != abouts[0]["frames_sha256"] for about in abouts):
        raise UserError(
            f"The judges in {folder} were trained on different frames. "
            "Delete the folder and train them again."
        )
    temperatures = {}
    if (folder / "judge.json").is_file():
        verdict = read_json(folder / "judge.json")
        temperatures = {
            entry["name"]: entry["temperature"]
            for entry in verdict["factors"]
            if entry.get("temperature") is not None
        }
    names = [path.stem for path in paths]
    return Ensemble(judges, names, heads, temperatures, abouts[0]["frames_sha256"])


def development(ensemble: Ensemble) -> Ensemble:
    """Return the ensemble that models are tuned with: without the held-out member.

    Temperatures are left out too (1 instead): all members had a part in them.

    Raises:
        UserError: the ensemble has a single member.
    """
    if len(ensemble.judges) < 2:
        raise UserError(
            "Tuning needs a judge besides the held-out one, but there is a single "
            "judge. Set judges to 2 or more, and train them."
        )
    return replace(
        ensemble,
        judges=ensemble.judges[:-1],
        names=ensemble.names[:-1],
        temperatures={},
    )
