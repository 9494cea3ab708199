"""Intervals and tests over counts and samples, as closed formulae with their sources.

In: counts or numbers. Out: intervals and p-values as floats of the same bits for the same input.
`proportions` has shares and their differences, `tables` two-by-two tables and control of the false
discovery rate, `quantiles` order statistics, `ranks` the comparison of two samples.
"""
