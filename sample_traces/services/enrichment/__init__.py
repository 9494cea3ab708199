"""An enrichment system: companies are looked up, classified by a model, written, and indexed.

Nobody leads: each service takes a message from a queue, does its part and sends the next one.
`broker.py` is the queue; `messages.py` is how services use it.
"""
