"""Doubts and claims of a replay in plain words, for those who read what to believe.

A flag is `word where: detail`. In a text below, `{where}` is the operation or place it arose at,
`{detail}` all that follows the colon.
"""

CLAIMS = {
    "C1": "exact inside the recording: only answers that were recorded are used",
    "C2": "exact by recomputation: values follow from recorded ones",
    "C3": "an interval from answers of other flows: something was not recorded for this flow",
    "C4": "a simulation of load feedback: read it as qualitative",
}

WORDS = {
    "abort_scope_unconfirmed": "that {where} no longer runs once the flow is given up was never "
    "seen",
    "ambiguous_match": "several recorded calls of {where} are equally like the one made",
    "answer_of_another_key": "{where} is answered as the call with key {detail} was",
    "backoff_unlike_declared": "{where} waits otherwise before a retry than is declared",
    "beyond_seen_attempts": "{where} was never tried again after attempt {detail}",
    "beyond_seen_rounds": "{where} never had more than {detail} rounds",
    "callee_status_unknown": "the callee of {where} says that it failed, not whether with {detail}",
    "cancel_tie": "{where} may be over before {detail} calls it off, or not",
    "cancelled_answer": "{where} was called off when recorded, and is not now or only later: what "
    "it would have answered is unknown",
    "delay_unseen": "how long {where} waits before a retry was never seen",
    "donor_answer": "{where} has no recorded answer and is lent {detail}",
    "endless_loop": "{where} would be called for ever",
    "extrapolated_delay": "the wait before attempt {detail} of {where} was never seen",
    "first_tie": "which call is first is too close to say ({where})",
    "hedge_tie": "whether {detail} answers before {where} is called is too close to say",
    "impure_leaf": "flows alike in all that was recorded went different ways at {where} "
    "({detail} of them)",
    "lent_value_decides": "{where} has no answer of its own here, and its {detail}, "
    "which differs from flow to flow, decides what follows",
    "loop_after_failure_unseen": "whether {where} goes on with its list after a failure was never "
    "seen",
    "low_support": "what {where} leads to is known from too few recordings: {detail}",
    "missing_answer": "nothing recorded answers {where}",
    "never_reached": "no recording got as far as {where}",
    "never_together": "at {where}, no recording has this value beside the others: {detail}",
    "no_failure_seen": "what is done after a failure was never seen",
    "novel_failure": "no flow was seen to end, or to go on, after this failure: {detail}",
    "novel_status": "{where} was never answered {detail}: whether it is tried again is unknown",
    "novel_value": "{where} never had this value to decide by: {detail}",
    "order_tie": "two steps ended too close together to say which is undone first",
    "other_outcome": "by other answers that nobody recorded, the flow ends {detail}",
    "outcome_never_seen": "no recording ends as this flow does",
    "outside_leaf": "no recording that went this way at {where} has such a number: {detail}",
    "outside_support": "no recording has such a value of {where}: {detail}",
    "overlap_unseen": "{where} was never under way when this ended: {detail}",
    "pair_never_seen": "{where} and {detail} were never in one flow",
    "redelivered": "a broker delivered {where} again, which no program decides",
    "rival_binding": "two recorded values explain what {where} is asked, and they differ here",
    "rival_compensation": "what {where} undoes is not certain: {detail}",
    "rival_guard": "two rules explain when {where} runs, and they differ here: {detail}",
    "rival_undo_order": "two orders of undoing explain the recordings, and they differ here: "
    "{detail}",
    "set_aside": "the program does not explain {detail}",
    "threshold_gap": "the threshold of {where} lies in a gap without recordings, and so does this "
    "value: {detail}",
    "unbound_key": "where the key of {where} comes from is unknown",
    "unconfirmed_wait": "that {where} waits for {detail} was hardly ever seen",
    "undo_after_failure_unseen": "whether undoing goes on after {detail} failed was never seen",
    "undo_unseen": "whether {detail} is undone was never seen",
    "unexplained_aborts": "some flows end after {where} for reasons not recorded ({detail})",
    "unexplained_cancel": "{where} was called off for reasons not recorded in {detail} flows",
    "unexplained_delay": "how long {where} waits before a retry is not explained",
    "unexplained_wait": "what {where} waits for is not explained",
    "unreliable_guard": "whether {where} runs depends on something not recorded (right in "
    "{detail})",
    "unreliable_refusal": "which answers of {where} end the flow is not certain (right in "
    "{detail})",
    "unseen_attempt_state": "what follows when {where} fails like this was never seen: {detail} "
    "(status, attempt)",
    "unstated_wait": "{where} waits for a time that no answer states here: {detail}",
}


def in_words(flag: str) -> str:
    """Say a flag in words; one that is no word of ours stays as it is."""
    word, _, rest = flag.partition(" ")
    where, _, detail = rest.partition(": ")
    said = WORDS.get(word)
    return flag if said is None else said.format(where=where, detail=detail)
