"""Small tables for papers: a few numbers of each model, one column of text wide."""

from reporting.leaderboard import Place
from reporting.scores import Scores
from reporting.tables import Column, Estimate, Row, Table, metric_column
from reporting.tree import Dataset, Tree

SCORES = ("swap_score", "swap_static", "swap_dynamic", "swap_joint")


def paper_tables(tree: Tree, ranking: list[Place]) -> list[Table]:
    """Return the swap scores on all datasets, then each dataset's few scores.

    Controls are left out, and so are models without any of the scores.
    """
    return [_swap_scores(tree, ranking), *(_scores(tree, d) for d in tree.datasets)]


def _swap_scores(tree: Tree, ranking: list[Place]) -> Table:
    swap = metric_column(tree.metrics["swap_score"])
    columns = [
        Column(dataset.name, dataset.label, *swap[2:]) for dataset in tree.datasets
    ]
    columns.append(swap._replace(label="Mean"))
    rows = [
        Row(place.model.label, [*place.per_dataset, place.score], place.model)
        for place in ranking
        if not place.model.control and isinstance(place.score, Estimate)
    ]
    return Table("paper_swap_scores", "Swap scores", columns, rows)


def _scores(tree: Tree, dataset: Dataset) -> Table:
    scores = Scores(tree, dataset)
    columns = [metric_column(tree.metrics[name]) for name in SCORES]
    rows = [
        Row(model.label, [scores.look(model, name) for name in SCORES], model)
        for model in tree.models
        if not model.control and any(scores.get(model, name) for name in SCORES)
    ]
    title = f"Swaps on {dataset.label}"
    return Table(f"paper_{dataset.name}", title, columns, rows)
