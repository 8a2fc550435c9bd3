"""Every kind of dataset has cards, and they get into dataset.json."""

from pathlib import Path

import pytest

from datasets.__main__ import fill_page, load_kinds
from datasets.card import Card
from datasets.download import read_table
from datasets.store import Store

PAGE = Path(__file__).parents[2] / "docs/datasets.md"
CARDS = [(kind, key) for kind, module in load_kinds().items() for key in module.CARDS]


@pytest.mark.parametrize(("kind", "key"), CARDS)
def test_a_card_says_what_a_person_has_to_say(kind: str, key: str):
    card = load_kinds()[kind].CARDS[key]
    assert isinstance(card, Card)
    assert all((card.title, card.shows, card.good_for, card.reference))
    assert card.confounds
    assert all(card.confounds)
    assert not isinstance(card.confounds, str)
    assert card.licence or card.collection in read_table()


@pytest.mark.parametrize("variant", ["sheet", "actions"])
def test_dataset_json_has_the_card_and_its_factors(sprite_store, variant: str):
    store: Store = sprite_store(variant)
    card = load_kinds()["sprites"].CARDS[variant]
    assert store.info["card"] == card.entry
    assert store.info["ordered"] is True
    made = {factor.name: factor for factor in store.factors}
    for factor in card.factors:
        assert made[factor.name].scope == factor.scope
        assert not factor.values or made[factor.name].values == list(factor.values)


def test_docs_are_in_step():
    """Otherwise: python -m datasets."""
    page = PAGE.read_text("utf-8")
    assert fill_page(page, load_kinds()) == page
    for kind, key in CARDS:
        assert f"### {load_kinds()[kind].CARDS[key].title}\n" in page
