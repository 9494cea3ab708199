"""Recorded exchanges in the formats of mocking tools, one module each, found by its place.

In: the exchanges of one flow. Out: the text of a file. A module exports `MOCK`.
"""

from replay.mocks.mock import Mock, mocks

__all__ = ["Mock", "mocks"]
