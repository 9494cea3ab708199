"""Versions of services, flows, models, policies and feature flags, compared with one another.

In: units of work that ran under a version (requests of a service, or whole flows) from the store.
Out: comparisons with intervals and a verdict, rollbacks and whether they helped. `observed` asks
the store; start reading at `report`.
"""
