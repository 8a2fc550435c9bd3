"""The first screen: what is compared, who leads, how sure that is, what is missing."""

from reporting.metrics import Metric
from reporting.scores import Scores, measurable_words
from reporting.tables import Column, Estimate, Row, Table, Text
from reporting.tree import Dataset, Model, Tree
from reporting.words import count, listing, number
from seqdis.grid import LEAST_SEEDS

LED = (
    "swap_score",
    "swap_static",
    "swap_dynamic",
    "reconstruction_static",
    "reconstruction_dynamic",
)
OVERLAP = (
    "“3 of 5 overlap” means that the intervals of 3 of the 5 other models overlap that "
    "of the model with the highest mean."
)


def compared_words(tree: Tree) -> str:
    """Return how many models, controls, datasets and seeds there are, a sentence."""
    models = [model for model in tree.models if not model.control]
    controls = len(tree.models) - len(models)
    parts = [count(len(models), "model")]
    parts += [count(controls, "control")] if controls else []
    datasets = listing([dataset.label for dataset in tree.datasets])
    n = len(tree.grid["seeds"])
    seeds = "one training seed" if n == 1 else count(n, "training seed")
    return (
        f"{listing(parts)} on {count(len(tree.datasets), 'dataset')} ({datasets}), "
        f"{seeds} each."
    )


def leaders_table(tree: Tree) -> Table:
    """Return metrics x datasets: the model with the highest mean, and who is near."""
    scores = {dataset.name: Scores(tree, dataset) for dataset in tree.datasets}
    columns = [Column(d.name, d.label, "text") for d in tree.datasets]
    rows = []
    for metric in (tree.metrics[name] for name in LED):
        cells = [_leader(tree, scores[d.name], metric) for d in tree.datasets]
        if any(cells):
            rows.append(Row(metric.label, cells, definition=metric.definition))
    return Table("leaders", "Highest means", columns, rows, head="Metric")


def _leader(tree: Tree, scores: Scores, metric: Metric) -> Text | None:
    """Return the best model's label; small, its score and how many reach into it."""
    models = [model for model in tree.models if not model.control]
    known: list[tuple[Model, Estimate]] = [
        (model, score) for model in models if (score := scores.get(model, metric.name))
    ]
    if not known:
        return None
    model, best = max(known, key=lambda pair: pair[1].mean)
    if best.mean <= 0:
        return Text("none above 0")
    shown = number(best.mean)
    if not best.interval:
        return Text(model.label, shown)
    near = sum(score.high >= best.low for other, score in known if other is not model)
    overlap = f"{near or 'none'} of {len(known) - 1} overlap"
    return Text(model.label, f"{shown} ({best.interval}); {overlap}")


def certainty_words(tree: Tree) -> str:
    """Return what the intervals cover and whether models are ranked, in sentences."""
    seeds = len(tree.grid["seeds"])
    if seeds == 1:
        return (
            "Models are not ranked, which takes "
            f"{LEAST_SEEDS} training seeds. There is one: the 95 % intervals are over "
            "test identities and do not show how much a retrained model varies. "
            f"{OVERLAP}"
        )
    if seeds < LEAST_SEEDS:
        return (
            f"Models are not ranked: there are {seeds} training seeds, and ranks take "
            f"{LEAST_SEEDS}. Intervals are 95 % t intervals over seeds and test "
            f"identities. {OVERLAP}"
        )
    return (
        f"Intervals are 95 % t intervals over {seeds} training seeds and test "
        "identities. Ranks are sets that hold the true ranks of all models together "
        f"in 95 % of cases: a model leads only if rank 1 is its own. {OVERLAP}"
    )


def unmeasured_words(tree: Tree) -> list[str]:
    """Return what could not be measured, and why: a sentence or two for each case."""
    lines = [f"{each['dataset']}: {each['reason']}" for each in absent(tree)]
    for dataset in tree.datasets:
        lines += [
            f"{dataset.label}: {words}" for words in measurable_words(tree, dataset)
        ]
        lines += _not_applicable(tree, dataset)
    failed = sum(cell.status not in ("done", "skipped") for cell in tree.cells)
    if failed:
        lines.append(f"{count(failed, 'cell')} failed or did not run (see Cells).")
    return lines


def absent(tree: Tree) -> list[dict[str, str]]:
    """Return the datasets of the config that are not here, with their reasons."""
    return tree.grid.get("absent") or []


def _not_applicable(tree: Tree, dataset: Dataset) -> list[str]:
    """Return the cells of a dataset that cannot be, grouped by the reason."""
    models: dict[str, list[str]] = {}
    for cell in tree.select(dataset.name):
        if cell.status == "skipped":
            reason = str(cell.run.get("reason") or "no reason is recorded").rstrip(".")
            models.setdefault(reason, []).append(cell.model.label)
    return [
        f"{dataset.label}: {listing(list(dict.fromkeys(labels)))} not applicable "
        f"({reason})."
        for reason, labels in models.items()
    ]
