"""Peers are imported, timed and forgotten; here they are stand-ins made on the spot."""

import sys
from pathlib import Path

import pytest
import torch

from tests.benchmarks.peers import PEERS, importing, our_step, peer_step, time_in_turns

DCGAN = """
import torch
from torch import nn

class encoder(nn.Module):
    def __init__(self, dim, nc=1):
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(nc, dim, 4, 16), nn.AdaptiveAvgPool2d(1))
    def forward(self, x):
        return self.layers(x).flatten(1), [x]

class decoder(nn.Module):
    def __init__(self, dim, nc=1):
        super().__init__()
        self.layer = nn.ConvTranspose2d(dim, nc, 64)
    def forward(self, given):
        h, skip = given
        return torch.sigmoid(self.layer(h[:, :, None, None]) + skip[0])
"""
LSTM = """
import torch
from torch import nn

class lstm(nn.Module):
    def __init__(self, inputs, outputs, hidden, layers, batch):
        super().__init__()
        self.batch, self.layer = batch, nn.Linear(inputs, outputs)
    def init_hidden(self):
        return torch.zeros(self.batch, 1).cuda()
    def forward(self, x):
        return self.layer(x)

class gaussian_lstm(lstm):
    def forward(self, x):
        mu = self.layer(x)
        return mu, mu, mu - 1
"""
FACES = """
import torch
import utils
from torch import nn

class Statistician(nn.Module):
    def __init__(self, batch_size, sample_size, **sizes):
        super().__init__()
        self.layer = nn.Conv2d(3, 3, 1)
    def forward(self, x):
        return utils.same(x), self.layer(x.view(-1, 3, 64, 64).cuda())
    def loss(self, outputs, weight):
        x, mean = outputs
        loss = weight * (mean - x.view(-1, 3, 64, 64)).square().mean()
        return loss, -loss
"""
FILES = {
    "svg": {"models/dcgan_64.py": DCGAN, "models/lstm.py": LSTM},
    "neural-statistician": {
        "faces/facesmodel.py": FACES,
        "utils.py": "def same(x):\n    return x\n",
    },
}


@pytest.mark.parametrize("name", PEERS)
def test_a_checkout_is_timed_and_forgotten(tmp_path: Path, name: str):
    for file, text in FILES[name].items():
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(text)
    modules, path, cuda = set(sys.modules), list(sys.path), torch.Tensor.cuda
    small = PEERS[name]._replace(settings={**PEERS[name].settings, "width": 16})
    with importing(tmp_path, small.paths):
        steps = {name: make(small, "float32") for name, make in MAKERS.items()}
        found = time_in_turns(steps, rounds=2)
    assert found.keys() == MAKERS.keys() and min(found.values()) > 0
    assert sys.path == path and torch.Tensor.cuda is cuda
    left = {sys.modules[name].__file__ or "" for name in set(sys.modules) - modules}
    assert not [file for file in left if file.startswith(str(tmp_path))]


MAKERS = {"peer": peer_step, "ours": our_step}
