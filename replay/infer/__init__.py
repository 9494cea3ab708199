"""Recordings of one flow kind in, its program out.

Start reading at `learn.py`; `program.py` is what comes out; every other file is one construct.
"""
