"""The ensemble of judges: predicted factors and their probabilities."""

from dataclasses import dataclass
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


class Look(NamedTuple):
    """Predictions for frames, and the features of the first member.

    Attributes:
        predictions: factor to `(n, T)`, see `Ensemble.judge`.
        probabilities: categorical factor to `(n, T, values)`, calibrated probabilities.
        features: float32 `(n, T, hidden)`, the last layer before the heads.
    """

    predictions: dict[str, np.ndarray]
    probabilities: dict[str, np.ndarray]
    features: np.ndarray


@dataclass(frozen=True)
class Ensemble:
    """Judges whose predictions are averaged.

    Attributes:
        judges: the members.
        heads: the factors they predict.
        temperatures: per categorical factor; divides the logits.
        frames_sha256: of the frames they were trained on.
    """

    judges: list[Judge]
    heads: list[Head]
    temperatures: dict[str, float]
    frames_sha256: str

    def raw(self, frames: np.ndarray) -> dict[str, np.ndarray]:
        """Return all members' outputs for uint8 `(n, T, height, width, channel)`.

        Logits `(members, n, T, classes)`, or values `(members, n, T)` in the factor's
        unit.

        Raises:
            UserError: frames of another shape than the judges were trained on.
        """
        return self._stack([self._outputs(judge, frames)[0] for judge in self.judges])

    def judge(self, frames: np.ndarray) -> dict[str, np.ndarray]:
        """Predict the factors of uint8 `(n, T, height, width, channel)`.

        Returns:
            Factor to `(n, T)`: int64 values of categorical factors, the most probable
            under the mean of calibrated probabilities; float32 of continuous ones, the
            members' mean.
        """
        raw = self.raw(frames)
        return decide(raw, self.calibrate(raw))

    def look(self, frames: np.ndarray) -> Look:
        """Return predictions, probabilities and features of frames in one pass."""
        members = [self._outputs(judge, frames) for judge in self.judges]
        raw = self._stack([outputs for outputs, _ in members])
        calibrated = self.calibrate(raw)
        return Look(decide(raw, calibrated), calibrated, members[0][1])

    def features(self, frames: np.ndarray) -> np.ndarray:
        """Return the first member's features alone, `(n, T, hidden)`."""
        return self._outputs(self.judges[0], frames)[1]

    def _outputs(
        self, judge: Judge, frames: np.ndarray
    ) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """Return one member's outputs `(n, T, ...)` by factor, and its features."""
        device = next(judge.parameters()).device
        parts: dict[str, list[np.ndarray]] = {head.name: [] for head in self.heads}
        features: list[np.ndarray] = []
        clips = max(1, CHUNK // frames.shape[1])
        for start in range(0, max(1, len(frames)), clips):  # no clips: empty arrays
            block = torch.from_numpy(np.array(frames[start : start + clips]))
            pixels = block.to(device).permute(0, 1, 4, 2, 3).float() / 255
            with torch.inference_mode(), autocast(device):
                hidden = judge.features(pixels)
                outputs = judge.predict(hidden)
            features.append(hidden.float().cpu().numpy())
            for name, output in outputs.items():
                parts[name].append(output.cpu().numpy())
        by_factor = {name: np.concatenate(part) for name, part in parts.items()}
        return by_factor, np.concatenate(features)

    def _stack(self, members: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
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
    paths = sorted(folder.glob("seed*.safetensors"))
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
        judge = Judge(channels, height, abouts[-1]["width"], heads)
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
            if entry["temperature"] is not None
        }
    return Ensemble(judges, heads, temperatures, str(abouts[0]["frames_sha256"]))
