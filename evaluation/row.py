"""One score, and whether higher or lower values of it are better."""

from typing import NamedTuple

import numpy as np

LOWER = (
    "verification_eer_static",
    "verification_hter_static",
    "verification_auc_dynamic",
    "regression_rmse_dynamic",
    "regression_ccc_static",
    "regression_pearson_static",
)
NEITHER = ("active_", "shuffled_", "probe_chance")
OF_CODES = (
    "static",
    "dynamic",
    "motion",
    "whitened",
    "added_static",
    "added_dynamic",
)


class Row(NamedTuple):
    """One score: a row of metrics.parquet without the names of the cell.

    `samples` `(replicates,)`: the score in every bootstrap sample of the test
    identities (resampled.py), for a row of resampled.parquet; None where it has none.
    """

    metric: str
    factor: str
    value: float
    n: int
    direction: str
    metric_version: str
    samples: np.ndarray | None = None


def direction(metric: str, scope: str = "") -> str:
    """Tell whether higher or lower values of a metric are better; "" for neither.

    A static factor should not be read off z, nor a dynamic one off f: there lower is
    better. Of a dynamic factor a good prior leaves little in whitened z, and a good
    posterior much.
    """
    probe, _, code = metric.removesuffix("_mlp").partition("_")
    wrong = "dynamic" if code.endswith("static") else "static"
    leak = probe in ("probe", "bits") and code in OF_CODES and scope == wrong
    whitened = code == "whitened" and scope == "dynamic"
    if metric.startswith(NEITHER) or code == "pixels" or whitened:
        return ""
    return "lower" if metric in LOWER or leak else "higher"
