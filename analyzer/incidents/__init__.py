"""Time windows with symptoms, the flows they touched, and when they were over.

In: flows judged good or bad over time. Out: `Window`: impact start, detection, mitigation and
recovery as behaviour shows them, None where it does not. `find` finds windows by burn rate,
`impact` says how far one reached, `changes` what was made different around it. `cases` puts what
was recorded of a window and before it together for `analyzer.rootcause`.
"""
