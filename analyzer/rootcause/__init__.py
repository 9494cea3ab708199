"""Which service, operation, version, attribute or change an incident comes from.

In: what was recorded over an incident's window and before it (`telemetry.Case`). Out: a `Ranking`
of candidates with the parts of their evidence; it may be empty. `parts/` has one kind of evidence
each. Start reading at `rank.rank`. Nothing here is proof: `replay.confirm` tries a candidate.
"""
