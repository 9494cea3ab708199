"""One kind of evidence each: a module exports `PART`, found by its place.

In: a case. Out: how strongly each service is pointed at, from 0 to 1, with what was counted.
"""
