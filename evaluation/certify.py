"""What the judges are worth on real test frames: accuracy, calibration, verdict.

`python -m evaluation.certify --data DIR --judges DIR --settings JSON --out judge.json`
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from scipy.ndimage import gaussian_filter
from scipy.optimize import minimize_scalar

from datasets.store import Store, column, hidden_mask, labels, verify
from evaluation import ensemble as judges
from evaluation.agreement import agreement, agreement_sums
from evaluation.ensemble import Ensemble, probabilities
from evaluation.evalset import EvalSet, evalset_of, read
from evaluation.floors import floors
from evaluation.judge_settings import Settings
from evaluation.network import Head
from seqdis.errors import UserError, cli
from seqdis.files import write_json
from seqdis.settings import build, parse_json

BINS = 15
BLUR = 1.0  # standard deviation of the blurred test frames, pixels
MANY = 50  # above so many classes `many_floor` applies


def calibration_error(
    probability: np.ndarray, label: np.ndarray, bins: int = BINS
) -> float:
    """Return the expected calibration error: sum_b n_b/n |accuracy_b - confidence_b|.

    Guo, Pleiss, Sun, Weinberger (2017), arXiv 1706.04599, eq. 3; equal-width bins of
    the highest probability. In [0, 1], lower is better; 0 if perfectly calibrated.

    Args:
        probability: `(n, classes)`.
        label: `(n,)`.
        bins: number of bins.
    """
    if not len(label):
        return 0.0
    confidence = probability.max(1)
    correct = probability.argmax(1) == label
    where = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = np.bincount(where, correct - confidence, bins)
    return float(np.abs(gaps).sum() / len(label))


def temperature(logits: np.ndarray, label: np.ndarray) -> float:
    """Return the temperature in [0.05, 20] with the lowest cross entropy; 1 if no data.

    Args:
        logits: `(members, n, classes)`; the members' probabilities are averaged.
        label: `(n,)`.
    """
    if not len(label):
        return 1.0

    def surprise(log_temperature: float) -> float:
        chance = probabilities(logits, np.exp(log_temperature))
        picked = np.take_along_axis(chance, label[:, None].astype(int), 1)
        return float(-np.log(np.maximum(picked, 1e-12)).mean())

    bounds = (np.log(0.05), np.log(20.0))
    return float(np.exp(minimize_scalar(surprise, bounds=bounds, method="bounded").x))


def constant_accuracy(label: np.ndarray) -> float:
    """Return the accuracy of the best constant answer: the share of the top class."""
    return float(np.unique(label, return_counts=True)[1].max() / len(label))


def certify(
    store: Store, ensemble: Ensemble, where: EvalSet, settings: Settings
) -> dict[str, Any]:
    """Judge real test clips and return the contents of `judge.json`.

    Args:
        store: the dataset.
        ensemble: freshly trained, without temperatures.
        where: the evaluation lists; temperatures are of the valid clips.
        settings: the floors.

    Raises:
        UserError: a factor shows in no test frame.
    """
    valid, index = where.valid, where.test
    on_valid = ensemble.raw(store.frames[valid])
    real = store.frames[index]
    on_real = ensemble.raw(real)
    on_blurred = ensemble.raw(gaussian_filter(real, (0, 0, BLUR, BLUR, 0)))
    identity = column(store, "identity", index)
    scopes = {factor["name"]: factor["scope"] for factor in store.info["factors"]}
    entries = []
    for head in ensemble.heads:
        truth = labels(store, head.name, index)
        seen = ~hidden_mask(store, head.name, index)
        if not seen.any():
            raise UserError(
                f"Factor {head.name!r} shows in no test clip of {store.path}. Use more "
                "test clips, or set judged to false for it."
            )
        heat = _calibrate(store, head, valid, on_valid[head.name])
        answers = (on_real[head.name], on_blurred[head.name])
        entry = _verdict(head, truth, seen, answers, heat, identity, settings)
        entries.append({"name": head.name, "scope": scopes[head.name], **entry})
    return {
        "certified": all(entry["certified"] for entry in entries),
        "floor": settings.floor,
        "seeds": len(ensemble.judges),
        "frames": int(index.size),
        "frames_sha256": ensemble.frames_sha256,
        "factors": entries,
    }


def _calibrate(
    store: Store, head: Head, valid: np.ndarray, members: np.ndarray
) -> float | None:
    """Fit a categorical factor's temperature on valid frames where it shows."""
    if not head.classes:
        return None
    seen = ~hidden_mask(store, head.name, valid)
    return temperature(members[:, seen], labels(store, head.name, valid)[seen])


def _verdict(
    head: Head,
    truth: np.ndarray,
    seen: np.ndarray,
    answers: tuple[np.ndarray, np.ndarray],
    calibration: float | None,
    identity: np.ndarray,
    settings: Settings,
) -> dict[str, Any]:
    """Return one factor's entry, all but its name and scope."""
    kind = "categorical" if head.classes else "continuous"
    if calibration is None:
        read_off = [members.mean(0) for members in answers]
        floor, chance = settings.ccc_floor, 0.0
        before = after = None
    else:
        mixed = [probabilities(members, calibration) for members in answers]
        read_off = [mean.argmax(-1) for mean in mixed]
        floor = settings.many_floor if head.classes > MANY else settings.floor
        chance = constant_accuracy(truth[seen])
        plain = probabilities(answers[0], 1.0)
        before = calibration_error(plain[seen], truth[seen])
        after = calibration_error(mixed[0][seen], truth[seen])
    real, blurred = (
        float(agreement(kind, agreement_sums(kind, truth, answer, seen).sum(0)))
        for answer in read_off
    )
    worst = None
    if head.classes:
        correct = (read_off[0] == truth)[seen]
        who = np.unique(identity[seen].astype(str), return_inverse=True)[1]
        worst = float((np.bincount(who, correct) / np.bincount(who)).min())
    return {
        "kind": kind,
        "metric": "accuracy" if head.classes else "ccc",
        "real": real,
        "blurred": blurred,
        "chance": chance,
        "ece_before": before,
        "ece_after": after,
        "temperature": calibration,
        "floor": floor,
        "certified": real >= floor,
        "n": int(seen.sum()),
        "worst_identity": worst,
    }


def main() -> None:
    """Write judge.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--judges", type=Path, required=True)
    parser.add_argument("--settings", default="{}")
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    settings = build(Settings, parse_json(given.settings), "judge")
    store = verify(given.data)
    where = evalset_of(*read(given.data))
    given.out.unlink(missing_ok=True)
    ensemble = judges.load(given.judges)
    if ensemble.frames_sha256 != store.info["frames_sha256"]:
        raise UserError(
            f"The judges in {given.judges} were trained on other frames than "
            f"{given.data} holds. Delete the folder and train them again."
        )
    verdict = certify(store, ensemble, where, settings)
    write_json(given.out, verdict | {"floors": floors(store, where.train, where.test)})


if __name__ == "__main__":
    cli(main)
