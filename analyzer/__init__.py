"""Questions in, answers with evidence out.

In: recorded spans, logs, decisions. Out: flows, saga verdicts, findings. Start reading at
`assign/` (which spans make which flow), `derive/` (one flow's spans become steps), then one folder
per kind of question.
"""
