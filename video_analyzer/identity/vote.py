"""One feature of the faces of a track: those that agree with each other, the better the heavier.

A track that jumped from one person to another, or a face of somebody behind, makes faces that
disagree; then there is no feature, rather than one between two people.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from video_analyzer.faces.face import Floats


@dataclass(frozen=True)
class Vote:
    """What a track's faces come to.

    Args:
        vector: of length 1.
        members: which faces agree.
    """

    vector: Floats
    members: tuple[int, ...]


def vote(features: Floats, qualities: Floats, threshold: float) -> Vote | None:
    """The feature that most faces agree on; None where no more than half of their weight does.

    Args:
        features: (n, d), of length 1; at least one.
        qualities: (n,), their weights.
        threshold: cosine from which on two faces are of one person.
    """
    agree = features @ features.T >= threshold
    np.fill_diagonal(agree, val=True)
    weights = agree @ qualities
    members = np.flatnonzero(agree[int(np.argmax(weights))])
    if 2 * float(qualities[members].sum()) <= float(qualities.sum()):
        return None
    return Vote(weighted_mean(features[members], qualities[members]), tuple(members.tolist()))


def weighted_mean(features: Floats, weights: Floats) -> Floats:
    """Their mean direction, of length 1.

    Args:
        features: (n, d), of length 1.
        weights: (n,).
    """
    mean = weights @ features
    found: Floats = (mean / np.linalg.norm(mean)).astype(np.float32)
    return found
