"""Histories of durable workflow engines become spans.

In: the decoded events of one run. Out: a root span for the workflow, one span per activity, timer,
child workflow. Start reading at `workflow.py`; `states.py` is the same for AWS Step Functions.
"""
