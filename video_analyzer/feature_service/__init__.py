"""The feature database as a service beside the analyzer: one process writes, others ask.

`access` says who may ask, `backend` runs the calls, `routes` are the calls, `client` is how
Python asks. Not for what the calls do (`video_analyzer.feature_db`).
"""
