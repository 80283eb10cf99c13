"""Counting people over HTTP: a still answered at once, a clip as a job with a state.

`still` looks at one picture, `pool` lets so many be looked at as there are threads, `jobs` works
on clips one after the other, `admission` bounds what lies in memory, `routes` are the calls. Who
may ask is as in the feature service. Not for live cameras (`record`), and not for faces: those
are for the analyzer of a store, which the feature service knows.
"""
