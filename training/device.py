"""Where and how precisely to compute."""

import os
from contextlib import AbstractContextManager, nullcontext

import torch

from training.lease import lease
from training.run_json import processor


def pick() -> torch.device:
    """Return the GPU this job may use, else the CPU; make the run deterministic."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    # The same as use_deterministic_algorithms, which imports a compiler: two seconds.
    torch.set_deterministic_debug_mode("warn")
    # That mode also fills new memory with NaN, 7 to 9 % of a step; nothing reads it.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.backends.cudnn.benchmark = False
    if os.environ.get("SEQDIS_DEVICE") == "cpu" or not torch.cuda.is_available():
        return torch.device("cpu")
    devices = torch.cuda.device_count()
    chosen = torch.device("cuda", lease(devices) if devices > 1 else 0)
    torch.cuda.set_device(chosen)
    return chosen


def has_fast_bfloat16(device: torch.device) -> bool:
    """Tell whether bfloat16 beats float32 here.

    CUDA from capability 8.0 on, CPUs with AMX or AVX512-BF16 (1.3 to 1.9 times).
    """
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device)[0] >= 8
    # Private names of torch: where one is gone, float32 is only slower.
    names = ("_is_amx_tile_supported", "_is_avx512_bf16_supported")
    return any(getattr(torch.cpu, name, bool)() for name in names)


def dtype(device: torch.device, precision: str = "auto") -> torch.dtype:
    """Return the type of convolutions and products: `precision` or the faster one."""
    if precision == "auto":
        return torch.bfloat16 if has_fast_bfloat16(device) else torch.float32
    return getattr(torch, precision)


def autocast(
    device: torch.device, precision: str = "auto"
) -> AbstractContextManager[object]:
    """Return a context that runs convolutions and products in bfloat16 where it pays.

    Args:
        device: where the computation runs.
        precision: `auto`, `float32` or `bfloat16`.
    """
    if dtype(device, precision) == torch.float32:
        return nullcontext()
    return torch.autocast(device.type, torch.bfloat16)


def describe(device: torch.device, precision: str = "auto") -> dict[str, object]:
    """Return the hardware entry of run.json."""
    found = processor()
    if device.type == "cuda":
        found |= {"device": "cuda", "name": torch.cuda.get_device_name(device)}
    computing = str(dtype(device, precision)).removeprefix("torch.")
    return found | {"threads": torch.get_num_threads(), "dtype": computing}
