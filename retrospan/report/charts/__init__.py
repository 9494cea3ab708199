"""One file per drawing of the post-mortem.

In: facts of an incident and the evidence log. Out: a `Chart`, whose table says in numbers what the
drawing shows. `drawing.py` holds what all of them share.
"""
