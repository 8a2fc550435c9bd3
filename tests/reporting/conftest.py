"""Fabricated results trees and the reports built from them."""

import json
from pathlib import Path

import pytest

from reporting.metrics import Registry, read_registry
from tests.reporting.results_data import draw_face
from tests.reporting.results_tree import DATASETS, GRID, MODELS, fabricate


@pytest.fixture(scope="session")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a whole fabricated results tree; do not write into it."""
    return fabricate(tmp_path_factory.mktemp("tree") / "results" / "default")


@pytest.fixture(scope="session")
def registry(results: Path) -> Registry:
    """Return what the page knows of the metrics."""
    return read_registry(results / "tables/metrics.json")


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a tree of one dataset and four models, quick to report; do not write."""
    folder = tmp_path_factory.mktemp("small") / "results" / "default"
    models = [MODELS[i] for i in (0, 1, 4, 5)]
    return fabricate(folder, models=models, datasets=(("sprites", "Sprites", 3),))


@pytest.fixture(scope="session")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a tree of one dataset of faces and three models; do not write."""
    folder = tmp_path_factory.mktemp("faces") / "results" / "real"
    models = [MODELS[i] for i in (0, 1, 5)]
    datasets = (("affwild", "Aff-Wild", 3),)
    return fabricate(folder, (0,), models, datasets, draw_face, size=32)


@pytest.fixture(scope="session")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a tree of 20 models and 3 datasets, as the default tier; do not write."""
    folder = tmp_path_factory.mktemp("suite") / "results" / "default"
    datasets = (*DATASETS, ("affwild", "Aff-Wild", 3))
    return fabricate(folder, (0,), GRID, datasets, size=32)


@pytest.fixture(scope="session")
def suite_report(suite: Path) -> Path:
    """Return the folder of the report built from the tree of 20 models."""
    from reporting.page import build

    return build(suite, suite / "report").parent


@pytest.fixture(scope="session")
def benchmarks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a pytest-benchmark file with two benchmarks."""
    path = tmp_path_factory.mktemp("bench") / "benchmarks.json"
    stats = {"median": 0.0123, "iqr": 0.001, "rounds": 9}
    entries = [
        {"group": "encode", "name": "test_encode[dsae]", "stats": stats},
        {"group": None, "name": "test_store", "stats": stats},
    ]
    path.write_text(json.dumps({"benchmarks": entries}))
    return path


@pytest.fixture(scope="session")
def report(results: Path, benchmarks: Path) -> Path:
    """Return the folder of the report built from the whole tree."""
    from reporting.page import build

    return build(results, results / "report", benchmarks).parent


@pytest.fixture(scope="session")
def face_report(faces: Path) -> Path:
    """Return the folder of the report built from the tree of faces."""
    from reporting.page import build

    return build(faces, faces / "report").parent
