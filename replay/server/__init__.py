"""Recorded dependencies, served over HTTP on loopback for services in any language.

In: the exchanges of recorded flows. Out: answers to whoever asks, and a report of who asked what.
Nothing is ever passed on. `wire` speaks HTTP, `routing` says whom a request is meant for,
`sessions` which flow answers, `control` is the interface for tests; start reading at `server`.
"""
