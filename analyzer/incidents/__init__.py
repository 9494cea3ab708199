"""Time windows with symptoms, the flows they touched, and when they were over.

In: flows, verdicts, findings. Out: `Incident`. Nothing is here yet: incidents are declared by a
person or come with a sample.
"""
