"""Tries whether a suspect caused an incident: its answers from before are swapped in.

In: flows and the window of an incident. Out: `Trial`s, and of each suspect a `Confirmation`. Each
service the flows called is swapped in turn, all else left as recorded, so that every service is the
placebo of all others: an intervention on the recorded flows, after Pearl's do(). `symptoms` says
what must go, `world` swaps and replays, `trial` counts and judges. Start at `trial.confirm`.
"""

from replay.confirm.trial import Confirmation, Swap, Trial, confirm, judged

__all__ = ["Confirmation", "Swap", "Trial", "confirm", "judged"]
