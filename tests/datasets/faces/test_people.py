"""people.csv: each entry is of one video and one person, or is refused."""

from pathlib import Path

import numpy as np
import pytest

from datasets import affwild
from datasets.faces import affwild_first
from datasets.faces.people import RESERVED, read_people
from tests.datasets.faces.releases import build, release, settings, stills
from tests.messages import refused

VIDEOS = ["1", "2", "3", "Zoë"]


def write(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "people.csv"
    path.write_bytes(text.encode(encoding))
    return path


def test_what_is_said_is_read(tmp_path: Path):
    path = write(tmp_path, "video, person,glasses\r\n1, a b ,no\n\n2,'c',\n")
    assert read_people(path, VIDEOS) == {
        "1": {"person": "a b", "glasses": "no"},
        "2": {"person": "'c'"},
    }
    assert read_people(write(tmp_path, "video,person\n1,NA\n"), VIDEOS) == {
        "1": {"person": "NA"}
    }
    assert read_people(tmp_path / "none.csv", VIDEOS) == {}


def test_a_byte_order_mark_and_decomposed_names_are_understood(tmp_path: Path):
    path = write(tmp_path, "\ufeffvideo,person\nZoe\u0308,a\n")
    assert read_people(path, VIDEOS) == {"Zoë": {"person": "a"}}


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("video,person\n1.mp4,a\n", ["line 2", "'1.mp4'"]),
        ("video,person\n1,a\n9,a\n", ["line 3", "'9'"]),
        ("video,person\n1,a\n2,\n", ["line 3", "person"]),
        ("video,person\n,a\n", ["line 2", "video"]),
        ("video,person\n1,a\n\n1,b\n", ["line 4", "'1'"]),
        ("video,person\n1,Ann\n2,ann\n", ["line 3", "'Ann'", "'ann'"]),
        ("video,person\n1,a  b\n2,a b\n", ["line 3", "'a b'"]),
        ("video,person,sex\n1,a,m\n2,b,M\n", ["line 3", "'m'", "'M'", "'sex'"]),
        ("video,person\n1,2\n", ["'2'"]),  # is it the person of video 2?
        ("video,person\n1,a,b\n", ["line 2", "3", "2"]),
        ("video;person\n1;a\n", ["video", "person", "video;person"]),
        ("", ["video", "person"]),
        ("video,person,\n1,a,b\n", ["line 1"]),
        ("video,person,skin,skin\n1,a,b,c\n", ["'skin'"]),
        *(
            (f"video,person,{name}\n1,a,b\n", [f"'{name}'"])
            for name in sorted(RESERVED)
        ),
    ],
)
def test_what_may_be_of_another_is_refused(tmp_path: Path, text: str, named):
    path = write(tmp_path, text)
    with refused(path, *named):
        read_people(path, VIDEOS)


def test_other_encodings_are_refused(tmp_path: Path):
    path = write(tmp_path, "video,person\n1,J\xf6rg\n", "latin-1")
    with refused(path, cause=UnicodeDecodeError):
        read_people(path, VIDEOS)


def test_no_column_of_a_store_can_be_a_factor_too(tmp_path: Path):
    for count in (1, 2, 3):  # frames beyond 20: no two videos are alike
        root = release(tmp_path / "copy", (str(count),), 20 + count)
    (root / "people.csv").write_text("video,person,skin\n2,b,x\n3,c,\n")
    store = build(root, tmp_path / "out")
    columns = {*store.sequences, *store.timeline}
    assert columns - RESERVED == {"skin", "video", "person"}
    assert store.sequences["skin"].tolist() == [-1, 0, -1]
    assert store.sequences["skin"].dtype == np.int16


def test_it_is_read_in_the_second_layout_too(tmp_path: Path):
    root = stills(tmp_path, ("v1", "v2"))
    write(root, "video,person,glasses\nv1,Ann,no\n")
    first, second = affwild.videos(root, settings())
    assert (first.person, first.static) == ("Ann", {"glasses": "no"})
    assert (second.person, second.static) == ("v2", {})


def test_where_it_is_not_read_it_is_refused(tmp_path: Path):
    home = release(tmp_path / affwild_first.OUTER, count=2)
    lost = write(tmp_path, "video,person\n1,Ann\n")
    with refused(lost, home):
        affwild.videos(tmp_path, settings())
