"""The reliability scorecard: how fast, how sound, how soon well again, how well governed.

In: the facts of flows, their sagas, decisions, incidents, releases. Out: metrics per scope (all
flows, a flow kind, a service, an owning team), each with its count, its interval, its unknown share
and the flows behind it. Start reading at `card.scorecard`; `metric.DEFINITIONS` says what each is.
"""
