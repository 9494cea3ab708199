"""What decisions were allowed to do: one detector per file.

In: a `FlowCase`. Out: findings. A detector is a module that exports `DETECTOR`; it is found by its
place, and its module's name is its id.
"""
