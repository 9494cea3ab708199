"""The tabs of the Flows page, one file each.

In: the flows that fit the page's filters, and all in scope. Out: what one tab shows.
"""
