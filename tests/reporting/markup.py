"""Parts of a page, found by element, id, class or attribute."""

import re
from html.parser import HTMLParser
from xml.etree.ElementTree import Element, TreeBuilder

VOID = {"br", "img", "link", "meta", "source"}  # elements without an end tag


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.builder = TreeBuilder()

    def handle_starttag(self, tag, attrs) -> None:
        self.builder.start(tag, {name: value or "" for name, value in attrs})
        if tag in VOID:
            self.builder.end(tag)

    def handle_endtag(self, tag) -> None:
        if tag not in VOID:
            self.builder.end(tag)

    def handle_data(self, data) -> None:
        self.builder.data(data)


def elements(page: str, path: str) -> list[Element]:
    """Return the elements of a page at an XPath of xml.etree."""
    parser = _Page()
    parser.feed(page[page.index("<html") :].strip())
    return parser.builder.close().findall(path)


def texts(page: str, path: str) -> list[str]:
    """Return the text of every element at `path`, its white space made single."""
    found = elements(page, path)
    return [" ".join("".join(part.itertext()).split()) for part in found]


def numbers(text: str) -> list[str]:
    """Return the numbers of a text as they are written: "7,513", "92.3"."""
    return re.findall(r"\d(?:[\d,.]*\d)?", text)
