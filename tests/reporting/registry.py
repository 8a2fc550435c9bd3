"""The registry of fabricated results: the suite's own."""

from evaluation.metrics import load_modules, registered

METRICS = registered(load_modules())
