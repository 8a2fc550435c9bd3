"""Where every number comes from: totals, cautions, commands and links to raw files."""

import os
from pathlib import Path
from typing import Any, NamedTuple

from reporting.collect import Cell, Tree
from reporting.words import count, duration, listing, moment

RAW = (
    "run.json",
    "metrics.parquet",
    "judged.parquet",
    "resampled.parquet",
    "history.parquet",
    "representation.npz",
    "model.safetensors",
)


class Trail(NamedTuple):
    """A cell's way back: its command and links (name, address) to its raw files."""

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
    found = [run["hardware"] for run in runs if run.get("hardware")]
    # A control that computes nothing has no precision to compare.
    found = [h for h in found if h.get("dtype") != "none"] or found
    return _unique(
        f"{h.get('name') or h.get('device')} ({h.get('device')}, {h.get('dtype')})"
        for h in found
    )


def _commits(runs: list[dict[str, Any]]) -> list[str]:
    return _unique(
        str(run["commit"])[:10] + (" + local changes" if run.get("dirty") else "")
        for run in runs
        if run.get("commit")
    )


def versions(tree: Tree) -> list[tuple[str, list[str]]]:
    """Return (package, versions seen) over all cells, by name."""
    seen: dict[str, set[str]] = {}
    for cell in tree.cells:
        for package, version in (cell.run.get("versions") or {}).items():
            seen.setdefault(package, set()).add(str(version))
    return sorted((package, sorted(found)) for package, found in seen.items())


def cautions(tree: Tree) -> list[str]:
    """Return what a reader must know before quoting a number."""
    runs = [cell.run for cell in tree.cells if cell.run]
    found = []
    if tree.grid.get("tier") == "default":
        found.append(
            "This is the default tier: small budgets on embedded data. Learn the page "
            "here, quote the real tier."
        )
    for what, values in (
        ("hardware", _hardware(runs)),
        ("commits", _commits(runs)),
        ("protocols", _unique(run.get("protocol") for run in runs)),
    ):
        if len(values) > 1:
            found.append(
                f"The cells mix {what}: {listing(values)}. Costs and small differences "
                "are not comparable."
            )
    found += _budget_cautions(tree)
    mixed = [f"{name} {', '.join(v)}" for name, v in versions(tree) if len(v) > 1]
    if mixed:
        found.append(f"The cells mix package versions: {listing(mixed)}.")
    found += list(_judge_cautions(tree))
    failed = sum(cell.status not in ("done", "skipped") for cell in tree.cells)
    if failed:
        verb = "is" if failed == 1 else "are"
        found.append(
            f"{count(failed, 'cell')} {verb} missing from the means; see “Cells”."
        )
    return found


def _budget_cautions(tree: Tree) -> list[str]:
    """Name the trainings that saw other numbers of frames than most."""
    seen = {
        (cell.run["frames_seen"], cell.run["label"])
        for cell in tree.cells
        if cell.status == "done" and cell.run.get("frames_seen")
    }
    numbers = [frames for frames, _ in seen]
    if len(set(numbers)) < 2:
        return []
    usual = max(numbers, key=lambda frames: (numbers.count(frames), frames))
    others = [f"{label} {n:,}" for n, label in sorted(seen) if n != usual]
    return [f"Most trainings saw {usual:,} frames, not all: {listing(others)}."]


def _judge_cautions(tree: Tree) -> list[str]:
    found = []
    for dataset in tree.datasets:
        if not dataset.judge:
            found.append(f"{dataset.label} has no judge yet, so no swap was scored.")
        elif not dataset.judge.get("certified"):
            labels = {f["name"]: f["label"] for f in dataset.info.get("factors", [])}
            weak = [
                labels.get(f["name"], f["name"])
                for f in dataset.judge.get("factors", [])
                if not f.get("certified")
            ]
            names = f" ({listing(weak)})" if weak else ""
            found.append(
                f"The judge of {dataset.label} is not certified{names}: it falls below "
                "its floor on real frames, so judged scores there are doubtful."
            )
    return found


def trails(tree: Tree, out: Path) -> list[Trail]:
    """Return every cell's command and the links to its files, relative to the page."""
    return [
        Trail(
            cell,
            str(cell.run.get("command") or ""),
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
