"""Service level objectives over flows: how good, how much budget is left, who spent it.

In: OpenSLO files and the facts of flows. Out: SLIs with their coverage, burn rates and alert
states, a ledger of the budget, back-tests of alerts. Start reading at `evaluate.report`.
"""
