"""Speed of making frames: `pytest tests/benchmarks/bench_datasets.py`."""

from pathlib import Path

import numpy as np
import pytest

from datasets.bouncing import draw, srivastava_paths
from datasets.embedded import embed
from datasets.sheets import all_cells, compose, read_layers
from datasets.sprites import looks


@pytest.fixture(scope="module")
def layers(tmp_path_factory: pytest.TempPathFactory) -> list[list[np.ndarray]]:
    folder: Path = tmp_path_factory.mktemp("lpc")
    embed("lpc", folder)
    return read_layers(folder, "sheet", all_cells())


def test_compose_sprites(benchmark, layers):
    chosen = [(*look, 0) for look in looks(np.arange(24)).tolist()]
    frames = benchmark.pedantic(
        lambda: sum(len(frames) for frames in compose(layers, chosen)),
        rounds=5,
        warmup_rounds=1,
    )
    assert frames == 24 * 178
    benchmark.extra_info["frames_per_second"] = frames / benchmark.stats["mean"]


def test_draw_moving_digits(benchmark):
    rng = np.random.default_rng(0)
    digits = rng.integers(0, 256, (500, 2, 28, 28), dtype=np.uint8)

    def generate() -> int:
        paths = srivastava_paths(np.random.default_rng(0), 500, 20)
        corners = paths.corner.swapaxes(0, 1)
        return sum(len(draw(digits, corner, add=False)) for corner in corners)

    frames = benchmark.pedantic(generate, rounds=5, warmup_rounds=1)
    assert frames == 500 * 20
    benchmark.extra_info["frames_per_second"] = frames / benchmark.stats["mean"]
