"""Recorded exchanges held against OpenAPI files, and such files against each other.

In: OpenAPI 3.0 and 3.1 files (untrusted), exchanges from the store. Out: results with counts,
callers and evidence. `file` reads a file, `api` its operations, `schemas` its schemas; `observed`
asks the store, `verify` compares (start there); `drift` compares bodies of two windows, `compare`
two versions of a file.
"""
