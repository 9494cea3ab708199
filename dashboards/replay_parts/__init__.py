"""The parts of the Replay page, one file each.

In: a flow and a what-if. Out: what one part of the page shows.
"""
