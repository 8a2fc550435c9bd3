import sys
from pathlib import Path

import pytest

from tests.messages import rejected
from training.tensorboard import board

ROWS = [(50, 1.0, "loss", 2.5), (50, 1.0, "kl_f", 0.5), (100, 2.0, "loss", 1.25)]


def test_rows_become_scalars(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    monkeypatch.setenv("SEQDIS_TENSORBOARD", str(tmp_path))
    tell = board("squares/toy/seed0")
    tell(ROWS[:2])
    tell(ROWS[2:])
    found = EventAccumulator(str(tmp_path / "squares/toy/seed0"))
    found.Reload()
    assert set(found.Tags()["scalars"]) == {"loss", "kl_f"}
    loss = [(event.step, event.value) for event in found.Scalars("loss")]
    assert loss == [(50, 2.5), (100, 1.25)]


def test_nothing_without_the_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("SEQDIS_TENSORBOARD", raising=False)
    monkeypatch.chdir(tmp_path)
    board("a/b")(ROWS)
    assert not [*tmp_path.iterdir()]


def test_it_must_be_installed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SEQDIS_TENSORBOARD", "anywhere")
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with rejected("SEQDIS_TENSORBOARD", "pip install tensorboard"):
        board("a/b")
