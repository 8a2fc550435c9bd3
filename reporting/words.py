"""Labels, one-line definitions and number formats: every word the page repeats."""

import math
import re
from datetime import UTC, datetime
from typing import Any, NamedTuple

import pandas as pd


class Metric(NamedTuple):
    """A metric's short label, better direction and one-line definition."""

    label: str
    direction: str
    definition: str


METRICS = {
    "finished": Metric("Finished", "higher", "1 if the training finished"),
    "swap_score": Metric(
        "Swap score",
        "higher",
        "harmonic mean of static kept and dynamic transferred (below zero counts as "
        "0); 1 is a perfect swap, 0 is chance",
    ),
    "swap_static": Metric(
        "Static kept",
        "higher",
        "mean over static factors of (judged in decode(f_A, z_B) against A − chance) "
        "/ (1 − chance)",
    ),
    "swap_dynamic": Metric(
        "Dynamic transferred",
        "higher",
        "mean over dynamic factors of (judged in decode(f_A, z_B) against B − chance) "
        "/ (1 − chance)",
    ),
    "swap_static_kept": Metric(
        "Static kept",
        "higher",
        "the judge reads A's static factor in decode(f_A, z_B); accuracy or CCC",
    ),
    "swap_static_leaked": Metric(
        "Static leaked",
        "lower",
        "the judge reads B's static factor in decode(f_A, z_B): identity came with z",
    ),
    "swap_dynamic_transferred": Metric(
        "Dynamic transferred",
        "higher",
        "the judge reads B's dynamic factor in decode(f_A, z_B); accuracy or CCC",
    ),
    "swap_dynamic_stayed": Metric(
        "Dynamic stayed",
        "lower",
        "the judge reads A's dynamic factor in decode(f_A, z_B): motion came with f",
    ),
    "sample_dynamic_static_kept": Metric(
        "Static kept, z sampled",
        "higher",
        "the judge reads A's static factor in decode(f_A, z) with z ~ p(z | f_A)",
    ),
    "sample_static_dynamic_kept": Metric(
        "Dynamic kept, f sampled",
        "higher",
        "the judge reads B's dynamic factor in decode(f, z_B) with f ~ p(f)",
    ),
    "generated_static": Metric(
        "Static kept",
        "higher",
        "clips from the priors alone: is the same static factor read in (f, another z) "
        "as in (f, z)? Mean over factors of (kept − chance) / (1 − chance)",
    ),
    "generated_dynamic": Metric(
        "Dynamic kept",
        "higher",
        "the same of dynamic factors in (another f, z) and (f, z)",
    ),
    "generated_static_kept": Metric(
        "Static kept, of priors",
        "higher",
        "the same static factor is read in (f, another z) as in (f, z), both drawn",
    ),
    "generated_static_chance": Metric(
        "Static kept by chance", "lower", "the same in (f, z) of the next pair"
    ),
    "generated_dynamic_kept": Metric(
        "Dynamic kept, of priors",
        "higher",
        "the same dynamic factor is read in (another f, z) as in (f, z), both drawn",
    ),
    "generated_dynamic_chance": Metric(
        "Dynamic kept by chance", "lower", "the same in (f, z) of the next pair"
    ),
    "generated_score": Metric(
        "Generated score",
        "higher",
        "harmonic mean of the two, below zero counting as 0",
    ),
    "active_static": Metric(
        "Active f", "", "columns of f whose posterior mean varies over clips"
    ),
    "active_dynamic": Metric(
        "Active z", "", "columns of z whose posterior mean varies within clips"
    ),
    "response_static": Metric(
        "Response to f",
        "higher",
        "how far swapping f changes frames, over what real clips differ",
    ),
    "response_dynamic": Metric("Response to z", "higher", "the same of swapping z"),
    "flag_f_collapse": Metric(
        "f collapse",
        "lower",
        "1 if no column of f is active, or its KL ended at almost nothing",
    ),
    "flag_z_collapse": Metric("z collapse", "lower", "the same of z"),
    "flag_identity_in_z": Metric(
        "identity in z",
        "lower",
        "1 if single z tell who it is: AUC from z of 0.75 or more, or static factors "
        "read off z a quarter of the way up from chance",
    ),
    "flag_ignores_f": Metric(
        "decoder ignores f",
        "lower",
        "1 if swapping f changes frames by less than a tenth of what clips differ",
    ),
    "flag_ignores_z": Metric("decoder ignores z", "lower", "the same of swapping z"),
    "reconstruction_judged": Metric(
        "Judged reconstruction",
        "higher",
        "the judge reads A's factor in decode(f_A, z_A): the ceiling a swap can reach",
    ),
    "swap_normalised": Metric(
        "Normalised swap",
        "higher",
        "(swap − chance) / (judged reconstruction − chance): blur no longer counts",
    ),
    "verification_auc_static": Metric(
        "AUC from f",
        "higher",
        "how often two test clips of one identity have more similar f (cosine) than "
        "clips of two; 1 is perfect, 0.5 chance",
    ),
    "verification_eer_static": Metric(
        "EER from f",
        "lower",
        "share of errors in the same test where false accepts and false rejects are "
        "equally many; 0 is perfect, 0.5 chance",
    ),
    "verification_hter_static": Metric(
        "HTER from f",
        "lower",
        "mean of false accepts and false rejects at the threshold that "
        "validation identities set; 0 is perfect, 0.5 chance",
    ),
    "verification_auc_dynamic": Metric(
        "AUC from z",
        "lower",
        "the same with single z_t, which should not know the identity: 0.5 is ideal",
    ),
    "verification_eer_dynamic": Metric(
        "EER from z", "higher", "the same with single z_t: 0.5 is ideal"
    ),
    "verification_hter_dynamic": Metric(
        "HTER from z", "higher", "the same with single z_t: 0.5 is ideal"
    ),
    "regression_ccc_dynamic": Metric(
        "CCC from z",
        "higher",
        "concordance of a ridge regression on z_t with a continuous dynamic factor, on "
        "test identities; a constant answer has 0",
    ),
    "regression_pearson_dynamic": Metric(
        "r from z", "higher", "Pearson correlation of the same regression"
    ),
    "regression_rmse_dynamic": Metric(
        "RMSE from z", "lower", "its root mean squared error, in the factor's unit"
    ),
    "regression_ccc_static": Metric(
        "CCC from f", "lower", "the same from f, which should not know the motion"
    ),
    "regression_pearson_static": Metric(
        "r from f", "lower", "Pearson correlation of the regression on f"
    ),
    "regression_rmse_static": Metric(
        "RMSE from f", "higher", "root mean squared error of the regression on f"
    ),
    "trace_correlation": Metric(
        "|r| along the trace",
        "higher",
        "absolute correlation of the drawn column of z (the liveliest) with a factor "
        "along one test sequence",
    ),
    "mig": Metric(
        "MIG",
        "higher",
        "mutual information gap: mean over factors of (largest − second largest "
        "I(code dimension; factor)) / H(factor), 0 to 1",
    ),
    "dci_disentanglement": Metric(
        "DCI disentanglement",
        "higher",
        "1 − entropy of each code dimension's importance over factors, weighted, 0 to "
        "1",
    ),
    "dci_completeness": Metric(
        "DCI completeness",
        "higher",
        "1 − entropy of each factor's importance over code dimensions, 0 to 1",
    ),
    "dci_informativeness": Metric(
        "DCI informativeness",
        "higher",
        "held-out score when the factors are predicted from the code, at most 1",
    ),
    "sap": Metric(
        "SAP", "higher", "gap of the two columns that predict a factor best, 0 to 1"
    ),
    "jemmig": Metric(
        "JEMMIG", "higher", "MIG that also asks a column to know nothing else, 0 to 1"
    ),
    "factor_vae": Metric(
        "FactorVAE",
        "higher",
        "how often the stillest column tells which factor was held; floor 1 / factors",
    ),
    "beta_vae": Metric(
        "BetaVAE",
        "higher",
        "how often distances of pairs tell which factor was held; floor 1 / factors",
    ),
    "modularity": Metric(
        "Modularity", "higher", "does each column know one factor only? 0 to 1"
    ),
    "explicitness": Metric(
        "Explicitness", "higher", "2 AUC − 1 of reading each value linearly; floor 0"
    ),
    "irs": Metric(
        "IRS", "higher", "how still columns are while their factor is held, 0 to 1"
    ),
    "infomec_modularity": Metric(
        "InfoM", "higher", "purity of columns, normalised information, 0 to 1"
    ),
    "infomec_compactness": Metric(
        "InfoC", "higher", "purity of factors over columns, 0 to 1"
    ),
    "infomec_explicitness": Metric(
        "InfoE",
        "higher",
        "share of a factor's entropy a linear probe "
        "removes; of continuous factors of its variance",
    ),
    "block_gap": Metric(
        "Block gap",
        "higher",
        "bits of a factor in its own code less those in the other, over its entropy: "
        "1 for f and z as they should be, −1 exchanged",
    ),
    "block_modularity": Metric(
        "Block modularity",
        "higher",
        "does each code know much more of one kind of factors? 0 to 1",
    ),
    "block_explicitness": Metric(
        "Block E",
        "higher",
        "share of a factor's entropy, of a continuous one's variance, that the better "
        "of both codes removes, 0 to 1",
    ),
    "block_disentanglement": Metric(
        "Block D", "higher", "does each code know one kind of factors only? 0 to 1"
    ),
    "block_completeness": Metric(
        "Block C", "higher", "is each factor in one code only? 0 to 1"
    ),
    "consistency": Metric(
        "Consistency",
        "higher",
        "is the same dynamic factor read in decode(f_A, z_B) as in decode(f_B, z_B), "
        "right or wrong? Mean over factors of (agreed − chance) / (1 − chance)",
    ),
    "consistency_agreed": Metric(
        "The same z", "higher", "agreement of the two readings; accuracy or CCC"
    ),
    "consistency_chance": Metric(
        "Another z", "lower", "agreement with decode(f_B, z_B) of the next pair"
    ),
    "trustworthiness": Metric(
        "Trustworthiness",
        "higher",
        "do the 10 nearest z of other identities show near poses? 1 is always, 0 what "
        "shuffled codes score",
    ),
    "continuity": Metric(
        "Continuity",
        "higher",
        "do the 10 nearest poses of other identities have near z? 1 is always, 0 what "
        "shuffled codes score",
    ),
    "coverage": Metric(
        "Coverage",
        "higher",
        "share of the values of dynamic factors in real frames that the judge reads in "
        "samples of p(z); frames read at random have 1, too",
    ),
    "coverage_frames": Metric(
        "Coverage, by frames",
        "higher",
        "the same, every value counted as often as real frames show it",
    ),
    "manifold_roughness": Metric(
        "Roughness",
        "lower",
        "coefficient of variation of the change along an axis of the drawn plane: 0 is "
        "an even pace, 2.6 a single jump; unrelated pictures are even, too",
    ),
    "manifold_change": Metric(
        "Change per z",
        "",
        "root mean square change of pixels in [0, 1] per deviation of z, on the plane",
    ),
    "frechet_reconstruction": Metric(
        "Fréchet, reconstructed",
        "lower",
        "Fréchet distance of reconstructions from real frames in features of the "
        "judge, over their variance: 0 for copies, 1 for one mean picture. Not FID, "
        "not FVD",
    ),
    "frechet_sample_dynamic": Metric(
        "Fréchet, z sampled", "lower", "the same of decode(f_A, z) with z ~ p(z | f_A)"
    ),
    "frechet_generated": Metric(
        "Fréchet, f and z sampled",
        "lower",
        "the same of frames from the priors alone, which can hardly be nearer than "
        "other real frames",
    ),
    "field_accuracy": Metric(
        "Acc",
        "higher",
        "clips decoded from drawn f and z of a test clip: the judge reads what that "
        "clip does",
    ),
    "field_inception_score": Metric(
        "IS", "higher", "exp(H(y) − H(y|x)) of the classes the judge reads"
    ),
    "field_conditional_entropy": Metric(
        "H(y|x)", "lower", "how unsure the judge is of a clip, nats"
    ),
    "field_marginal_entropy": Metric(
        "H(y)", "higher", "how evenly the classes come up, nats"
    ),
    "frechet_real": Metric(
        "Fréchet of real halves",
        "lower",
        "the same of two halves of the real test clips: what no distance means",
    ),
    "importance_bound": Metric(
        "log p(x), 64 draws",
        "higher",
        "importance-weighted bound, nats per frame, on a tenth of the test "
        "clips, at most 32",
    ),
    "elbo": Metric(
        "ELBO", "higher", "the same bound of one draw, on the same clips and draws"
    ),
    "mse": Metric(
        "MSE", "lower", "mean squared error of reconstructions, pixels in [0, 1]"
    ),
    "psnr": Metric("PSNR (dB)", "higher", "−10 log10(MSE), mean over test frames"),
    "ssim": Metric("SSIM", "higher", "structural similarity, at most 1"),
}

# What factors are read off, and how: the parts of names like `bits_static_mlp`.
CODES = {
    "static": "f",
    "dynamic": "single z",
    "motion": "all z of a clip",
    "whitened": "z beyond the prior",
    "pixels": "raw pixels",
    "added_static": "f beyond z",
    "added_dynamic": "z beyond f",
    "chance": "a constant",
}
ADDED = ("added_static", "added_dynamic")  # in bits alone, read by lines
SECOND = "_mlp"
FAMILIES = {"": "linear probes", SECOND: "networks"}
PROBE = re.compile(rf"(probe|bits)_({'|'.join(CODES)})(_\w+)?")
METRICS["probe_chance"] = Metric(
    "Chance", "", "accuracy or R² of the best constant answer"
)
METRICS |= {
    # No direction: static factors belong into f and dynamic ones into z, not elsewhere.
    f"{measure}_{code}{suffix}": Metric(
        f"{label} {what}" + (f", {family}" if suffix else ""),
        "",
        f"{reads.format(what)}, on test identities, by {family}",
    )
    for measure, label, reads in (
        ("probe", "Probe of", "accuracy or R² of reading a factor off {}"),
        ("bits", "Bits from", "how many bits {} tell of a factor (V-information)"),
    )
    for suffix, family in FAMILIES.items()
    for code, what in CODES.items()
    if code != "chance" and (code not in ADDED or f"{measure}{suffix}" == "bits")
}

IDEAL = 0.5  # of AUC, EER and HTER from z
ARROWS = {"higher": "↑", "lower": "↓"}

STATUSES = {
    "done": "done",
    "diverged": "diverged",
    "out_of_memory": "out of memory",
    "over_budget": "over budget",
    "skipped": "not applicable",
    "crashed": "crashed or not run",
    "unscored": "trained, not evaluated",
}

FACES = ("affwild", "grid")  # kinds of datasets whose identities are people

ROWS_OF_A_STRIP = {
    "reconstruction": "reconstruction of A",
    "swap": "swap: f of A, z of B",
    "sample_dynamic": "f of A, z sampled",
    "sample_static": "f sampled, z of B",
    "generated": "f and z sampled",
    "generated_new_dynamic": "same f, new z",
    "generated_new_static": "new f, same z",
}


def metric(name: str) -> Metric:
    """Return a metric's words; an unknown metric is named by its own key."""
    if name.startswith("term_"):
        term = plain(name.removeprefix("term_"))
        return Metric(term, "lower", "loss term on test clips, nats per frame")
    if name.startswith("shuffled_"):
        return metric(name.removeprefix("shuffled_"))._replace(direction="")
    return METRICS.get(name, Metric(plain(name), "", "no definition is known here"))


def compared(name: str, value: float) -> float:
    """Return a score as models are compared by it.

    Of the identity in z 0.5 is best: an AUC below it, and error rates above, only turn
    round. A probe that was sure and wrong, below 0, read as little as one at 0.
    """
    if name.startswith(("probe_", "bits_")):
        return max(value, 0.0)
    if not re.fullmatch(r"verification_\w+_dynamic", name):
        return value
    lower = metric(name).direction == "lower"
    return max(value, IDEAL) if lower else min(value, IDEAL)


def plain(name: str) -> str:
    """Turn an identifier into words."""
    words = name.replace("_", " ")
    return words.replace("kl ", "KL ") if words.startswith("kl ") else words


def number(value: float | None, digits: int = 3) -> str:
    """Format with `digits` significant digits, integers whole, "–" if missing."""
    if value is None or pd.isna(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if abs(value) < 5e-5:
        return "0"
    return f"{value:,.{decimals(value, digits)}f}".replace("-", "−")


def decimals(value: float, digits: int = 3) -> int:
    """Return how many decimals show `digits` significant digits of `value`."""
    if value == 0 or not math.isfinite(value):
        return digits
    shown = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    # Scores live in [0, 1]: past the fourth decimal there is only noise.
    return min(shown, 4)


def interval(mean: float, low: float, high: float) -> str:
    """Format an interval with the decimals of its mean; "" when there is none."""
    if pd.isna(low) or pd.isna(high):
        return ""
    places = decimals(mean) if mean else 3
    low, high = (round(end, places) + 0.0 for end in (low, high))
    ends = (f"{end:,.{places}f}".replace("-", "−") for end in (low, high))
    return " to ".join(ends)


def amount(value: float | None) -> str:
    """Format a large count with a unit letter: 23.0 M, 1.61 G."""
    if value is None or pd.isna(value):
        return "–"
    for size, letter in ((1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{number(value / size)} {letter}"
    return number(value)


def duration(seconds: float | None) -> str:
    """Format seconds as seconds, minutes or hours."""
    if seconds is None or pd.isna(seconds):
        return "–"
    if seconds < 100:
        return f"{number(seconds, 2)} s"
    if seconds < 6000:
        return f"{number(seconds / 60, 2)} min"
    return f"{number(seconds / 3600)} h"


def moment(text: str) -> str:
    """Shorten a UTC ISO 8601 time to minutes; other text stays as it is."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return text
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def flat(settings: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    """Turn nested settings into (dotted key, value)."""
    rows: list[tuple[str, Any]] = []
    for key, value in settings.items():
        if isinstance(value, dict):
            rows += flat(value, f"{prefix}{key}.")
        else:
            rows.append((f"{prefix}{key}", value))
    return rows


def count(n: int, noun: str) -> str:
    """Return "1 seed", "2 seeds"."""
    return f"{n} {noun if n == 1 else noun + 's'}"


def listing(items: list[str]) -> str:
    """Join as "a", "a and b", "a, b and c"."""
    return " and ".join(filter(None, [", ".join(items[:-1]), *items[-1:]]))
