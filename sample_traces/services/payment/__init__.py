"""A payment system: orders are checked, scored, reserved, charged, posted, or undone.

`payment.py` is the business flow; `versions.py` says what each release does.
"""
