"""Numbers: formats, bold, and the three twins of every table."""

import io
import math
import re
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporting.cost import benchmark_table
from reporting.metrics import Registry
from reporting.tables import (
    Column,
    Estimate,
    Row,
    Table,
    best_row,
    frame,
    latex,
    latex_text,
    markdown,
    metric_column,
    write,
)
from reporting.tree import Model
from reporting.words import (
    amount,
    duration,
    flat,
    interval,
    listing,
    moment,
    number,
)
from seqdis.grid import LEAST_SEEDS


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.87345, "0.873"),
        (0.05, "0.0500"),
        (-0.5, "−0.500"),
        (0, "0"),
        (12.345, "12.3"),
        (1234.5, "1,234"),
        (0.00012345, "0.0001"),
        (-0.00000005, "0"),
        (math.nan, "–"),
        (None, "–"),
        (math.inf, "∞"),
    ],
)
def test_number(value, text) -> None:
    assert number(value) == text


@given(st.floats(1e-3, 1e6))
def test_number_keeps_three_significant_digits(value: float) -> None:
    shown = float(number(value).replace(",", ""))
    assert shown == pytest.approx(value, rel=5.1e-3, abs=5.1e-5)


def test_amounts_and_durations() -> None:
    assert amount(22_970_000) == "23.0 M"
    assert amount(1.6e9) == "1.60 G"
    assert duration(42) == "42 s"
    assert duration(600) == "10 min"
    assert duration(36_000) == "10.0 h"
    assert interval(0.5, 0.4, 0.625) == "0.400 to 0.625"
    assert interval(0.5, math.nan, math.nan) == ""
    assert listing(["a", "b", "c"]) == "a, b and c"
    assert listing([]) == ""
    assert moment("2026-01-02T03:04:05+01:00") == "2026-01-02 02:04 UTC"
    assert moment("soon") == "soon"
    assert flat({"a": {"b": 1, "c": {"d": 2}}, "e": 3}) == [
        ("a.b", 1),
        ("a.c.d", 2),
        ("e", 3),
    ]


def model(name: str, control: bool = False) -> Model:
    return Model(name, name, control, "#000000", name, name)


def sure(mean: float, low: float, high: float, seeds: int = LEAST_SEEDS) -> Estimate:
    return Estimate(mean, low, high, seeds)


def make(
    *scores: tuple[str, Estimate | None, bool], direction: str = "higher"
) -> Table:
    rows = [Row(n, [s], model(n, control)) for n, s, control in scores]
    return Table("t", "T", [Column("x", "X", "score", direction)], rows)


def test_bold_only_when_the_interval_excludes_the_runner_up() -> None:
    a, b = sure(0.9, 0.8, 1.0), sure(0.7, 0.5, 0.9)
    assert best_row(make(("a", a, False), ("b", b, False)), 0) == 0
    near = sure(0.85, 0.8, 0.9)
    assert best_row(make(("a", a, False), ("b", near, False)), 0) is None


def test_nothing_is_bold_with_too_few_seeds() -> None:
    a, b = sure(0.9, 0.8, 1.0, 2), sure(0.7, 0.5, 0.9)
    assert best_row(make(("a", a, False), ("b", b, False)), 0) is None
    assert best_row(make(("a", b, False), ("b", sure(0, 0, 0.1, 2), False)), 0) is None
    rows = [Row("a", [sure(0.1, 0.05, 0.2, 2)])]
    assert not Table("t", "T", [Column("x", "X", "difference")], rows).bold(0, 0)


def test_bold_follows_the_direction_and_ignores_controls() -> None:
    a, b = sure(0.9, 0.8, 1.0), sure(0.7, 0.65, 0.75)
    lower = make(("a", a, False), ("b", b, False), direction="lower")
    assert best_row(lower, 0) == 1
    with_oracle = make(("oracle", sure(1, 1, 1), True), ("a", a, False))
    assert best_row(with_oracle, 0) is None
    none = make(("a", a, False), ("b", b, False), direction="")
    assert best_row(none, 0) is None


def test_bold_of_the_identity_in_z_is_not_for_beyond_chance(
    registry: Registry,
) -> None:
    def bold(name: str, *scores: Estimate) -> int | None:
        rows = [Row(str(i), [score]) for i, score in enumerate(scores)]
        column = metric_column(registry[name])
        return best_row(Table("t", "T", [column], rows), 0)

    at, worse = sure(0.5, 0.49, 0.51), sure(0.6, 0.59, 0.61)
    below, above = sure(0.4, 0.39, 0.41), sure(0.6, 0.59, 0.61)
    assert bold("verification_auc_dynamic", at, below) is None
    assert bold("verification_auc_dynamic", below, worse) == 0
    assert bold("verification_auc_dynamic", worse, at) == 1
    for name in ("verification_eer_dynamic", "verification_hter_dynamic"):
        assert bold(name, at, above) is None and bold(name, at, below) == 0
    assert bold("verification_auc_static", at, below) == 0


def test_bold_is_not_for_a_probe_that_was_sure_and_wrong(registry: Registry) -> None:
    wrong, nothing = sure(-0.3, -0.4, -0.2), sure(0.0, -0.01, 0.01)
    for name in ("bits_dynamic", "probe_dynamic_mlp"):
        rows = [Row("a", [wrong]), Row("b", [nothing])]
        table = Table("t", "T", [metric_column(registry[name], scope="static")], rows)
        assert table.columns[0].direction == "lower"
        assert best_row(table, 0) is None


def test_bold_needs_an_interval_and_skips_the_missing() -> None:
    unsure = make(("a", Estimate(0.9), False), ("b", Estimate(0.1), False))
    assert best_row(unsure, 0) is None
    missing = make(
        ("a", Estimate(math.nan), False),
        ("b", sure(0.5, 0.4, 0.6), False),
        ("c", None, False),
    )
    assert best_row(missing, 0) is None


def test_a_difference_is_bold_when_its_interval_excludes_0() -> None:
    scores = [sure(0.1, 0.05, 0.2), sure(-0.1, -0.2, 0.1), Estimate(1e-9), None]
    rows = [Row(f"{i}", [score]) for i, score in enumerate(scores)]
    table = Table("t", "T", [Column("x", "X", "difference")], rows)
    assert [table.bold(i, 0) for i in range(4)] == [True, False, False, False]
    lines = markdown(table).splitlines()[2:]
    assert lines[0] == "| 0 | **+0.100 (0.050 to 0.200)** |"
    assert lines[1] == "| 1 | −0.100 (−0.200 to 0.100) |"
    assert lines[2] == "| 2 | 0 |"
    assert r"\textbf{+0.100" in latex(table)
    assert frame(table)["x_high"].tolist()[:2] == [0.2, 0.1]


def test_a_reference_is_a_floor_or_ceiling_and_never_bold() -> None:
    rows = [Row("a", [sure(0.5, 0.4, 0.6)]), Row("b", [sure(0.1, 0, 0.2)])]
    rows.append(Row("chance", [Estimate(0.9, 0.8, 1.0)], reference=True))
    table = Table("t", "T", [Column("x", "X", "score", "higher")], rows)
    assert table.best == {0: 0}
    assert [kind for kind, _ in table.groups] == ["ranked", "controls"]


def test_twins_show_the_same_numbers(report: Path) -> None:
    stems = sorted({path.stem for path in (report / "tables").iterdir()})
    assert "sprites_swap_static" in stems
    assert "benchmarks" in stems
    for stem in stems:
        data = pd.read_csv(report / f"tables/{stem}.csv")
        lines = (report / f"tables/{stem}.md").read_text().splitlines()[2:]
        rows = [re.split(r"(?<!\\)\|", line)[2:-1] for line in lines]
        tex = (report / f"tables/{stem}.tex").read_text()
        tex_rows = [line for line in tex.splitlines() if line.endswith(r"\\")][1:]
        assert len(data) == len(rows) == len(tex_rows)
        texts = [data.columns[0], *({"rank"} & {*data})]
        means = data.drop(columns=texts).select_dtypes("number")
        means = means[[c for c in means if not c.endswith(("_low", "_high"))]]
        for i, row in enumerate(rows):
            for column, value in means.iloc[i].items():
                if math.isnan(value):  # words say why, or a dash
                    continue
                text = number(value)
                if column in ("n", "steps", "rounds", "identities"):
                    text = f"{int(value):,}"
                if column in ("parameters", "flop_per_frame"):
                    text = amount(value)
                if column == "seconds":
                    text = duration(value)
                assert any(cell.strip(" *").startswith(text) for cell in row), stem
                assert latex_text(text) in tex_rows[i], stem


def test_csv_keeps_all_digits(results: Path, report: Path) -> None:
    summary = pd.read_parquet(results / "tables/summary.parquet")
    keys = ["dataset", "model", "metric", "factor"]
    row = summary.set_index(keys).loc["sprites", "dsae", "mse", ""]
    data = pd.read_csv(report / "tables/sprites_headline.csv", index_col=0)
    found = data.loc["DSAE (factorised)"]
    assert found["mse"] == row["mean"]
    assert (found["mse_low"], found["mse_high"]) == (row["low"], row["high"])


def test_text_is_escaped_in_markdown_and_latex(tmp_path: Path) -> None:
    rows = [Row("a_b|c & 5% $x$ <script>\n\\", [Estimate(0.5, 0.4, 0.6)])]
    table = Table("t", "T", [Column("x_y", "X_Y", "score", "higher")], rows)
    assert markdown(table).splitlines()[2] == (
        r"| a_b\|c & 5% $x$ \<script\> \\ | 0.500 (0.400 to 0.600) |"
    )
    tex = latex(table)
    assert r"a\_b$|$c \& 5\% \$x\$ $<$script$>$" in tex
    assert r"X\_Y~$\uparrow$" in tex
    assert r"\toprule" in tex
    write(table, tmp_path)
    again = pd.read_csv(io.StringIO((tmp_path / "t.csv").read_text()))
    assert again["model"][0] == rows[0].label
    assert frame(table)["x_y"][0] == 0.5


def test_empty_columns_are_dropped() -> None:
    columns = [Column("x", "X"), Column("y", "Y")]
    table = Table("t", "T", columns, [Row("a", [None, Estimate(1)])])
    assert [c.key for c in table.without_empty_columns().columns] == ["y"]


def test_benchmarks_are_sorted_by_group(benchmarks: Path) -> None:
    table = benchmark_table(benchmarks)
    assert [row.label for row in table.rows] == ["test_store", "test_encode[dsae]"]
    assert table.rows[0].values[1] == pytest.approx(12.3)
