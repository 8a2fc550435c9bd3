"""Every axis metric of one set of codes."""

from typing import NamedTuple

from evaluation.axes import (
    beta_vae,
    dci,
    explicitness,
    factor_vae,
    infomec,
    irs,
    jemmig,
    mig,
    modularity,
    sap,
)
from evaluation.codes import Rows
from seqdis.seeds import numpy_generator

MOST_FITTED = 320  # columns that forests and probes are fitted to; more take too long


class Score(NamedTuple):
    """A value and the version of the metric that gave it."""

    value: float
    version: str


def axis_scores(train: dict[str, Rows], test: dict[str, Rows]) -> dict[str, Score]:
    """Return all axis metrics by name, higher is better (docs/metrics.md).

    Metrics that fit something fit it to training rows; all are of test rows. Those that
    fit all columns at once are left out of codes of more than 320 columns.

    Args:
        train: factor to rows; all with the same columns.
        test: likewise.
    """
    scores = {
        "mig": Score(mig.mig(test), mig.VERSION),
        "sap": Score(sap.sap(train, test), sap.VERSION),
        "modularity": Score(modularity.modularity(test), modularity.VERSION),
        "irs": Score(irs.irs(test), irs.VERSION),
        "jemmig": Score(jemmig.jemmig(test), jemmig.VERSION),
        "factor_vae": Score(
            factor_vae.factor_vae(test, numpy_generator("factor_vae")),
            factor_vae.VERSION,
        ),
    }
    if any(rows.codes.shape[1] > MOST_FITTED for rows in test.values()):
        return scores
    scores["explicitness"] = Score(
        explicitness.explicitness(train, test), explicitness.VERSION
    )
    scores["beta_vae"] = Score(
        beta_vae.beta_vae(test, numpy_generator("beta_vae")), beta_vae.VERSION
    )
    for name, value in dci.dci(train, test)._asdict().items():
        scores[f"dci_{name}"] = Score(value, dci.VERSION)
    for name, value in infomec.infomec(train, test)._asdict().items():
        scores[f"infomec_{name}"] = Score(value, infomec.VERSION)
    return scores
