"""One file that carries an incident: data, recordings, settings, objectives, report, digests.

In: a store and an incident, or a bundle from elsewhere. Out: a zip with the same bytes for the same
data, or a folder with a store that was built again from it. Both ends do the same work
(`rebuilt.rebuild_incident`) and compare what came out. `container.py` is what meets bytes from
strangers. Start reading at `writing.py` and `opening.py`.
"""
