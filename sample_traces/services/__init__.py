"""Small real systems whose recordings are retrospan's sample incidents.

In: a fault plan (`SYSTEM/plans/NAME.toml`). Out: `traces.jsonl.gz`, `logs.jsonl.gz`,
`decisions.jsonl.gz` and `expected.toml` of one sample.

Start reading at `record.py`, which starts every service as its own process. Each system is a
package of its own (`payment`, `onboarding`, `enrichment`); the modules beside them are shared.
"""
