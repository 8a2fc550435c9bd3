"""MNIST's idx files: gzip-compressed big-endian arrays of bytes.

torchvision has a reader of its own. It needs torch, which data are prepared without,
does not name a damaged file, and cannot write, which stand-ins need.
"""

import gzip
import io
import struct
from pathlib import Path

import numpy as np

from seqdis.errors import UserError
from seqdis.files import readable, write_bytes

UBYTE = 0x08


def read_idx(path: Path) -> np.ndarray:
    """Read a gzip-compressed idx file of unsigned bytes.

    Raises:
        UserError: the file is missing, damaged or of another type.
    """
    remedy = "prepare the digits again: datasets.download mnist, or datasets.embedded."
    with readable(path, remedy):
        data = gzip.decompress(path.read_bytes())
        zero, kind, rank = struct.unpack(">HBB", data[:4])
        shape = struct.unpack(f">{rank}I", data[4 : 4 + 4 * rank])
        values = np.frombuffer(data, np.uint8, offset=4 + 4 * rank).reshape(shape)
    if zero != 0 or kind != UBYTE:
        raise UserError(f"{path} is an idx file, but not of unsigned bytes.")
    return values


def write_idx(path: Path, values: np.ndarray) -> None:
    """Write uint8 values of any shape; the same values give the same file."""
    header = struct.pack(f">HBB{values.ndim}I", 0, UBYTE, values.ndim, *values.shape)
    buffer = io.BytesIO()
    # A fixed time and no file name: gzip would store them.
    with gzip.GzipFile(filename="", fileobj=buffer, mode="wb", mtime=0) as file:
        file.write(header + np.ascontiguousarray(values, np.uint8).tobytes())
    write_bytes(path, buffer.getvalue())


def read_digits(folder: Path, part: str) -> tuple[np.ndarray, np.ndarray]:
    """Read images uint8 `(n, 28, 28)` and classes uint8 `(n,)` of `train` or `t10k`.

    Raises:
        UserError: as `read_idx`, or images and labels do not match.
    """
    images = read_idx(folder / f"{part}-images-idx3-ubyte.gz")
    classes = read_idx(folder / f"{part}-labels-idx1-ubyte.gz")
    if images.shape != (len(classes), 28, 28):
        raise UserError(
            f"{folder}: {part} has images of shape {images.shape} for "
            f"{len(classes)} labels, but (labels, 28, 28) was expected."
        )
    return images, classes
