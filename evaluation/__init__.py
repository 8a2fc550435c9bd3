"""Judges, swaps, probes, axis metrics, pictures and statistics: arrays in, rows out.

A model is seen only through its `representation.npz` (see `docs/formats.md`), so a
baseline in another framework or language is scored by the same code.
"""
