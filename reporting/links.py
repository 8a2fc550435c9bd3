"""Links of a page to the files beside it, and what is left of one without its file."""

import posixpath
import re
from collections.abc import Set
from html import unescape

ABROAD = re.compile(r"#|[a-z]+:")  # a place in the page, or another site
MISSING = '<small class="note">({}not in this archive)</small>'


def target(address: str, folder: str) -> str | None:
    """Return the path that a link of a page in `folder` leads to; None if not a file.

    Args:
        address: what `href` or `src` says, as it stands in the page.
        folder: of the page, e.g. `report`; the path starts where it does.
    """
    plain = unescape(address)
    if ABROAD.match(plain):
        return None
    return posixpath.normpath(posixpath.join(folder, plain))


def without_missing(page: str, folder: str, known: Set[str]) -> str:
    """Return a page in which no link leads to a file that is not known.

    A link's text stays, a picture gives way to its description; both say so.

    Args:
        page: HTML of our templates: attributes in double quotes.
        folder: of the page.
        known: paths that start where `folder` does.
    """

    def lost(address: str) -> bool:
        path = target(address, folder)
        return path is not None and path not in known

    def link(found: re.Match[str]) -> str:
        text = found[2]
        return f"{text} {MISSING.format('')}" if lost(found[1]) else found[0]

    def image(found: re.Match[str]) -> str:
        source = re.search(r' src(?:set)?="([^"]*)"', found[0])
        if not source or not lost(source[1]):
            return found[0]
        words = re.search(r' alt="([^"]*)"', found[0])
        return MISSING.format(f"picture: {words[1]}; ") if words else ""

    page = re.sub(r'<a [^>]*?href="([^"]*)"[^>]*>(.*?)</a>', link, page, flags=re.S)
    return re.sub(r"<(?:img|source) [^>]*>", image, page)
