"""Which models fail in a known way, on which dataset: the flags of evaluation."""

from reporting.collect import Dataset, Model, Tree
from reporting.scores import Scores
from reporting.states import missing
from reporting.tables import Absent, Column, Row, Score, Table, Told
from reporting.words import METRICS, count, number

FLAGS = [name for name in METRICS if name.startswith("flag_")]
NUMBERS = (
    ("active", ("active_static", "active_dynamic"), 1),
    ("response", ("response_static", "response_dynamic"), 2),
    ("AUC", ("verification_auc_dynamic",), 2),
)


def failure_modes(tree: Tree) -> Table:
    """Return models x datasets: the flags that are 1 in words, the numbers small."""
    scores = {d.name: Scores(tree, d) for d in tree.datasets}
    columns = [Column(d.name, d.label, "text") for d in tree.datasets]
    rows = [
        Row(
            model.label,
            [_cell(tree, d, model, scores[d.name]) for d in tree.datasets],
            model,
        )
        for model in tree.models
    ]
    caption = "small: active columns of f, z · response to f, z · AUC of identity in z"
    return Table("warnings", "Failure modes", columns, rows, caption)


def _cell(tree: Tree, dataset: Dataset, model: Model, scores: Scores) -> Told | Absent:
    flags = {name: scores.get(model, name) for name in FLAGS}
    told = {name: score for name, score in flags.items() if score is not None}
    if not told:
        reason = missing(tree, dataset.name, model, "swap_score")
        words = reason.reason if reason else "not told"
        return Absent(words.replace("not applicable:", "not told:"))
    raised = [_words(name, score) for name, score in told.items() if score.mean > 0]
    words = ", ".join(raised) or "none"
    return Told(words, _numbers(model, scores), bool(raised))


def _words(flag: str, score: Score) -> str:
    label = METRICS[flag].label
    if score.mean == 1:
        return label
    seeds = count(score.n_seeds, "seed")
    return f"{label} ({score.mean * score.n_seeds:.0f} of {seeds})"


def _numbers(model: Model, scores: Scores) -> str:
    parts = []
    for label, names, digits in NUMBERS:
        found = [scores.get(model, name) for name in names]
        if any(found):
            known = ", ".join(number(s.mean if s else None, digits) for s in found)
            parts.append(f"{label} {known}")
    return " · ".join(parts)
