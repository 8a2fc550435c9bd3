"""Posteriors of earlier clips: which are kept, and that a state holds them."""

import pytest
import torch

from training.clip_queue import ClipQueue
from training.contract import Context


def context(step: int, sequences: list[int]) -> Context:
    return Context(step, torch.Generator(), torch.tensor(sequences))


def posteriors(n: int, first: float = 0.0) -> tuple:
    """Return posteriors of n clips of 2 frames whose numbers tell the clips apart."""
    numbers = first + torch.arange(float(n))
    f, z = numbers[:, None].expand(n, 2), numbers[:, None, None].expand(n, 2, 3)
    return (f, -f), (z + 0.25, z + 0.5)


def fill(queue: ClipQueue, steps: range, n: int = 3) -> list[list[int]]:
    """Put n clips into it each step, of sequences n * step + k; return what it gave."""
    found = []
    for step in steps:
        own = [n * step + k for k in range(n)]
        (f, of_f), (z, of_z), of = queue.extend(
            *posteriors(n, own[0]), context(step, own)
        )
        assert of[:n].tolist() == own
        assert torch.equal(f, of[:, None].expand(-1, 2).float())
        assert torch.equal(of_f, -f)
        assert torch.equal(z, f[:, :1, None].expand(-1, 2, 3) + 0.25)
        assert torch.equal(of_z, z + 0.25)
        found.append(of.tolist())
    return found


def test_the_last_clips_are_kept():
    found = fill(ClipQueue(7, 2, 3, 2), range(4))
    assert found[0] == [0, 1, 2]
    assert found[1][3:] == [0, 1, 2]
    # A step's own clips take the rows of the oldest, which it no longer sees.
    assert sorted(found[2][3:]) == [2, 3, 4, 5]
    assert sorted(found[3][3:]) == [5, 6, 7, 8]


@pytest.mark.parametrize(("size", "kept"), [(0, []), (2, []), (3, []), (6, [3, 4, 5])])
def test_a_queue_may_be_shorter_than_a_batch(size: int, kept: list[int]):
    assert fill(ClipQueue(size, 2, 3, 2), range(3))[2] == [6, 7, 8, *kept]


def test_only_the_clips_of_the_batch_have_a_gradient():
    queue = ClipQueue(7, 2, 3, 2)
    fill(queue, range(1))
    q_f, q_z = posteriors(3)
    mu = q_f[0].clone().requires_grad_()
    all_f, _, _ = queue.extend((mu, q_f[1]), q_z, context(1, [3, 4, 5]))
    all_f[0].sum().backward()
    assert torch.equal(mu.grad, torch.ones(3, 2)) and not queue.rows.requires_grad


def test_a_step_can_be_taken_again_and_the_first_one_starts_anew():
    queue = ClipQueue(7, 2, 3, 2)
    fill(queue, range(3))
    assert fill(queue, range(2, 3)) == fill(queue, range(2, 3))
    assert fill(queue, range(1)) == [[0, 1, 2]]


def test_a_state_holds_the_queue():
    """A killed training resumes with the same clips."""
    one, two = ClipQueue(7, 2, 3, 2), ClipQueue(7, 2, 3, 2)
    fill(one, range(2))
    two.load_state_dict({k: v.clone() for k, v in one.state_dict().items()})
    assert fill(one, range(2, 5)) == fill(two, range(2, 5))


def test_clips_of_no_training_sequence_are_not_kept():
    queue = ClipQueue(7, 2, 3, 2)
    queue.extend(*posteriors(3), context(0, [-1, -1, -1]))
    assert queue.extend(*posteriors(3), context(1, [0, 1, 2]))[2].tolist() == [0, 1, 2]
