"""The registry of fabricated results: the suite's metrics."""

from evaluation.metrics import Metric, load_modules, registered

SWAP, CODES = {"needs": ("swap",)}, {"needs": ("codes",)}
SAMPLERS = ("sample_static", "sample_dynamic")
OURS = {"static": "higher", "dynamic": "lower"}
OTHERS = {"static": "lower", "dynamic": "higher"}


def entry(name: str, *tables: str, label: str = "", better="higher", **rest) -> Metric:
    label = label or name.replace("_", " ")
    return Metric(name, label, f"What {name} is.", "1", better, tables=tables, **rest)


def probes():
    ways = {"static": OURS, "dynamic": OTHERS, "motion": OTHERS}
    ways |= {"whitened": {"static": "lower"}, "added_static": OURS}
    ways |= {"added_dynamic": OTHERS, "pixels": ""}
    for measure in ("probe", "bits"):
        for code, better in ways.items():
            for end in ("", "_mlp"):
                name = f"{measure}_{code}{end}"
                yield entry(name, better=better, factors="all", floor=0.0, **CODES)
    yield entry("probe_chance", better="", factors="all", **CODES)


TRANSITIONAL = [
    *probes(),
    entry(
        "swap_score",
        "headline",
        label="Swap score",
        scopes=("static", "dynamic"),
        **SWAP,
    ),
    entry("swap_static", "headline", label="Static kept", scopes=("static",), **SWAP),
    entry("swap_dynamic", "headline", scopes=("dynamic",), **SWAP),
    entry("swap_static_kept", factors="static", **SWAP),
    entry("swap_static_leaked", factors="static", better="lower", **SWAP),
    entry("swap_dynamic_transferred", factors="dynamic", **SWAP),
    entry("swap_dynamic_stayed", factors="dynamic", better="lower", **SWAP),
    entry("reconstruction_judged", factors="all", **SWAP),
    entry("swap_normalised", factors="all", **SWAP),
    entry("sample_dynamic_static_kept", factors="static", needs=("swap", SAMPLERS[1])),
    entry("sample_static_dynamic_kept", factors="dynamic", needs=("swap", SAMPLERS[0])),
    *(
        entry(f"generated_{end}", "generated", needs=SAMPLERS)
        for end in ("static", "dynamic", "score")
    ),
    *(
        entry(f"active_{end}", "warnings", better="", **CODES)
        for end in ("static", "dynamic")
    ),
    *(entry(f"response_{end}", "warnings", **SWAP) for end in ("static", "dynamic")),
    *(
        entry(f"flag_{name}", "warnings", better="lower")
        for name in (
            "f_collapse",
            "z_collapse",
            "identity_in_z",
            "ignores_f",
            "ignores_z",
        )
    ),
    *(
        entry(
            f"verification_{measure}_static",
            "verification",
            label=f"{measure.upper()} from f",
            better=better,
            **CODES,
        )
        for measure, better in (("auc", "higher"), ("eer", "lower"), ("hter", "lower"))
    ),
    *(
        entry(
            f"verification_{measure}_dynamic",
            "verification",
            label=f"{measure.upper()} from z",
            better=better,
            ideal=0.5,
            **CODES,
        )
        for measure, better in (("auc", "lower"), ("eer", "higher"), ("hter", "higher"))
    ),
    *(
        entry(f"block_{name}", "blocks", **CODES)
        for name in ("modularity", "disentanglement", "completeness", "explicitness")
    ),
    entry("block_gap", "headline", "blocks", **CODES),
    *(
        entry(
            name,
            "axes",
            label=name.upper(),
            widest=320 if "dci" in name else 0,
            judged=2 if name == "modularity" else 0,
            **CODES,
        )
        for name in (
            *("mig", "jemmig", "sap", "factor_vae", "beta_vae", "dci_disentanglement"),
            *("dci_completeness", "dci_informativeness", "modularity", "irs"),
        )
    ),
    *(
        entry(
            f"regression_{measure}_{code}",
            "regression",
            factors="dynamic",
            better="",
            **CODES,
        )
        for code in ("dynamic", "static")
        for measure in ("ccc", "pearson", "rmse")
    ),
    entry("trace_correlation", "regression", factors="dynamic", **CODES),
    entry("ssim", "headline", "pictures", **SWAP),
    entry("mse", "headline", "pictures", better="lower", **SWAP),
    entry("psnr", "pictures", **SWAP),
    entry("frechet_reconstruction", "pictures", better="lower", **SWAP),
    entry("frechet_real", better="lower", **SWAP),
    entry("importance_bound", "likelihood", **CODES),
    entry("elbo", "likelihood", **CODES),
    entry("term_*", "terms", label="{}", better="lower", **CODES),
    entry("consistency", "manifold", label="Consistency", **SWAP),
    entry("consistency_agreed", factors="dynamic", **SWAP),
    entry("consistency_chance", factors="dynamic", better="lower", **SWAP),
    entry("trustworthiness", "manifold", **CODES),
    entry("continuity", "manifold", **CODES),
    entry("coverage", "manifold", needs=("sample_dynamic",)),
    entry("manifold_roughness", "manifold", better="lower", **CODES),
    entry("manifold_change", "manifold", better="", **CODES),
]
METRICS = {metric.name: metric for metric in TRANSITIONAL} | registered(load_modules())
