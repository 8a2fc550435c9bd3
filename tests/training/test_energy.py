"""Energy counters: a pretended powercap folder."""

from pathlib import Path

import pytest
import torch
from torch import nn

from training import energy
from training.energy import Meter
from training.loop import fit


def zone(folder: Path, name: str, counter: object, most: int = 1_000_000) -> None:
    path = folder / name
    path.mkdir(exist_ok=True)
    (path / "energy_uj").write_text(f"{counter}\n")
    (path / "max_energy_range_uj").write_text(f"{most}\n")


def test_processors_are_added_and_their_parts_are_not(tmp_path: Path):
    for name in ("intel-rapl:0", "intel-rapl:1", "intel-rapl:0:0", "intel-rapl"):
        zone(tmp_path, name, 1000)
    meter = Meter(tmp_path)
    assert meter.spent() == 0
    for name in ("intel-rapl:0", "intel-rapl:1", "intel-rapl:0:0"):
        zone(tmp_path, name, 251_000)
    assert meter.spent() == 0.5 and meter.spent() == 0


def test_a_counter_that_starts_again(tmp_path: Path):
    zone(tmp_path, "intel-rapl:0", 999_000, most=999_999)
    meter = Meter(tmp_path)
    zone(tmp_path, "intel-rapl:0", 1000, most=999_999)
    assert meter.spent() == pytest.approx(0.002)


@pytest.mark.parametrize("kind", ["none", "empty", "unreadable", "damaged"])
def test_what_cannot_be_read_is_not_known(tmp_path: Path, kind: str):
    folder = tmp_path / "powercap"
    if kind != "none":
        folder.mkdir()
    if kind in ("unreadable", "damaged"):
        zone(folder, "intel-rapl:0", 1 if kind == "unreadable" else "words")
    if kind == "unreadable":  # a folder in its place: root may read any file
        (folder / "intel-rapl:0" / "energy_uj").unlink()
        (folder / "intel-rapl:0" / "energy_uj").mkdir()
    assert Meter(folder).spent() is None


@pytest.mark.parametrize("known", [True, False])
def test_a_training_says_what_it_took(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known: bool
):
    """Over both parts of a training that was stopped in between."""
    monkeypatch.setattr(energy, "FOLDER", tmp_path)
    zone(tmp_path, "intel-rapl:0", 0)
    module, steps = nn.Linear(1, 1), []

    def terms_at(step: int) -> dict[str, torch.Tensor]:
        steps.append(step)
        if step == 120 and len(steps) == 121:
            raise KeyboardInterrupt
        if known or len(steps) < 121:
            zone(tmp_path, "intel-rapl:0", 1000 * len(steps))
        return {"size": module.weight.square().sum()}

    monkeypatch.setattr("training.loop.SAVE_SECONDS", 0.0)
    options = {"steps": 150, "learning_rate": 0.1, "partial": tmp_path / "partial"}
    with pytest.raises(KeyboardInterrupt):
        fit(module, terms_at, **options)
    if not known:  # the second machine has no counter
        (tmp_path / "intel-rapl:0").rename(tmp_path / "gone")
    run = fit(module, terms_at, **options)
    # 100 calls, then the 31 after the kill: those since the last window are lost.
    assert run.joules == (pytest.approx(0.131) if known else None)
