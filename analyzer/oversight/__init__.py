"""Decisions joined with what became of them, and what is measured of them.

In: flows with their decisions. Out: `Joined`, one per decision (`joined`), and of these the metrics
of AI governance (`report`; one file each in `metrics/`), the answers a policy would have given
(`backtest`), and the map from metrics to clauses of regulation (`regulation`). Definitions are
those of notes on observability, section 4.2; the source of each formula stands in its file.
"""
