"""How flows meet failure: one detector per file.

In: a `FlowCase`, or a `PopulationCase` with answers to the stored questions (`.sql`) beside the
detector. Out: findings. A detector is a module that exports `DETECTOR`; it is found by its place,
and its module's name is its id.
"""
