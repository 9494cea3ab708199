"""A small real payment system whose recordings are retrospan's sample incidents.

In: a fault plan (`plans/NAME.toml`). Out: `traces.jsonl.gz`, `logs.jsonl.gz`,
`decisions.jsonl.gz` and `expected.toml` of one sample.

Start reading at `record.py`, which starts every service as its own process;
`payment.py` is the business flow; `versions.py` says what each release does.
"""
