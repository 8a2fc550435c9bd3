"""Koopman matrices: least squares, eigenvalues and their gradients, static parts."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from training import koopman
from training.koopman import correlate, decompose, keep_static, penalise, predict, solve


def randn(*shape: int, seed: int = 0) -> torch.Tensor:
    rng = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=rng, dtype=torch.float64)


def rotation(angle: float, size: float) -> torch.Tensor:
    """Return the 2 x 2 matrix whose eigenvalues are size * exp(+-i angle)."""
    c, s = size * np.cos(angle), size * np.sin(angle)
    return torch.tensor([[c, s], [-s, c]])


def known_matrix(*blocks: float | torch.Tensor, seed: int = 3) -> torch.Tensor:
    """Return a matrix of known eigenvalues (or 2 x 2 blocks) in a random basis."""
    parts = [x if torch.is_tensor(x) else torch.tensor([[x]]) for x in blocks]
    diagonal = torch.block_diag(*(part.double() for part in parts))
    basis = randn(len(diagonal), len(diagonal), seed=seed)
    return torch.linalg.solve(basis, diagonal @ basis)


def orbit(first: torch.Tensor, matrix: torch.Tensor, time: int) -> torch.Tensor:
    """Return z_1, z_1 C, z_1 C C, ..."""
    codes = [first]
    for _ in range(time - 1):
        codes.append(codes[-1] @ matrix)
    return torch.stack(codes, -2)


@pytest.mark.parametrize(("time", "k"), [(30, 4), (5, 9), (2, 6)])
def test_least_squares_of_least_norm(time: int, k: int, monkeypatch):
    """Against numpy's, with fewer frames than dimensions too, as the ridge vanishes."""
    z = randn(3, time, k)
    for ridge, tolerance in ((1e-10, 1e-5), (koopman.RIDGE, 0.1)):
        monkeypatch.setattr(koopman, "RIDGE", ridge)
        found = solve(*correlate(z)).numpy()
        for one, clip in zip(found, z.numpy(), strict=True):
            expected = np.linalg.lstsq(clip[:-1], clip[1:], rcond=None)[0]
            assert np.abs(one - expected).max() < tolerance
    singular = np.linalg.svd(found, compute_uv=False)
    assert (singular[:, min(time - 1, k) :] < 1e-9).all()


def test_the_ridge_by_hand():
    z = randn(6, 3).numpy()
    past, present = z[:-1], z[1:]
    ridge = koopman.RIDGE * (past**2).sum() / 3
    expected = np.linalg.inv(past.T @ past + ridge * np.eye(3)) @ past.T @ present
    np.testing.assert_allclose(solve(*correlate(torch.tensor(z))), expected)


def test_sums_of_clips_never_cross_from_one_to_the_next():
    z = randn(2, 4, 3)
    gram, cross = correlate(z)
    for b in range(2):
        pairs = [(z[b, t].numpy(), z[b, t + 1].numpy()) for t in range(3)]
        np.testing.assert_allclose(gram[b], sum(np.outer(x, x) for x, _ in pairs))
        np.testing.assert_allclose(cross[b], sum(np.outer(x, y) for x, y in pairs))


@pytest.mark.parametrize("codes", [torch.zeros(2, 5, 3), torch.ones(2, 1, 3)])
def test_without_motion_or_pairs_all_is_static(codes: torch.Tensor):
    matrix = solve(*correlate(codes))
    assert not matrix.any()
    assert torch.equal(keep_static(codes, decompose(matrix, 1)), codes)


def test_a_prediction_is_one_step_from_each_frame():
    z, matrix = randn(2, 4, 3).float(), randn(3, 3, seed=1)
    ahead = predict(z, matrix)
    assert torch.equal(ahead[:, 0], z[:, 0]) and ahead.dtype == torch.float32
    for t in range(1, 4):
        torch.testing.assert_close(ahead[:, t], (z[:, t - 1].double() @ matrix).float())


def test_a_known_static_part_is_found():
    """z_t = s + d_t, where s stays and d_t turns and shrinks in other directions."""
    matrix = known_matrix(1.0, rotation(0.9, 0.8), 0.3)
    codes = orbit(randn(5, 4, seed=4), matrix, 12)
    fitted = solve(*correlate(codes))
    static = keep_static(codes, decompose(fitted, 1))
    values, vectors = np.linalg.eig(matrix.numpy())
    one = int(np.abs(values - 1).argmin())
    projection = np.outer(vectors[:, one], np.linalg.inv(vectors)[one]).real
    expected = codes[:, :1] @ torch.tensor(projection)
    # The ridge moves eigenvalues by about its size.
    torch.testing.assert_close(static, expected.expand_as(codes), atol=0.02, rtol=0.02)
    assert static.std(1).max() < 0.02 < (codes - static).std(1).max()


@pytest.mark.parametrize(
    ("static", "expected"),
    [(1, [0.9]), (2, [0.9, 1.1, 1.1]), (4, [0.9, 1.1, 1.1, 0.4, -0.5])],
)
def test_a_conjugate_pair_is_one_value(static: int, expected: list[float]):
    pair = torch.tensor([[1.1, 0.2], [-0.2, 1.1]])
    eigen = decompose(known_matrix(0.4, pair, 0.9, -0.5), static)
    chosen = eigen.values[eigen.static].real.sort().values
    torch.testing.assert_close(chosen, torch.tensor(sorted(expected)).double())
    # A whole pair has a real projection.
    z = randn(2, 6, 5)
    once = keep_static(z, eigen)
    torch.testing.assert_close(keep_static(once, eigen), once)


def test_more_static_values_than_there_are():
    z = randn(4, 3)
    torch.testing.assert_close(
        keep_static(z, decompose(known_matrix(2.0, 0.5, -1.0), 9)), z
    )


@given(st.integers(0, 10_000), st.integers(1, 4), st.integers(2, 12))
def test_static_part_is_finite_and_linear(seed: int, static: int, time: int):
    """Of anything, and the two parts add up to the codes, as they do in a swap."""
    z = randn(2, time, 6, seed=seed).float()
    eigen = decompose(solve(*correlate(z)), static)
    part = keep_static(z, eigen)
    assert part.isfinite().all()
    torch.testing.assert_close(keep_static(3 * z, eigen), 3 * part)
    alone = decompose(solve(*correlate(z[1:])), static)
    torch.testing.assert_close(keep_static(z[1:], alone), part[1:])


def brute_penalty(matrix: np.ndarray, static: int, threshold: float) -> float:
    """Return the penalty of real eigenvalues, one after the other."""
    values = sorted(np.linalg.eigvals(matrix).real, key=lambda x: abs(x - 1))
    near, far = values[:static], values[static:]
    first = sum((x - 1) ** 2 for x in near) / len(near)
    return first + sum(x for x in far if x > threshold) / len(far)


@pytest.mark.parametrize("threshold", [0.5, 0.75])
def test_the_penalty_against_brute_force(threshold: float):
    matrix = known_matrix(0.97, 1.2, 0.7, 0.6, 0.2, -0.8)
    found = penalise(decompose(matrix, 2), threshold).item()
    assert found == pytest.approx(brute_penalty(matrix.numpy(), 2, threshold))


def test_the_penalty_of_pairs_by_hand():
    pair = torch.tensor([[0.9, 0.3], [-0.3, 0.9]])
    matrix = known_matrix(pair, rotation(0.4, 0.8), 0.1)
    over = 2 * 0.8 * np.cos(0.4) / 3  # of three dynamic values, two are over 0.5
    found = penalise(decompose(matrix, 1), 0.5).item()
    assert found == pytest.approx(0.1**2 + 0.3**2 + over)


def test_the_gradient_of_the_penalty_by_differences():
    matrix = known_matrix(0.97, 1.2, rotation(0.5, 0.9), -0.3).requires_grad_()

    def value(c: torch.Tensor) -> torch.Tensor:
        return penalise(decompose(c, 2), 0.5)

    value(matrix).backward()
    step, change = 1e-6, torch.zeros(5, 5, dtype=torch.float64)
    for i in range(5):
        for j in range(5):
            shift = torch.zeros_like(change)
            shift[i, j] = step
            with torch.no_grad():
                change[i, j] = (value(matrix + shift) - value(matrix - shift)) / (
                    2 * step
                )
    torch.testing.assert_close(matrix.grad, change, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    "matrix",
    [
        torch.zeros(3, 3),
        torch.eye(3),
        torch.tensor([[0.9, 1.0, 0.0], [0.0, 0.9, 1.0], [0.0, 0.0, 0.9]]),  # defective
    ],
)
def test_gradients_are_finite_where_eigenvalues_are_equal(matrix: torch.Tensor):
    matrix = matrix.double().requires_grad_()
    penalise(decompose(matrix, 1), 0.5).backward()
    assert matrix.grad.isfinite().all()


@pytest.mark.parametrize(
    "codes",
    [torch.zeros(2, 4, 3), torch.ones(2, 4, 3), randn(2, 1, 1, seed=2).expand(2, 4, 3)],
)
def test_gradients_of_still_clips_are_finite(codes: torch.Tensor):
    z = codes.clone().requires_grad_()
    matrix = solve(*correlate(z))
    (penalise(decompose(matrix, 1), 0.5).sum() + predict(z, matrix).sum()).backward()
    assert z.grad.isfinite().all()


def test_what_is_not_finite_stays_so_and_raises_nothing():
    """The loop tells that a training diverged; an exception of LAPACK would not."""
    z = torch.full((2, 4, 3), torch.nan, requires_grad=True)
    found = penalise(decompose(solve(*correlate(z)), 1), 0.5)
    assert not found.isfinite().any()
    found.sum().backward()


def test_autocast_changes_nothing():
    z = randn(3, 8, 5).float()

    def run() -> torch.Tensor:
        matrix = solve(*correlate(z))
        eigen = decompose(matrix, 2)
        return torch.cat([keep_static(z, eigen), predict(z, matrix)])

    plain = run()
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(run(), plain)
