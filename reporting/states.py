"""What became of every cell of the grid, and why a number is missing."""

from collections.abc import Iterable

from reporting.collect import Cell, Model, Tree
from reporting.tables import Absent, Column, Row, Table, Told
from reporting.words import STATUSES, listing

# What a model must be able to do to have a metric, by the beginning of its name.
AXES = (
    *("mig", "jemmig", "sap", "factor_vae", "beta_vae", "dci_", "modularity"),
    *("explicitness", "infomec_", "irs"),
)
OF_TWO_FACTORS = (
    *("modularity", "infomec_modularity", "dci_disentanglement"),
    *("factor_vae", "beta_vae"),
)
NEEDS = (
    (("generated_", "frechet_generated"), ("sample_static", "sample_dynamic")),
    (("frechet_sample_dynamic",), ("swap", "sample_dynamic")),
    (("field_",), ("swap", "sample_static")),
    (("frechet_", "consistency"), ("swap",)),
    (("coverage",), ("sample_dynamic",)),
    (("manifold_", "trustworthiness", "continuity"), ("codes",)),
    (("importance_bound", "elbo"), ("codes",)),
    (("sample_dynamic_",), ("swap", "sample_dynamic")),
    (("sample_static_",), ("swap", "sample_static")),
    (("swap_", "reconstruction_", "mse", "psnr", "ssim", "response_"), ("swap",)),
    (("probe_", "bits_", "regression_", "verification_", "trace_"), ("codes",)),
    (("term_", "block_", "active_"), ("codes",)),
    ((*AXES, "shuffled_"), ("codes",)),
)
LACKS = {
    "codes": "no codes",
    "swap": "no encoder",
    "sample_static": "no p(f)",
    "sample_dynamic": "no p(z)",
}


def state(cell: Cell) -> str:
    """Return a cell's verdict in words, with its reason."""
    words = STATUSES.get(cell.status, cell.status)
    reason = cell.run.get("reason")
    return f"{words}: {reason}" if reason and cell.status != "done" else words


def note(tree: Tree, dataset: str, model: Model) -> str:
    """Say which of a model's seeds are missing from its means; "" if none or all."""
    cells = tree.select(dataset, model.name)
    bad = [cell for cell in cells if cell.status != "done"]
    if not bad or len(bad) == len(cells):
        return ""
    words = dict.fromkeys(STATUSES.get(cell.status, cell.status) for cell in bad)
    return f"{len(bad)} of {len(cells)} {listing(list(words))}"


def missing(tree: Tree, dataset: str, model: Model, metric: str) -> Absent | None:
    """Say why a model has no value of a metric; None where it just has none."""
    cells = tree.select(dataset, model.name)
    done = [cell for cell in cells if cell.status == "done"]
    if not done:
        words = [STATUSES.get(cell.status, cell.status) for cell in cells]
        return Absent(listing(list(dict.fromkeys(words))))
    needs = next((needs for names, needs in NEEDS if metric.startswith(names)), ())
    lacks = lacking(done[0], needs)
    lacks = lacks or _unasked(tree, dataset, metric)
    return Absent(f"not applicable: {', '.join(lacks)}") if lacks else None


def _unasked(tree: Tree, dataset: str, metric: str) -> list[str]:
    """Return in words why a metric is not asked of a model that could answer."""
    factors = next(
        d.info.get("factors", []) for d in tree.datasets if d.name == dataset
    )
    if not factors:
        return []
    scopes = [factor["scope"] for factor in factors if factor.get("judged")]
    plain = metric.removeprefix("shuffled_")
    if plain in OF_TWO_FACTORS and len(scopes) < 2:
        return ["one factor is judged"]
    if plain.startswith(AXES):
        return ["codes of too many columns"]
    for scope in ("static", "dynamic"):
        if metric in ("swap_score", f"swap_{scope}") and scope not in scopes:
            return [f"no {scope} factor is judged"]
    return []


def undrawn(tree: Tree, dataset: str, drawn: Iterable[str]) -> list[str]:
    """Return the models that are not in a picture of swaps, each with the reason."""
    models = [model for model in tree.models if model.label not in drawn]
    reasons = [(m.label, missing(tree, dataset, m, "swap_score")) for m in models]
    return [f"{label} ({why.reason})" if why else label for label, why in reasons]


def lacking(cell: Cell, needs: Iterable[str] = tuple(LACKS)) -> list[str]:
    """Return in words which of `needs` the cell's model cannot do."""
    able = cell.run.get("capabilities") or []
    lacks = [need for need in needs if need not in able]
    # Codes that cannot be swapped do not come from an encoder either.
    return list(
        dict.fromkeys(
            LACKS["swap" if need == "codes" and "swap" not in able else need]
            for need in lacks
        )
    )


def state_table(tree: Tree) -> Table:
    """Return models x datasets: the state of every cell, and what is not applicable."""
    columns = [Column(d.name, d.label, "text") for d in tree.datasets]
    rows = [
        Row(
            model.label,
            [_states(tree.select(d.name, model.name)) for d in tree.datasets],
            model,
        )
        for model in tree.models
    ]
    return Table("cells", "State of every cell", columns, rows)


def _states(cells: list[Cell]) -> Told:
    states = [state(cell) for cell in cells]
    if len(set(states)) == 1:
        words = states[0]
    else:
        pairs = zip(cells, states, strict=True)
        words = "; ".join(f"seed {cell.seed} {state}" for cell, state in pairs)
    done = [cell for cell in cells if cell.status == "done"]
    lacks = lacking(done[0]) if done else []
    return Told(words, f"not applicable: {', '.join(lacks)}" if lacks else "")


def failure_groups(tree: Tree) -> list[tuple[str, list[Cell]]]:
    """Return the cells that are not done, grouped by what became of them."""
    groups: dict[str, list[Cell]] = {}
    for cell in tree.cells:
        if cell.status != "done":
            groups.setdefault(cell.status, []).append(cell)
    order = [*STATUSES, *groups]
    return sorted(groups.items(), key=lambda group: order.index(group[0]))
