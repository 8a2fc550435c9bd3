"""Fixtures: the embedded sources, made once, and the mirror of the original ones."""

import os
from pathlib import Path

import pytest

from datasets import mmnist, sprites
from datasets.download import download
from datasets.embedded import embed
from datasets.store import Store


@pytest.fixture(scope="session")
def sheets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lpc")
    embed("lpc", folder)
    return folder


@pytest.fixture(scope="session")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mnist")
    embed("mnist", folder)
    return folder


@pytest.fixture(scope="session")
def mirror() -> Path:
    folder = os.environ.get("SEQDIS_MIRROR", "")
    if not folder or not Path(folder).is_dir():
        pytest.skip("SEQDIS_MIRROR names no local folder with the original files")
    return Path(folder)


@pytest.fixture(scope="session")
def weights(mirror: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the face detector."""
    folder = tmp_path_factory.mktemp("yunet")
    download("yunet", folder, str(mirror))
    return folder


@pytest.fixture(scope="session")
def sprite_store(sheets: Path, tmp_path_factory: pytest.TempPathFactory):
    made: dict[str, Store] = {}

    def build(variant: str) -> Store:
        if variant not in made:
            settings = sprites.Settings(
                source="embedded", variant=variant, identities=12
            )
            out = tmp_path_factory.mktemp(variant)
            made[variant] = sprites.build(sheets, variant, settings, out)
        return made[variant]

    return build


@pytest.fixture(scope="session")
def digit_store(digits: Path, tmp_path_factory: pytest.TempPathFactory):
    made: dict[tuple[str, int], Store] = {}

    def build(variant: str, each: int = 2) -> Store:
        if (variant, each) not in made:
            settings = mmnist.Settings(
                source="embedded", variant=variant, sequences=60, digits=each
            )
            out = tmp_path_factory.mktemp(variant)
            made[variant, each] = mmnist.generate(digits, variant, settings, out)
        return made[variant, each]

    return build
