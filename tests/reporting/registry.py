"""The registry of fabricated results: the suite's, and metrics it does not list yet."""

from collections.abc import Iterator

from evaluation.metrics import Metric, load_modules, registered

OWN = {"static": "higher", "dynamic": "lower"}
OTHER = {"static": "lower", "dynamic": "higher"}
WAYS = {
    **{"static": OWN, "added_static": OWN, "whitened": {"static": "lower"}},
    **{"dynamic": OTHER, "motion": OTHER, "added_dynamic": OTHER, "pixels": ""},
}
FLAGS = ("f_collapse", "z_collapse", "identity_in_z", "ignores_f", "ignores_z")
BLOCKS = ("modularity", "disentanglement", "completeness", "explicitness")


def entry(name: str, *tables: str, better="higher", needs="codes", **rest) -> Metric:
    label, text, needs = name.replace("_", " "), f"What {name} is.", (needs,)
    return Metric(name, label, text, "1", better, tables=tables, needs=needs, **rest)


def unlisted() -> Iterator[Metric]:
    for measure in ("probe", "bits"):
        for code, better in WAYS.items():
            for end in ("", "_mlp"):
                name = f"{measure}_{code}{end}"
                yield entry(name, better=better, factors="all", floor=0.0)
    yield entry("probe_chance", better="", factors="all")
    yield entry("block_gap", "headline", "blocks")
    for name in BLOCKS:
        yield entry(f"block_{name}", "blocks")
    for side in ("static", "dynamic"):
        yield entry(f"active_{side}", "warnings", better="")
        yield entry(f"response_{side}", "warnings", needs="swap")
        for measure in ("ccc", "pearson", "rmse"):
            name = f"regression_{measure}_{side}"
            yield entry(name, "regression", factors="dynamic", better="")
    yield entry("trace_correlation", "regression", factors="dynamic")
    for name in FLAGS:
        yield entry(f"flag_{name}", "warnings", better="lower")


METRICS = {metric.name: metric for metric in unlisted()} | registered(load_modules())
