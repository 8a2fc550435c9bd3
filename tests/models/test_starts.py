"""Posteriors start with as much signal as noise at the sizes of all tiers."""

import functools
import json
import subprocess
import sys
from pathlib import Path

import pytest

from datasets import mmnist, sprites
from datasets.drawn.videos import embed_affwild
from datasets.embedded import embed
from datasets.store import Store, load
from seqdis.files import write_json
from tests.models.starts import ROOT, list_models, measure, read_tier

CLIPS = {"everything": 64, "real": 64, "paper": 16}
MODELS = list_models(read_tier("everything"))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory):
    """Return a function of a dataset and a tier: embedded, but small."""
    sources: dict[str, Path] = {}

    def make(dataset: str, tier: str) -> Store:
        size = read_tier(tier).config["datasets"][dataset]["size"]
        out = tmp_path_factory.mktemp(f"{dataset}_{tier}")
        if dataset not in sources:
            sources[dataset] = tmp_path_factory.mktemp(f"{dataset}_files")
            EMBED[dataset](sources[dataset])
        return BUILD[dataset](sources[dataset], size, out)

    return functools.cache(make)


def embed_faces(files: Path) -> None:
    """Draw fewer people than `embed` does."""
    manifest = embed_affwild(files, people=30)
    write_json(files / "manifest.json", manifest | {"source": "embedded"})


def build_faces(files: Path, size: int, out: Path) -> Store:
    """Cut faces out of drawn videos and gather them, as the workflow does."""
    drawn = read_tier("everything").datasets["affwild"] | {"size": size, "parts": 1}
    settings = json.dumps(drawn)
    words = ["-m", "datasets.affwild", "--files", files, "--settings", settings]
    pieces = out / "pieces"
    for step in (["--part", "0", "--out", pieces], ["--pieces", pieces, "--out", out]):
        run = [sys.executable, *words, "--name", "affwild", *step]
        subprocess.run(list(map(str, run)), cwd=ROOT, check=True)
    return load(out)


EMBED = {
    "mmnist": functools.partial(embed, "mnist"),
    "sprites": functools.partial(embed, "lpc"),
    "affwild": embed_faces,
}
BUILD = {
    "mmnist": lambda files, size, out: mmnist.generate(
        files,
        "mmnist",
        mmnist.Settings(source="embedded", digits=1, sequences=100, size=size),
        out,
    ),
    "sprites": lambda files, size, out: sprites.build(
        files,
        "sprites",
        sprites.Settings(source="embedded", identities=30, size=size),
        out,
    ),
    "affwild": build_faces,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("dataset", ["mmnist", "sprites", "affwild"])
@pytest.mark.parametrize("tier", CLIPS)
def test_signal_and_noise_start_equal(store, tier: str, dataset: str, name: str):
    if (tier, dataset) in {("paper", "mmnist"), ("paper", "affwild")}:
        pytest.skip("its networks are those of sprites, and take long")
    found = measure(read_tier(tier), name, store(dataset, tier), 0, CLIPS[tier])
    assert all(0.1 < ratio < 5 for ratio in found), found
