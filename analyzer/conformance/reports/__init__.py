"""One file per report: `NAME.py` exports `REPORT`, the `.sql` beside it are its questions.

In: rows of the questions and the declared rules. Out: an `Answer`. Start reading at
`allowed_calls`, the shortest.
"""
