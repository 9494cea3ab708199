"""Latency budgets: what each step may take of a flow's limit, what it takes, what it could save.

In: flows with their critical path, a limit. Out: one `Part` per step or own work of a service.
Start reading at `budgets.latency_budget`.
"""
