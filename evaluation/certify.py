"""Accuracy and calibration of the judges on real test frames, and their verdict.

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
from evaluation.ensemble import Ensemble, decide_alone, probabilities
from evaluation.evalset import EvalSet, evalset_of, read
from evaluation.groups import group_factors
from evaluation.identity import certify_identity
from evaluation.judge import Head
from evaluation.judge_settings import Settings
from evaluation.metrics.probes import measure_floors
from seqdis.errors import UserError, cli
from seqdis.files import write_json
from seqdis.settings import build, parse_json

BINS = 15  # of the expected calibration error
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
    index = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = np.bincount(index, correct - confidence, bins)
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
    store: Store, ensemble: Ensemble, evalset: EvalSet, settings: Settings
) -> dict[str, Any]:
    """Evaluate the judges on real test clips; return the contents of `judge.json`.

    Args:
        store: the dataset.
        ensemble: freshly trained, without temperatures.
        evalset: temperatures are fitted to its validation clips.
        settings: the floors.

    Raises:
        UserError: a factor shows in no test frame.
    """
    valid, test = evalset.valid, evalset.test
    on_valid = ensemble.read(store.frames[valid])
    frames = store.frames[test]
    real = ensemble.read(frames)
    blurred = ensemble.read(gaussian_filter(frames, (0, 0, BLUR, BLUR, 0)))
    identity = column(store, "identity", test)
    scopes = {factor.name: factor.scope for factor in store.factors}
    entries = []
    for head in ensemble.heads:
        truth = labels(store, head.name, test)
        shown = ~hidden_mask(store, head.name, test)
        if not shown.any():
            raise UserError(
                f"Factor {head.name!r} shows in no test clip of {store.path}. Use more "
                "test clips, or set judged to false for it."
            )
        heat = fit_temperature(store, head, valid, on_valid.raw[head.name])
        outputs = (real.raw[head.name], blurred.raw[head.name])
        entry = judge_entry(head, truth, shown, outputs, heat, identity, settings)
        entries.append({"name": head.name, "scope": scopes[head.name], **entry})
    if real.embeddings is not None and blurred.embeddings is not None:
        embeddings = (real.embeddings, blurred.embeddings)
        floor = settings.identity_floor
        entries.append(certify_identity(store, ensemble, evalset, embeddings, floor))
    groups = group_factors(store, [entry["name"] for entry in entries])
    for entry in entries:
        entry["group"] = groups[entry["name"]]
    return {
        "certified": all(entry["certified"] for entry in entries),
        "floor": settings.floor,
        "drawn_floor": settings.drawn_floor,
        "seeds": len(ensemble.judges),
        "held_out": ensemble.names[-1] if len(ensemble.names) > 1 else None,
        "frames": int(test.size),
        "frames_sha256": ensemble.frames_sha256,
        "factors": entries,
    }


def fit_temperature(
    store: Store, head: Head, valid: np.ndarray, outputs: np.ndarray
) -> float | None:
    """Fit a factor's temperature on the validation frames that show it.

    None for a continuous factor.
    """
    if not head.classes:
        return None
    shown = ~hidden_mask(store, head.name, valid)
    return temperature(outputs[:, shown], labels(store, head.name, valid)[shown])


def judge_entry(
    head: Head,
    truth: np.ndarray,
    shown: np.ndarray,
    outputs: tuple[np.ndarray, np.ndarray],
    heat: float | None,
    identity: np.ndarray,
    settings: Settings,
) -> dict[str, Any]:
    """Return the entry of a factor in `judge.json`, all but its name and scope.

    Args:
        head: the factor.
        truth: `(clips, T)` labels of the test frames.
        shown: `(clips, T)`, whether a frame shows the factor.
        outputs: of all members for real and for blurred frames.
        heat: the factor's temperature; None for a continuous factor.
        identity: `(clips, T)`.
        settings: the floors.
    """
    kind = "categorical" if head.classes else "continuous"
    if heat is None:
        predictions = [members.mean(0) for members in outputs]
        floor, chance = settings.ccc_floor, 0.0
        before = after = None
    else:
        calibrated = [probabilities(members, heat) for members in outputs]
        predictions = [mean.argmax(-1) for mean in calibrated]
        floor = settings.many_floor if head.classes > MANY else settings.floor
        chance = constant_accuracy(truth[shown])
        uncalibrated = probabilities(outputs[0], 1.0)
        before = calibration_error(uncalibrated[shown], truth[shown])
        after = calibration_error(calibrated[0][shown], truth[shown])
    real, blurred, *members = (
        float(agreement(kind, agreement_sums(kind, truth, prediction, shown).sum(0)))
        for prediction in (*predictions, *decide_alone(outputs[0]))
    )
    worst = None
    if head.classes:
        correct = (predictions[0] == truth)[shown]
        person = np.unique(identity[shown].astype(str), return_inverse=True)[1]
        worst = float((np.bincount(person, correct) / np.bincount(person)).min())
    return {
        "kind": kind,
        "metric": "accuracy" if head.classes else "ccc",
        "real": real,
        "blurred": blurred,
        "chance": chance,
        "ece_before": before,
        "ece_after": after,
        "temperature": heat,
        "floor": floor,
        "certified": real >= floor,
        "n": int(shown.sum()),
        "worst_identity": worst,
        "members": members,
    }


def main() -> None:
    """Write judge.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--judges", type=Path, required=True)
    parser.add_argument("--settings", default="{}")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    settings = build(Settings, parse_json(arguments.settings), "judge")
    store = verify(arguments.data)
    evalset = evalset_of(*read(arguments.data))
    arguments.out.unlink(missing_ok=True)
    ensemble = judges.load(arguments.judges)
    if ensemble.frames_sha256 != store.info["frames_sha256"]:
        raise UserError(
            f"The judges in {arguments.judges} were trained on other frames than "
            f"{arguments.data} holds. Delete the folder and train them again."
        )
    verdict = certify(store, ensemble, evalset, settings)
    floors = measure_floors(store, evalset.train, evalset.test)
    write_json(arguments.out, verdict | {"floors": floors})


if __name__ == "__main__":
    cli(main)
