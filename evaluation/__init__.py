"""Judges, metrics and statistics: arrays in, tables of scores out.

A model is seen only through its `representation.npz` (see `docs/formats.md`), so a
baseline in another framework or language is scored by the same code.
"""
