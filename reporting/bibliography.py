"""BibTeX entries of the suite, and of the models and datasets of a results tree.

An arXiv number in a model's `paper` or in the card of a dataset finds its entry in
references.bib; any other text becomes an entry of its own.
"""

import re
from pathlib import Path

from reporting.tables import latex_text
from reporting.tree import Dataset, Model, Tree

KNOWN = Path(__file__).with_name("references.bib")
SUITE = """@software{seqdis,
  author = {{The SeqDis authors}},
  title = {{SeqDis}: a reproducible benchmark of disentangled sequence models}
}
"""
ARXIV = re.compile(r"\d{4}\.\d{4,5}")
PAPER = re.compile(r"(?P<authors>.+?)[ ,]+(?P<year>\d{4})\b(?!\.)")


def bibliography(tree: Tree) -> str:
    """Return the entries as one BibTeX text, each once."""
    text = KNOWN.read_text(encoding="utf-8")
    known = {ARXIV.findall(entry)[0]: entry for entry in re.split(r"\n(?=@)", text)}
    entries = [SUITE]
    for model in tree.models:
        runs = (cell.run for cell in tree.cells if cell.model is model)
        paper = next((run["paper"] for run in runs if run.get("paper")), "")
        if paper and paper != "unpublished":
            entries += _known(paper, known) or [_of_model(model, paper)]
    for dataset in tree.datasets:
        reference = (dataset.info.get("card") or {}).get("reference") or ""
        if reference and reference != "this suite":
            entries += _known(reference, known) or [_of_dataset(dataset, reference)]
    return "\n".join(f"{entry.strip()}\n" for entry in dict.fromkeys(entries))


def _known(text: str, known: dict[str, str]) -> list[str]:
    return [known[number] for number in ARXIV.findall(text) if number in known]


def _of_model(model: Model, paper: str) -> str:
    """Return the entry of `Author, Author 2018, arXiv:1803.02991`, or of any words."""
    found = PAPER.match(paper)
    fields = {"title": f"{{{latex_text(model.label)}}}"}
    if found:
        authors = " and ".join(re.split(r", *", found["authors"]))
        fields |= {"author": latex_text(authors), "year": found["year"]}
    if number := ARXIV.search(paper):
        fields |= {"eprint": number[0], "archiveprefix": "arXiv"}
    elif not found:
        fields["note"] = latex_text(paper)
    return _entry(model.base, fields)


def _of_dataset(dataset: Dataset, reference: str) -> str:
    fields = {
        "title": f"{{{latex_text(dataset.label)}}}",
        "note": latex_text(reference),
    }
    if homepage := dataset.info.get("homepage"):
        fields["howpublished"] = f"\\url{{{homepage}}}"
    return _entry(dataset.name, fields)


def _entry(key: str, fields: dict[str, str]) -> str:
    lines = ",\n".join(f"  {name} = {{{value}}}" for name, value in fields.items())
    return f"@misc{{{key},\n{lines}\n}}\n"
