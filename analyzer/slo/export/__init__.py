"""SLOs for other tools: Prometheus rules, a Grafana dashboard, current counts as metrics.

In: SLOs, and for the counts their timelines. Out: plain values to be written as YAML, JSON or text.
"""
