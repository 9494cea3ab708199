"""The tabs of the Trace page, one file each.

In: the page's data. Out: what one tab shows. Start reading at `timeline.py`.
"""
