"""One file per section of the post-mortem.

Each has `section(facts, log) -> Section`; `retrospan.report.build` puts them in order. Wording is
blameless: flows, services and versions act, people do not appear.
"""
