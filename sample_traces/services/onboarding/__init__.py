"""An onboarding system: applicants are checked, scored, given accounts in three systems, or none.

`onboarding.py` is the business flow; `versions.py` says what each release does; `risk_model.py`
holds both versions of the model.
"""
