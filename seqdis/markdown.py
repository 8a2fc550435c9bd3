"""Parts of Markdown pages that programs write: what lies between two marks.

`<!-- KIND -->`, or `<!-- KIND: NAME -->`, begins such a part; `<!-- end of KIND -->`
ends it.
"""

import re
from collections.abc import Callable


def fill_marks(page: str, kind: str, write: Callable[[str], str | None]) -> str:
    """Return a page with its parts of a kind written again.

    Args:
        page: the text of the page.
        kind: of the marks.
        write: from a mark's name, "" without one, to the text; None leaves the part.
    """
    marked = rf"(<!-- {kind}(?:: (\w+))? -->\n).*?(<!-- end of {kind} -->)"

    def fill(mark: re.Match[str]) -> str:
        text = write(mark[2] or "")
        return mark[0] if text is None else f"{mark[1]}\n{text}\n\n{mark[3]}"

    return re.sub(marked, fill, page, flags=re.DOTALL)


def escape_cell(text: str) -> str:
    """Return text for a cell of a Markdown table."""
    return text.replace("|", r"\|")
