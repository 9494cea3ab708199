"""What the decisions of AI models cost: tokens, money, time, per flow and per successful flow.

In: decisions with their usage, a versioned price file. Out: costs that are known, and how many are
not: an unknown model has an unknown price, never a price of 0. Start reading at `spent.spending`.
"""
