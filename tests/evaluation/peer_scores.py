"""Scores that two other implementations give of known codes, for `peer_scores.json`.

    PYTHONPATH=. python tests/evaluation/peer_scores.py > scores.json

needs, in an environment of its own, `disent` 0.8.0 and `disentanglement_lib` 1.5 with
`gin-config` 0.3.0 (all installed with --no-deps; TensorFlow is not needed for scores)
beside this project's requirements. The file is committed, so tests need neither.
"""

import json
import sys
import warnings
from collections.abc import Callable
from importlib.metadata import version

import numpy as np

from evaluation.codes import Rows
from tests.evaluation import reference_codes

VOTES, LENGTH = 1600, 64  # as ours has, training and test votes together: 1600
Side = tuple[np.ndarray, np.ndarray]  # codes (rows, columns), factors (rows, factors)


def binary(seed: int) -> Side:
    """Return an oracle of two factors of two values, unequally noisy."""
    rng = np.random.default_rng(seed)
    factors = rng.integers(0, 2, (1600, 2))
    return factors + rng.normal(0, [0.4, 0.8], factors.shape), factors


def mixed(seed: int) -> Side:
    """Return ten columns that mix three factors of two, three and six values."""
    weights = np.random.default_rng(9).normal(size=(3, 10)) ** 3
    rng = np.random.default_rng(seed)
    factors = rng.integers(0, [2, 3, 6], (1600, 3))
    return factors @ weights + rng.normal(0, 0.5, (1600, 10)), factors


def of_kind(kind: str) -> Callable[[int], Side]:
    """Return what makes the reference codes of a kind, f and z beside each other."""

    def make(seed: int) -> Side:
        f, z, factors = reference_codes.codes(kind, seed)
        return np.concatenate([f, z], 1), factors

    return make


ARRAYS = {kind: of_kind(kind) for kind in reference_codes.KINDS}
ARRAYS |= {"binary": binary, "mixed": mixed}


def sides(name: str) -> tuple[dict[str, Rows], dict[str, Rows]]:
    """Return training (seed 0) and test rows (seed 1) as this project takes them."""
    train, test = (
        {str(k): Rows(codes, factors[:, k]) for k in range(factors.shape[1])}
        for codes, factors in (ARRAYS[name](0), ARRAYS[name](1))
    )
    return train, test


class Simulator:
    """Draws rows by their factors; the data set that both libraries ask for."""

    def __init__(self, codes: np.ndarray, factors: np.ndarray) -> None:
        self.codes, self.factors = codes, factors
        self.num_factors = factors.shape[1]
        self.random = np.random.RandomState(0)
        self.gt_data = self
        self.rows: dict[tuple, list[int]] = {}
        for row, key in enumerate(map(tuple, factors)):
            self.rows.setdefault(key, []).append(row)

    def sample_factors(self, n, random_state=None):
        return self.factors[self.random.randint(0, len(self.factors), n)]

    def dataset_batch_from_factors(self, factors, mode=None):
        return self.codes[[self.random.choice(self.rows[tuple(f)]) for f in factors]]

    def dataset_sample_batch(self, n, mode=None):
        return self.dataset_batch_from_factors(self.sample_factors(n))

    def sample_observations_from_factors(self, factors, random_state):
        return self.dataset_batch_from_factors(factors)


def same(codes):
    return codes


def disent_scores(train: Side, test: Side) -> dict[str, float]:
    """Return MIG, SAP, DCI and FactorVAE of disent."""
    from disent.metrics import _dci, _factor_vae, _mig, _sap

    (x, v), (y, w) = [(codes.T, factors.T) for codes, factors in (train, test)]
    np.random.seed(0)  # noqa: NPY002 - what disent draws from
    found = _dci._compute_dci(x, v, y, w)
    votes = _factor_vae.metric_factor_vae.unwrap(
        Simulator(*test),
        same,
        batch_size=LENGTH,
        num_train=VOTES // 2,
        num_eval=VOTES // 2,
        num_variance_estimate=1600,
    )
    return {
        "mig": _mig._compute_mig(y, w)["mig.discrete_score"],
        "sap": _sap._compute_sap(x, v, y, w, False)["sap.score"],
        "dci_disentanglement": found["dci.disentanglement"],
        "dci_completeness": found["dci.completeness"],
        "dci_informativeness": found["dci.informativeness_test"],
        "factor_vae": votes["factor_vae.eval_accuracy"],
    }


def lib_scores(train: Side, test: Side) -> dict[str, float]:
    """Return modularity, explicitness, IRS and BetaVAE of disentanglement_lib."""
    import gin

    gin.tf = sys.modules["gin.tf"] = gin  # else it asks for TensorFlow
    from disentanglement_lib.evaluation.metrics import beta_vae, irs, utils
    from disentanglement_lib.evaluation.metrics import modularity_explicitness as me

    (x, v), (y, w) = [(codes.T, factors.T) for codes, factors in (train, test)]
    binned = utils._histogram_discretize(y, num_bins=20)
    found = {
        "modularity": me.modularity(utils.discrete_mutual_info(binned, w)),
        "irs": 0.0,
        "beta_vae": beta_vae.compute_beta_vae_sklearn(
            Simulator(*test),
            same,
            np.random.RandomState(0),
            batch_size=LENGTH,
            num_train=VOTES // 2,
            num_eval=VOTES // 2,
        )["eval_accuracy"],
    }
    alive = irs._drop_constant_dims(y)
    if len(alive):
        found["irs"] = irs.scalable_disentanglement_score(w.T, alive.T)["avg_score"]
    if (x.std(1) > 0).all():
        normal, mean, std = utils.normalize_data(x)
        held_out, _, _ = utils.normalize_data(y, mean, std)
        areas = [
            me.explicitness_per_factor(normal, v[k], held_out, w[k])[1]
            for k in range(len(v))
        ]
        found["explicitness"] = 2 * np.mean(areas) - 1
    return found


def main() -> None:
    """Print the scores of all arrays, and what computed them."""
    warnings.simplefilter("ignore")
    packages = ("disent", "disentanglement_lib", "scikit-learn", "numpy")
    scores = {
        name: {
            metric: round(float(value), 6)
            for metric, value in (
                disent_scores(make(0), make(1)) | lib_scores(make(0), make(1))
            ).items()
        }
        for name, make in ARRAYS.items()
    }
    made = {"versions": {name: version(name) for name in packages}, "scores": scores}
    sys.stdout.write(json.dumps(made, indent=1) + "\n")


if __name__ == "__main__":
    main()
