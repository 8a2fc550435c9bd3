"""Scores of single code columns against factors. Formulas: docs/metrics.md."""
