"""Replays histories with a team's own workflows, inside its own interpreter, which has temporalio.

In: histories, one message each. Out: the word of Temporal's Replayer, the commands the history
recorded, the commands the code issued. Then, when asked to drive, jobs in and commands out, one
activation each. Nothing is judged here. Python 3.10 and temporalio are all it needs. Start reading
at `__main__.py`; `sdk.py` holds everything that is not Temporal's public interface.
"""

from __future__ import annotations

PROTOCOL = 1
