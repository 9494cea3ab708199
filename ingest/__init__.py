"""Bytes in, frozen records out.

In: files, folders, standard input. Out: `store.model` records, redacted, in batches the store can
commit. Start reading at `reader.py` (what a reader is, how one is found), then `readers/`.
"""
