"""One table type, written as CSV (all digits), Markdown and LaTeX (booktabs).

Markdown and LaTeX are written here, not by pandas: `to_markdown` pads columns, so that
one changed number changes every line of a committed table, and `Styler.to_latex` knows
neither the line above controls nor our arrows.
"""

import math
import re
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from reporting.metrics import Metric
from reporting.tree import Model
from reporting.words import ARROWS, amount, decimals, duration, interval, number
from seqdis.files import write_text
from seqdis.grid import LEAST_SEEDS


class Estimate(NamedTuple):
    """A score: its mean over seeds with a 95 % interval (NaN without one).

    `deviation` is the standard deviation over seeds, NaN with a single one.
    """

    mean: float
    low: float = math.nan
    high: float = math.nan
    n_seeds: int = 0
    n: int = 0
    deviation: float = math.nan

    @property
    def interval(self) -> str:
        """Return the interval in the decimals of the mean, or ""."""
        return interval(*self[:3])

    @property
    def comparable(self) -> bool:
        """Return whether there are enough training seeds to compare models."""
        return self.n_seeds >= LEAST_SEEDS

    @property
    def beyond(self) -> bool:
        """Return whether the interval excludes 0; False with too few seeds."""
        return self.comparable and (self.low > 0 or self.high < 0)


class Missing(NamedTuple):
    """A number that does not exist, and why."""

    reason: str


class Text(NamedTuple):
    """Words, and in small print the numbers behind them; an alarm is emphasised."""

    text: str
    detail: str = ""
    alarm: bool = False


class Column(NamedTuple):
    """A column.

    Attributes:
        key: its name in the CSV file.
        label: its head.
        kind: score, difference (a score with its sign), number, amount, duration,
            count or text.
        direction: `higher` or `lower` is better; "" for neither.
        note: its definition.
        metric: whose limits count when scores are compared.
    """

    key: str
    label: str
    kind: str = "score"
    direction: str = ""
    note: str = ""
    metric: Metric | None = None

    @property
    def head(self) -> str:
        """Return the label with its arrow, never apart."""
        return f"{self.label}\u00a0{ARROWS.get(self.direction, '')}".strip()

    def compared(self, value: float) -> float:
        """Return a score as models are compared by it."""
        return self.metric.limit(value) if self.metric else value


@dataclass(frozen=True)
class Row:
    """A row: a label, one value per column, and the model if it is a model's.

    A `reference` row is a floor or a ceiling; `definition` says what the label means.
    """

    label: str
    values: list[Any]
    model: Model | None = None
    note: str = ""
    reference: bool = False
    definition: str = ""

    @property
    def control(self) -> bool:
        """Return whether the row is a floor or a ceiling, which has no rank."""
        return self.reference or (self.model is not None and self.model.control)


@dataclass(frozen=True)
class Table:
    """A titled table; `name` is the stem of its files, `head` heads the labels."""

    name: str
    title: str
    columns: list[Column]
    rows: list[Row]
    caption: str = ""
    head: str = "Model"
    best: dict[int, int] = field(init=False)

    def __post_init__(self) -> None:
        """Find the bold values once."""
        rows = {j: best_row(self, j) for j in range(len(self.columns))}
        best = {j: i for j, i in rows.items() if i is not None}
        object.__setattr__(self, "best", best)

    @property
    def groups(self) -> list[tuple[str, list[tuple[int, Row]]]]:
        """Return the numbered rows as (class, rows): the ranked, then the controls."""
        rows = list(enumerate(self.rows))
        parts = (
            ("ranked", [r for r in rows if not r[1].control]),
            ("controls", [r for r in rows if r[1].control]),
        )
        return [part for part in parts if part[1]]

    def bold(self, row: int, column: int) -> bool:
        """Return whether a value is the best, or a difference that is not by chance."""
        value = self.rows[row].values[column]
        if self.columns[column].kind == "difference" and isinstance(value, Estimate):
            return value.beyond
        return self.best.get(column) == row

    def without_empty_columns(self) -> "Table":
        """Drop columns with no value in any row."""
        keep = [
            j
            for j in range(len(self.columns))
            if any(sort_key(row.values[j]) is not None for row in self.rows)
        ]
        rows = [replace(row, values=[row.values[j] for j in keep]) for row in self.rows]
        columns = [self.columns[j] for j in keep]
        return Table(self.name, self.title, columns, rows, self.caption, self.head)


def metric_column(metric: Metric, label: str = "", scope: str = "") -> Column:
    """Return the column of a metric; of a metric by factor, for factors of a scope."""
    direction, note = metric.direction(scope), metric.definition
    return Column(metric.name, label or metric.label, "score", direction, note, metric)


def sort_key(value: Any) -> float | str | None:
    """Return what a value is ordered by, or None when it is missing."""
    if isinstance(value, Estimate):
        value = value.mean
    if isinstance(value, Text):
        return value.text
    missing = isinstance(value, float) and math.isnan(value)
    if value is None or missing or isinstance(value, Missing):
        return None
    return value if isinstance(value, str) else float(value)


def show(value: Any, kind: str = "score") -> str:
    """Format a value for reading, without its interval or small print."""
    if isinstance(value, Estimate):
        text = number(value.mean)
        signed = kind == "difference" and value.mean > 0 and text != "0"
        return f"+{text}" if signed else text
    if isinstance(value, Missing | Text):
        return value[0]
    if kind == "text":
        return "–" if value is None else str(value)
    if kind == "count":
        return "–" if sort_key(value) is None else f"{int(value):,}"
    return {"amount": amount, "duration": duration}.get(kind, number)(value)


def best_row(table: Table, column: int) -> int | None:
    """Return the row to print in bold: its interval excludes the runner-up's mean.

    Only ranked rows of a column with a direction take part; a single row wins nothing,
    and neither does a score of too few training seeds.
    """
    compared = table.columns[column].compared
    sign = {"higher": 1, "lower": -1}.get(table.columns[column].direction)
    scores = [
        (sign * compared(row.values[column].mean), i)
        for i, row in enumerate(table.rows)
        if sign and not row.control and isinstance(row.values[column], Estimate)
        if sort_key(row.values[column]) is not None
    ]
    if len(scores) < 2:
        return None
    (_, first), (_, second) = sorted(scores, reverse=True)[:2]
    best, other = (table.rows[i].values[column] for i in (first, second))
    low, high = map(compared, (best.low, best.high))
    within = math.isnan(low) or low <= compared(other.mean) <= high
    if within or not (best.comparable and other.comparable):
        return None
    return first


def frame(table: Table) -> pd.DataFrame:
    """Return all digits, one column per number: `key`, `key_low`, `key_high`."""
    records = []
    for row in table.rows:
        record: dict[str, Any] = {table.head.lower(): row.label}
        if row.model is not None:
            record["role"] = "control" if row.control else "model"
        for column, value in zip(table.columns, row.values, strict=True):
            if column.kind in ("score", "difference"):
                # Only numbers: the page says why one is missing.
                ends = value if isinstance(value, Estimate) else Estimate(math.nan)
                record[column.key] = ends.mean
                record[f"{column.key}_low"] = ends.low
                record[f"{column.key}_high"] = ends.high
            elif isinstance(value, Missing | Text):
                record[column.key] = _text(value, column.kind)
            else:
                record[column.key] = value
        records.append(record)
    return pd.DataFrame(records)


def markdown(table: Table) -> str:
    """Write the table in Markdown, as read on the page."""
    heads = [table.head, *(column.head for column in table.columns)]
    ruler = [":--", *("--:" if c.kind != "text" else ":--" for c in table.columns)]
    rows = [[row.label, *_cells(table, i)] for i, row in enumerate(table.rows)]
    for i, j in _bold(table):
        rows[i][j + 1] = f"**{rows[i][j + 1]}**"
    lines = [[_markdown_text(t) for t in line] for line in (heads, *rows)]
    lines.insert(1, ruler)
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def latex(table: Table) -> str:
    """Write the table in LaTeX, as narrow as it can be; it needs the booktabs package.

    Scores are means ± the standard deviation over seeds; with one seed, a line below
    has their 95 % intervals.
    """
    align = "l" + "".join("l" if c.kind == "text" else "r" for c in table.columns)
    heads = [_stacked(text) for text in (table.head, *(c.head for c in table.columns))]
    lines = [" & ".join(heads) + r" \\", r"\midrule"]
    for i, row in enumerate(table.rows):
        if i and row.control and not table.rows[i - 1].control:
            lines.append(r"\midrule")
        lines += _latex_row(table, i)
    body = "\n".join(lines)
    return (
        f"% {table.title}; needs \\usepackage{{booktabs}}\n"
        "\\begingroup\\scriptsize\\setlength{\\tabcolsep}{2pt}%\n"
        f"\\begin{{tabular}}{{@{{}}{align}@{{}}}}\n\\toprule\n{body}\n\\bottomrule\n"
        "\\end{tabular}\\endgroup\n"
    )


def _stacked(head: str) -> str:
    """Break a long head of a column into lines."""
    words = [latex_text(word) for word in head.split(" ")]
    if len(head) <= 9 or len(words) == 1:
        return " ".join(words)
    lines = r"\\".join(words)
    return rf"\shortstack[r]{{{lines}}}"


def _latex_row(table: Table, i: int) -> list[str]:
    """Return a row's line, and a line of intervals if it has any."""
    row, cells, below = table.rows[i], [], []
    for j, (column, value) in enumerate(zip(table.columns, row.values, strict=True)):
        text = latex_text(show(value, column.kind))
        text = rf"\textbf{{{text}}}" if table.bold(i, j) else text
        interval = ""
        if isinstance(value, Estimate) and math.isfinite(value.deviation):
            spread = f"{value.deviation:.{decimals(value.mean)}f}"
            text += rf"{{\tiny$\,\pm\,${spread}}}"
        elif isinstance(value, Estimate) and value.interval:
            ends = latex_text(value.interval).replace(" to ", ", ")
            interval = rf"{{\tiny [{ends}]}}"
        cells.append(text)
        below.append(interval)
    lines = [" & ".join([latex_text(row.label), *cells]) + r" \\"]
    if any(below):
        lines.append(" & ".join(["", *below]) + r" \\[1pt]")
    return lines


def _bold(table: Table) -> list[tuple[int, int]]:
    every = product(range(len(table.rows)), range(len(table.columns)))
    return [cell for cell in every if table.bold(*cell)]


def _cells(table: Table, i: int) -> list[str]:
    columns, values = table.columns, table.rows[i].values
    return [_text(v, c.kind) for c, v in zip(columns, values, strict=True)]


def small_print(value: Any) -> str:
    """Return what stands below a value: its interval, or the numbers behind words."""
    if isinstance(value, Estimate):
        return value.interval
    return value.detail if isinstance(value, Text) else ""


def _text(value: Any, kind: str) -> str:
    text, small = show(value, kind), small_print(value)
    return f"{text} ({small})" if small else text


def _markdown_text(text: str) -> str:
    return re.sub(r"([|<>`\\])", r"\\\1", " ".join(text.split()))


_LATEX = {
    "\\": r"\textbackslash{}",
    "\u00a0": "~",
    "−": "$-$",
    "–": "--",
    "↑": r"$\uparrow$",
    "↓": r"$\downarrow$",
    "≥": r"$\geq$",
    "∞": r"$\infty$",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"$<$",
    ">": r"$>$",
    "|": r"$|$",
} | {mark: f"\\{mark}" for mark in "&%$#_{}"}


def latex_text(text: str) -> str:
    """Escape text for LaTeX, with the arrows and dashes in mathematics."""
    return "".join(_LATEX.get(mark, mark) for mark in text)


def write(table: Table, folder: Path) -> None:
    """Write `<name>.csv`, `<name>.md` and `<name>.tex` into `folder`."""
    write_text(folder / f"{table.name}.csv", frame(table).to_csv(index=False))
    write_text(folder / f"{table.name}.md", markdown(table))
    write_text(folder / f"{table.name}.tex", latex(table))
