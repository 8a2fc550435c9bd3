"""The card of a dataset: what neither its files nor its labels say of it.

Each module of a kind of dataset has `CARDS`, a card for each variant that differs here.
A card goes into `dataset.json`, from there onto the page, and into docs/datasets.md
(`python -m datasets`). Numbers, factors, licence and credits come from where they are
known already.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from datasets.store import Factor

WORDS = 12  # a factor with more values is described by their number


@dataclass(frozen=True)
class Card:
    """What a person has to say of a dataset, in plain sentences.

    Attributes:
        title: a few words, a heading.
        shows: what a sequence and a frame of it show; how many identities there are.
        good_for: the question that scores on it can answer.
        confounds: what else could explain a score, a sentence each.
        reference: the paper or release to cite.
        collection: its entry in the table of downloads, which has licence and credits;
            "" if it is not downloaded.
        licence: of a set that is not downloaded.
        factors: those that are known without the files.
        ordered: whether the frames of a sequence have an order in time.
    """

    title: str
    shows: str
    good_for: str
    confounds: Sequence[str]
    reference: str
    collection: str = ""
    licence: str = ""
    factors: Sequence[Factor] = ()
    ordered: bool = True

    @property
    def entry(self) -> dict[str, object]:
        """The card as `dataset.json` holds it."""
        return {
            "shows": self.shows,
            "good_for": self.good_for,
            "confounds": list(self.confounds),
            "reference": self.reference,
        }


def describe_values(factor: Factor) -> str:
    """Return the words of a factor, or how many there are, or its unit."""
    if factor.values is None:
        return f"number, {factor.unit}" if factor.unit else "number"
    if 0 < len(factor.values) <= WORDS:
        return ", ".join(factor.values)
    # A card may know a factor before the files tell its words.
    return f"{len(factor.values)} values" if factor.values else "those of the files"
