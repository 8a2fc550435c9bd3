"""Where numbers come from: totals, cautions, commands, models, videos, raw files."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from reporting.tree import Cell, Model, Tree
from reporting.words import count, duration, flat, listing, moment
from seqdis.files import readable
from seqdis.grid import cell_command

RAW = (
    "run.json",
    "metrics.parquet",
    "judged.parquet",
    "resampled.parquet",
    "history.parquet",
    "representation.npz",
    "model.safetensors",
)
ROWS = 40  # videos that are listed
UNKNOWN = "unknown"  # commit of code that is not under version control
COUNTS = (
    *("frames", "looked_at", "found", "kept", "sequences", "dropped"),
    *("counted_times", "labels", "labels_left_out", "labels_moved", "boxes_left_out"),
)
Run = dict[str, Any]
Differences = list[tuple[str, Any, Any]]  # key, value, the other's value


class Trail(NamedTuple):
    """A cell's command, and links (name, address) to its files."""

    cell: Cell
    command: str
    files: list[tuple[str, str]]


def facts(tree: Tree) -> list[tuple[str, str]]:
    """Return the header's facts as (name, words)."""
    runs = [cell.run for cell in tree.cells if cell.run]
    models = [model for model in tree.models if not model.control]
    controls = len(tree.models) - len(models)
    compared = [
        count(len(models), "model"),
        *([count(controls, "control")] if controls else []),
    ]
    size = " × ".join(
        [
            " + ".join(compared),
            count(len(tree.datasets), "dataset"),
            count(len(tree.grid["seeds"]), "seed"),
        ]
    )
    return [
        ("Compared", size),
        ("Cells", _outcome(tree.cells)),
        ("Training time", duration(sum(run.get("seconds") or 0 for run in runs))),
        ("Hardware", listing(_hardware(runs)) or "–"),
        ("Commit", listing(_commits(runs)) or "–"),
        (
            "Newest cell",
            moment(max([str(run.get("ended", "")) for run in runs] or ["–"])),
        ),
        ("Protocol", str(tree.grid.get("protocol", "–"))),
        ("Tier", str(tree.grid.get("label") or tree.grid.get("tier") or "–")),
    ]


def _outcome(cells: list[Cell]) -> str:
    ok = sum(cell.status == "done" for cell in cells)
    skipped = sum(cell.status == "skipped" for cell in cells)
    failed = len(cells) - ok - skipped
    return f"{ok} of {len(cells)} ok, {failed} failed, {skipped} not applicable"


def _unique(values: Any) -> list[str]:
    return sorted({str(value) for value in values if value})


def _hardware(runs: list[dict[str, Any]]) -> list[str]:
    machines = [run["hardware"] for run in runs if run.get("hardware")]
    # A control that computes nothing has no precision to compare.
    machines = [h for h in machines if h.get("dtype") != "none"] or machines
    return _unique(
        f"{h.get('name') or h.get('device')} ({h.get('device')}, {h.get('dtype')})"
        for h in machines
    )


def _commits(runs: list[dict[str, Any]]) -> list[str]:
    """Return the commits of cells whose programs write one, with local changes."""
    return _unique(
        str(run["commit"])[:10] + (" + local changes" if run.get("dirty") else "")
        if run["commit"]
        else UNKNOWN
        for run in runs
        if "commit" in run
    )


def versions(tree: Tree) -> list[tuple[str, list[str]]]:
    """Return (package, versions seen) over all cells, by name."""
    seen: dict[str, set[str]] = {}
    for cell in tree.cells:
        for package, version in (cell.run.get("versions") or {}).items():
            seen.setdefault(package, set()).add(str(version))
    return sorted((package, sorted(versions)) for package, versions in seen.items())


def cautions(tree: Tree) -> list[str]:
    """Return what a reader must know before quoting a number."""
    runs = [cell.run for cell in tree.cells if cell.run]
    lines = []
    if tree.grid.get("tier") == "default":
        lines.append(
            "This is the default tier: small budgets on embedded data. Learn the page "
            "here, quote the real tier."
        )
    for what, values in (
        ("hardware", _hardware(runs)),
        ("commits", _commits(runs)),
        ("protocols", _unique(run.get("protocol") for run in runs)),
    ):
        if len(values) > 1:
            lines.append(
                f"The cells mix {what}: {listing(values)}. Costs and small differences "
                "are not comparable."
            )
    if UNKNOWN in _commits(runs):
        lines.append(
            "The commit of the code is unknown, because its folder was no git "
            "repository: the numbers cannot be traced to a version of the code."
        )
    lines += _budget_cautions(tree)
    mixed = [f"{name} {', '.join(v)}" for name, v in versions(tree) if len(v) > 1]
    if mixed:
        lines.append(f"The cells mix package versions: {listing(mixed)}.")
    lines += list(_judge_cautions(tree))
    failed = sum(cell.status not in ("done", "skipped") for cell in tree.cells)
    if failed:
        verb = "is" if failed == 1 else "are"
        lines.append(
            f"{count(failed, 'cell')} {verb} missing from the means; see “Cells”."
        )
    return lines


def _budget_cautions(tree: Tree) -> list[str]:
    """Name the trainings that saw other numbers of frames, or of clips, than most."""
    lines = []
    for what in ("frames", "clips"):
        seen = {
            (cell.run[f"{what}_seen"], cell.run["label"])
            for cell in tree.cells
            if cell.status == "done" and cell.run.get(f"{what}_seen")
        }
        numbers = [number for number, _ in seen]
        if len(set(numbers)) < 2:
            continue
        usual = max(numbers, key=lambda number: (numbers.count(number), number))
        others: dict[str, list[str]] = {}
        for number, label in sorted(seen):
            if number != usual:
                others.setdefault(label, []).append(f"{number:,}")
        named = listing([f"{label} {' or '.join(n)}" for label, n in others.items()])
        lines.append(f"Most trainings saw {usual:,} {what}, not all: {named}.")
    return lines


def _judge_cautions(tree: Tree) -> list[str]:
    lines = []
    for dataset in tree.datasets:
        if not dataset.judge:
            lines.append(f"{dataset.label} has no judge yet, so no swap was scored.")
        elif not dataset.judge.get("certified"):
            weak = [
                dataset.factor_label(f["name"])
                for f in dataset.judge.get("factors", [])
                if not f.get("certified")
            ]
            names = f" ({listing(weak)})" if weak else ""
            lines.append(
                f"The judge of {dataset.label} is not certified{names}: it falls below "
                "its floor on real frames, so these factors count for no model."
            )
    return lines


def trails(tree: Tree, out: Path) -> list[Trail]:
    """Return every cell's command and the links to its files, relative to the page."""
    return [
        Trail(
            cell,
            cell_command(tree.grid, cell.dataset, cell.model.name, cell.seed),
            [
                (name, link(cell.folder / name, out))
                for name in RAW
                if (cell.folder / name).is_file()
            ],
        )
        for cell in tree.cells
    ]


def link(path: Path, out: Path) -> str:
    """Return the address of a file as seen from the page's folder."""
    return Path(os.path.relpath(path, out)).as_posix()


class Preprocessing(NamedTuple):
    """Totals in words, the videos with remarks (at most 40) and how many are more."""

    totals: str
    labels: str
    videos: list[dict]
    more: int


def preprocessing(path: Path) -> Preprocessing | None:
    """Summarise a preprocess.csv, or return None when there is none.

    Raises:
        UserError: it is damaged.
    """
    if not path.is_file():
        return None
    with readable(path):
        # A video may be called NA, and no remark is no missing value.
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
        table = table.astype(dict.fromkeys(COUNTS, "int64"))
        unreadable = table["frames"] == 0
        remarks = table[unreadable | (table["notes"] != "")]
        remarks = remarks.sort_values("frames", key=lambda n: n > 0, kind="stable")
        totals = _totals(table, len(remarks), int(unreadable.sum()))
        labels = _describe_labels(table)
        videos = remarks[:ROWS].to_dict("records")
    return Preprocessing(totals, labels, videos, len(remarks) - len(videos))


def _totals(table: pd.DataFrame, remarked: int, unreadable: int) -> str:
    total = table[list(COUNTS)].sum()
    parts = [f"{count(len(table), 'video')}, {total['frames']:,} frames read"]
    if total["looked_at"]:
        share = 100 * total["found"] / total["looked_at"]
        frames = f"the {total['looked_at']:,} frames where one was looked for"
        parts.append(f"a face was found in {share:.1f} % of {frames}")
    sequences = count(total["sequences"], "sequence")
    parts.append(f"{total['kept']:,} frames kept in {sequences}")
    have = "has" if remarked == 1 else "have"
    parts.append(
        f"{count(remarked, 'video')} {have} remarks, {unreadable} could not be read."
    )
    return "; ".join(parts)


def _describe_labels(table: pd.DataFrame) -> str:
    """Say how many labels, boxes and times of the release are not used as they are."""
    total = table[list(COUNTS)].sum()
    return (
        f"Labels of single frames: {total['labels']:,}; left out, being of no frame or "
        f"not possible: {total['labels_left_out']:,}; moved to the frames with boxes: "
        f"{total['labels_moved']:,}. Boxes left out: {total['boxes_left_out']:,}. "
        f"Frames whose time is counted, that of the file being missing or going back: "
        f"{total['counted_times']:,}."
    )


@dataclass(frozen=True)
class Variant:
    """A named variant: a model whose settings differ from its base model's."""

    model: Model
    differs: Differences


@dataclass(frozen=True)
class Card:
    """A model file: its docstring, its settings and what its variants change.

    Attributes:
        model: the entry named like the file, or else its first variant.
        about: paper, order of frames, role.
        text: the docstring.
        settings: of the first dataset, (key, value).
        elsewhere: (dataset, what differs there from the first dataset).
        variants: of the same file.
    """

    model: Model
    about: str
    text: str
    settings: list[tuple[str, Any]]
    elsewhere: list[tuple[str, Differences]]
    variants: list[Variant]


def cards(tree: Tree) -> list[Card]:
    """Return a card for each model file that has run, in the order of the models."""
    runs: dict[str, dict[str, Run]] = {}  # by model, by dataset
    for cell in tree.cells:
        if cell.run:
            runs.setdefault(cell.model.name, {})[cell.dataset] = cell.run
    models = [model for model in tree.models if model.name in runs]
    files: dict[str, list[Model]] = {}
    for model in sorted(models, key=lambda m: m.name != m.base):
        files.setdefault(model.base, []).append(model)
    order = {model.name: i for i, model in enumerate(tree.models)}
    unsorted = [_card(group, runs) for group in files.values()]
    return sorted(unsorted, key=lambda card: order[card.model.name])


def _card(group: list[Model], runs: dict[str, dict[str, Run]]) -> Card:
    model, *others = group
    (_, first), *rest = list(runs[model.name].items())
    order = f"{first['order']} frames" if first.get("order") else ""
    about = [first.get("paper"), order, "control" if model.control else ""]
    elsewhere = [(name, differences(run, first)) for name, run in rest]
    shared = runs[model.name]
    variants = []
    for other in others:
        pairs = [(run, shared[d]) for d, run in runs[other.name].items() if d in shared]
        variants.append(Variant(other, differences(*pairs[0]) if pairs else []))
    return Card(
        model,
        " · ".join(filter(None, about)),
        first.get("card") or "",
        flat(first.get("settings") or {}),
        [(name, differs) for name, differs in elsewhere if differs],
        variants,
    )


def differences(run: Run, other: Run) -> Differences:
    """Return the settings of `run` that differ from those of `other`."""
    ours, theirs = (dict(flat(r.get("settings") or {})) for r in (run, other))
    return [
        (key, ours.get(key), theirs.get(key))
        for key in dict.fromkeys([*ours, *theirs])
        if ours.get(key) != theirs.get(key)
    ]
