"""Metrics of decisions: one file each, found by its place; it exports `METRIC`.

In: a `Case`. Out: one or more `Measure`, each with n, interval and what is unknown.
"""
