"""A vector store for people: durable, sealed, reversible, and able to forget."""

from video_analyzer.feature_db.answers import Feature, Former, Identified, Match, Seen, Stats
from video_analyzer.feature_db.database import FeatureDatabase
from video_analyzer.feature_db.indexes import Tuning
from video_analyzer.feature_db.people import People
from video_analyzer.feature_db.store import FeatureStore

__all__ = [
    "Feature",
    "FeatureDatabase",
    "FeatureStore",
    "Former",
    "Identified",
    "Match",
    "People",
    "Seen",
    "Stats",
    "Tuning",
]
