"""Training steps of other people's code beside ours; needs `SEQDIS_PEERS`.

`SEQDIS_PEERS=~/checkouts make bench`, one core. float32 to float32 is what our code
gains; a peer in bfloat16 beside ours in bfloat16 as well; the rest is hardware.
"""

import os
import warnings
from pathlib import Path

import pytest
import torch

from tests.benchmarks.peers import PEERS, importing, our_step, peer_step, time_in_turns
from tests.models.test_contract import CPU
from training.device import has_fast_bfloat16

torch.set_num_threads(1)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("name", PEERS)
def test_peer_step(benchmark, name, precision):
    peers = os.environ.get("SEQDIS_PEERS")
    if not peers:
        pytest.skip("SEQDIS_PEERS names no folder with checkouts")
    checkout = Path(peers).expanduser() / name
    if not checkout.is_dir():
        pytest.skip(f"{checkout} is not there")
    if precision == "bfloat16" and not has_fast_bfloat16(CPU):
        pytest.skip("bfloat16 is slower than float32 on this processor")
    peer = PEERS[name]
    with warnings.catch_warnings(), importing(checkout, peer.paths):
        warnings.simplefilter("ignore")  # they are of older versions of torch
        steps = {"peer": peer_step(peer, precision), "ours": our_step(peer, precision)}
        milliseconds = time_in_turns(steps)
        benchmark.pedantic(steps["ours"], rounds=1)
    ratio = milliseconds["peer"] / milliseconds["ours"]
    benchmark.extra_info.update(milliseconds, ratio=ratio)
