"""A linear map from each frame's code to the next, and the part of codes it leaves.

Codes are rows: z_t+1 = z_t C, where C is a Koopman matrix. Along a left eigenvector of
C, of eigenvalue lambda, a code is lambda times as large in the next frame: where lambda
is near 1 it stays. Everything here is computed in float64, which autocast leaves alone.
"""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Complex, Float
from torch import Tensor

# Of the mean square of a dimension: directions of less than a hundredth of the size of
# codes are taken for rounding, of which bfloat16 networks make half as much.
RIDGE = 1e-4
SMALLEST = 1e-30  # ridge of codes that are all zero
CUT = 1e-6  # of singular values of eigenvectors, so that projections stay finite

Codes = Float[Tensor, "*batch time k"]
Matrix = Float[Tensor, "*batch k k"]


def correlate(codes: Codes) -> tuple[Matrix, Matrix]:
    """Return sum_t z_t' z_t and sum_t z_t' z_t+1 of each clip; 0 of a single frame."""
    z = codes.double()
    past, present = z[..., :-1, :], z[..., 1:, :]
    return past.mT @ past, past.mT @ present


def solve(gram: Matrix, cross: Matrix) -> Matrix:
    """Return the matrix C of least squares |Z_1:T-1 C - Z_2:T|^2, with a small ridge.

    With fewer frames than dimensions many matrices fit; the ridge chooses the one of
    the least norm, which maps what no frame shows to 0. Without frames C is 0.

    Args:
        gram: sum of z_t' z_t over frames that have a next one.
        cross: sum of z_t' z_t+1.
    """
    scale = gram.diagonal(dim1=-2, dim2=-1).mean(-1)
    ridge = (RIDGE * scale).clamp(min=SMALLEST)[..., None, None]
    eye = torch.eye(gram.shape[-1], dtype=gram.dtype, device=gram.device)
    # Unchecked: of codes that are not finite there is no C, and the loop tells so.
    return torch.linalg.solve_ex(gram + ridge * eye, cross)[0]


def predict(codes: Codes, matrix: Matrix) -> Codes:
    """Return what C says of each frame given the one before; the first as it is."""
    ahead = codes[..., :-1, :].double() @ matrix
    return torch.cat([codes[..., :1, :], ahead.to(codes.dtype)], -2)


class Eigen(NamedTuple):
    """The eigenvalues of a Koopman matrix, and which of them are near 1.

    Attributes:
        values: eigenvalues.
        static: those that are nearest to 1.
        right: right eigenvectors, in columns.
        left: left eigenvectors, in rows: the inverse of `right`, as far as it has one.
    """

    values: Complex[Tensor, "*batch k"]
    static: Bool[Tensor, "*batch k"]
    right: Complex[Tensor, "*batch k k"]
    left: Complex[Tensor, "*batch k k"]


def decompose(matrix: Matrix, static: int) -> Eigen:
    """Return eigenvalues and eigenvectors, computed on the CPU: small, one by one.

    Only eigenvalues have a gradient, that of first-order perturbation: d lambda = left
    dC right. It is finite also where eigenvalues are equal.

    Args:
        matrix: C.
        static: how many values are static, where a conjugate pair counts as one and
            values that are equally far from 1 are taken together.
    """
    with torch.no_grad():
        # What is not finite has no eigenvalues, and the loop tells of it.
        finite = matrix.nan_to_num(0, 0, 0).cpu()
        values, right = torch.linalg.eig(finite)
        left = torch.linalg.pinv(right, rtol=CUT)
        away = (values - 1).abs()
        units = away.masked_fill(values.imag < 0, torch.inf).sort(-1).values
        last = min(static, units.shape[-1]) - 1
        near = away <= units[..., last : last + 1]
        near, right, left = (x.to(matrix.device) for x in (near, right, left))
    products = left @ matrix.to(right.dtype) * right.mT
    return Eigen(products.sum(-1), near, right, left)


def keep_static(codes: Codes, eigen: Eigen) -> Codes:
    """Return the part of codes along the static eigenvectors."""
    projection = (eigen.right * eigen.static[..., None, :]) @ eigen.left
    return (codes.double() @ projection.real).to(codes.dtype)


def penalise(eigen: Eigen, threshold: float) -> Float[Tensor, " *batch"]:
    """Return how far static eigenvalues are from 1 and dynamic ones from below it.

    The mean of |lambda - 1|^2 of the static ones, and the mean of the dynamic ones'
    real part where it is over `threshold`, 0 where it is not.
    """
    values, static = eigen.values, eigen.static
    far = (values.real - 1).square() + values.imag.square()
    over = values.real * (values.real > threshold)
    count = static.sum(-1)
    rest = (static.shape[-1] - count).clamp(min=1)
    return (far * static).sum(-1) / count + (over * ~static).sum(-1) / rest
