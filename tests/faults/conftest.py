"""A whole tier, made once."""

from pathlib import Path

import pytest

from tests.faults.tier import make


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory, squares: Path) -> Path:
    return make(squares, tmp_path_factory.mktemp("whole"))
