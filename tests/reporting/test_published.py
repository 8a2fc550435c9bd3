"""The registry of published numbers: what it holds, and its arithmetic."""

from pathlib import Path

import pytest

from datasets.errors import UserError
from reporting.published import contradiction, published

FOLDER = Path(__file__).parents[2] / "results/published"


def test_rows_that_contradict_themselves_are_those_known():
    """Recomputed by hand: four of nine rows of MUG, two of Sprites, none of TIMIT."""
    found = {
        entry.dataset: [model for model, _, problem in entry.rows if problem]
        for entry in published(FOLDER)
    }
    assert found["MUG"] == ["MoCoGAN", "S3VAE", "C-DSVAE", "DBSE"]
    assert {"MoCoGAN", "DSVAE"} <= set(found["Sprites, 9 actions"])
    assert "SKD" not in found["Sprites, 9 actions"]
    assert found["TIMIT"] == []


def test_what_was_not_read_in_its_source_says_so():
    verified = {entry.dataset: entry.verified for entry in published(FOLDER)}
    assert verified == {"MUG": True, "Sprites, 9 actions": False, "TIMIT": True}


def test_arithmetic():
    assert not contradiction({"is": 5.382, "hyx": 0.090, "hy": 1.773}, 3, 6)
    assert "exp" in contradiction({"is": 5.5, "hyx": 0.090, "hy": 1.773}, 3, 6)
    assert "log 6" in contradiction({"hy": 1.80}, 3, 6)
    assert "gap" in contradiction({"static": 5, "dynamic": 20, "gap": 16}, 2, None)


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "- a list",
        "{dataset: 3}",
        "{dataset: a, source: b, verified: yes, differs: c, metrics: {}, rows: {x: 1}}",
        "!!python/object/apply:os.system [echo]",
    ],
)
def test_a_bad_file_is_named_with_what_is_wrong(tmp_path: Path, text: str):
    (tmp_path / "bad.yaml").write_text(text)
    with pytest.raises(UserError, match=r"bad\.yaml"):
        published(tmp_path)
