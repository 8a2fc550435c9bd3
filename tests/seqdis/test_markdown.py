"""Parts of pages between marks are written again; all else stays."""

from seqdis.markdown import fill_marks

PAGE = """<!-- rows -->
old
<!-- end of rows -->
between
<!-- rows: one -->
<!-- end of rows -->
<!-- others -->
theirs
<!-- end of others -->
"""


def test_only_parts_of_the_kind_are_written():
    filled = fill_marks(PAGE, "rows", lambda name: name.upper() or "none")
    assert filled == PAGE.replace("\nold\n", "\n\nnone\n\n").replace(
        "one -->\n", "one -->\n\nONE\n\n"
    )
    assert fill_marks(filled, "rows", lambda name: name.upper() or "none") == filled


def test_none_leaves_a_part():
    assert fill_marks(PAGE, "rows", lambda _: None) == PAGE
