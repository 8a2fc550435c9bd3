"""Formats of numbers, times and lists, and the words of statuses."""

import math
from datetime import UTC, datetime
from typing import Any

import pandas as pd

ARROWS = {"higher": "↑", "lower": "↓"}

STATUSES = {
    "done": "done",
    "diverged": "diverged",
    "out_of_memory": "out of memory",
    "over_budget": "over budget",
    "skipped": "not applicable",
    "crashed": "crashed or not run",
    "unscored": "trained, not evaluated",
}


def number(value: float | None, digits: int = 3) -> str:
    """Format with `digits` significant digits, integers whole, "–" if missing."""
    if value is None or pd.isna(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if abs(value) < 5e-5:
        return "0"
    return f"{value:,.{decimals(value, digits)}f}".replace("-", "−")


def decimals(value: float, digits: int = 3) -> int:
    """Return how many decimals show `digits` significant digits of `value`."""
    if value == 0 or not math.isfinite(value):
        return digits
    shown = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    # Scores live in [0, 1]: past the fourth decimal there is only noise.
    return min(shown, 4)


def interval(mean: float, low: float, high: float) -> str:
    """Format an interval with the decimals of its mean; "" when there is none."""
    if pd.isna(low) or pd.isna(high):
        return ""
    places = decimals(mean) if mean else 3
    low, high = (round(end, places) + 0.0 for end in (low, high))
    ends = (f"{end:,.{places}f}".replace("-", "−") for end in (low, high))
    return " to ".join(ends)


def amount(value: float | None) -> str:
    """Format a large count with a unit letter: 23.0 M, 1.61 G."""
    if value is None or pd.isna(value):
        return "–"
    for size, letter in ((1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{number(value / size)} {letter}"
    return number(value)


def duration(seconds: float | None) -> str:
    """Format seconds as seconds, minutes or hours."""
    if seconds is None or pd.isna(seconds):
        return "–"
    if seconds < 100:
        return f"{number(seconds, 2)} s"
    if seconds < 6000:
        return f"{number(seconds / 60, 2)} min"
    return f"{number(seconds / 3600)} h"


def moment(text: str) -> str:
    """Shorten a UTC ISO 8601 time to minutes; other text stays as it is."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return text
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def flat(settings: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    """Turn nested settings into (dotted key, value)."""
    rows: list[tuple[str, Any]] = []
    for key, value in settings.items():
        if isinstance(value, dict):
            rows += flat(value, f"{prefix}{key}.")
        else:
            rows.append((f"{prefix}{key}", value))
    return rows


def count(n: int, noun: str) -> str:
    """Return "1 seed", "2 seeds"."""
    return f"{n} {noun if n == 1 else noun + 's'}"


def listing(items: list[str]) -> str:
    """Join as "a", "a and b", "a, b and c"."""
    return " and ".join(filter(None, [", ".join(items[:-1]), *items[-1:]]))
