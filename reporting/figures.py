"""How every matplotlib figure of the page looks, and how it is saved."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any

import matplotlib as mpl
import seaborn as sns
from matplotlib.figure import Figure

from reporting.pixels import Picture
from seqdis.files import atomic, write_text

_STYLE: Any = {
    "svg.fonttype": "none",  # text stays text: small files, sharp, searchable
    "svg.hashsalt": "seqdis",
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#888888",
    "grid.color": "#e6e6e6",
    "figure.facecolor": "white",
    "legend.frameon": False,
}


@contextmanager
def styled() -> Iterator[None]:
    """Draw in the page's style, leaving matplotlib's global state alone."""
    with sns.axes_style("ticks"), mpl.rc_context(_STYLE):
        yield


def literal(text: str) -> str:
    """Escape text from a file: in matplotlib a pair of $ would start mathematics."""
    return text.replace("$", r"\$")


def save(figure: Figure, path: Path, alt: str, dpi: int = 110) -> Picture:
    """Save as SVG or PNG, by the suffix, without a date (same input, same bytes)."""
    if path.suffix == ".svg":
        text = StringIO()
        # What is rasterised in it is sharp on screens of twice the resolution.
        figure.savefig(text, format="svg", dpi=192, metadata={"Date": None})
        # A hundredth of a point cannot be seen, six decimals are half of the file.
        write_text(path, re.sub(r"<[^>]*>", _rounded, text.getvalue()))
    else:
        with atomic(path) as temporary:
            figure.savefig(temporary, dpi=dpi, metadata={"Software": None})
    width, height = (round(96 * inches) for inches in figure.get_size_inches())
    return Picture(f"images/{path.name}", width, height, alt)


def _rounded(tag: re.Match[str]) -> str:
    """Shorten the numbers of a tag; the text between tags stays as it is."""
    return re.sub(r"\d+\.\d{3,}", _short, tag[0])


def _short(number: re.Match[str]) -> str:
    return f"{float(number[0]):.2f}".rstrip("0").rstrip(".")
