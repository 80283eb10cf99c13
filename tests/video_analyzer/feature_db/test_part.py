"""Parts against plain arithmetic, in every kind of index."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.video_analyzer.feature_db.faces import faces
from video_analyzer.feature_db import cells, indexes
from video_analyzer.feature_db.delta import Delta
from video_analyzer.feature_db.disk import Disk
from video_analyzer.feature_db.indexes import IndexKind, Tuning
from video_analyzer.feature_db.part import Part
from video_analyzer.feature_db.records import ROW, Floats, Ids, Rows
from video_analyzer.feature_db.sealed import FeatureDamage
from video_analyzer.feature_db.space import Space, View

KEY = bytes(32)
KINDS: list[IndexKind] = ["flat", "hnsw", "ivf"]
TUNINGS = {
    "flat": Tuning(flat_max=10_000),
    "hnsw": Tuning(flat_max=0, hnsw_max=10_000),
    "ivf": Tuning(flat_max=0),
}
kinds = pytest.mark.parametrize("kind", KINDS)


def some_rows(first: int, count: int) -> Rows:
    rows = np.zeros(count, ROW)
    rows["feature"] = np.arange(first, first + count)
    rows["person"] = rows["feature"] + 1_000
    return rows


def part_of(kind: IndexKind, vectors: Floats, first: int = 1) -> Part:
    tuning = TUNINGS[kind]
    index = indexes.build(kind, vectors, tuning)
    assert indexes.kind_of(index) == kind
    return Part(index, some_rows(first, len(vectors)), tuning)


def means_of(index: Any) -> dict[int, Floats]:
    """The direction of what is in each cell."""
    sums = {cell: stored.sum(axis=0) for cell, _, stored in cells.cells_of(index)}
    return {cell: total / np.linalg.norm(total) for cell, total in sums.items()}


def found_by(part: Part | Delta, queries: Floats, k: int) -> list[list[int]]:
    _, places = part.search(queries, k)
    return [[int(part.rows["feature"][p]) for p in line if p >= 0] for line in places]


def nearest(vectors: Floats, features: Ids, queries: Floats, k: int) -> list[list[int]]:
    order = np.argsort(-(queries.astype(np.float64) @ vectors.T), axis=1)[:, :k]
    return [[int(feature) for feature in features[line]] for line in order]


def agreement(found: list[list[int]], expected: list[list[int]]) -> float:
    hits = [len(set(a) & set(b)) / len(b) for a, b in zip(found, expected, strict=True)]
    return float(np.mean(hits))


@kinds
def test_the_dead_never_crowd_out_the_living(kind: IndexKind, rng: np.random.Generator) -> None:
    vectors = faces(rng, 600)
    queries = faces(rng, 50)
    part = part_of(kind, vectors)
    features = part.rows["feature"]
    # the 20 nearest of every query die, in two steps: filtering after top-k would find none
    dead = np.array(sorted({f for line in nearest(vectors, features, queries, 20) for f in line}))
    part.kill(dead[::2])
    part.kill(dead)
    assert part.dead == len(dead) < 600
    alive = ~np.isin(features, dead)
    expected = nearest(vectors[alive], features[alive], queries, 5)
    found = found_by(part, queries, 5)
    assert not {f for line in found for f in line} & set(dead.tolist())
    assert agreement(found, expected) > 0.97
    assert part.places_of(np.array([0, 601, 5])).tolist() == [4]


@kinds
def test_a_part_comes_back_from_its_file(
    kind: IndexKind, rng: np.random.Generator, tmp_path: Path
) -> None:
    vectors = faces(rng, 300)
    part = part_of(kind, vectors)
    part.kill(np.array([7, 8, 300]))
    part.write(Disk(), tmp_path / "part-1", KEY)
    again = Part.read(tmp_path / "part-1", part.written, KEY, TUNINGS[kind], part.alive.copy())
    assert (len(again), again.dead) == (300, 3)
    assert np.array_equal(again.rows, part.rows)
    assert np.array_equal(again.vectors(), vectors)
    assert found_by(again, vectors[:20], 3) == found_by(part, vectors[:20], 3)
    part.write(Disk(), tmp_path / "part-2", KEY)
    (tmp_path / "part-2").replace(tmp_path / "part-1")
    with pytest.raises(FeatureDamage):  # another file in its place
        Part.read(tmp_path / "part-1", again.written, KEY, TUNINGS[kind], part.alive)


@kinds
def test_purging_leaves_nothing_of_the_dead_and_finds_the_living(
    kind: IndexKind, rng: np.random.Generator
) -> None:
    vectors = faces(rng, 500)
    part = part_of(kind, vectors)
    dead = rng.choice(np.arange(1, 501), 45, replace=False)
    part.kill(dead)
    made = part.purged()
    kept = np.isin(part.rows["feature"], dead, invert=True)
    assert np.array_equal(made.vectors()[kept], vectors[kept])
    cosines = (made.vectors() @ vectors[~kept].T)[~kept]
    assert np.diag(cosines).max() < 0.999
    assert not made.rows["person"][~kept].any()
    assert made.rows["person"][kept].all()
    assert made.dead == 45
    assert not len(made.unpurged())
    assert np.array_equal(part.vectors(), vectors)  # the one in use was not touched
    found = found_by(made, vectors[kept], 1)
    expected = [[int(feature)] for feature in part.rows["feature"][kept]]
    assert agreement(found, expected) > 0.99
    assert made.purged() is made


@kinds
def test_more_features_come_behind_and_the_dead_stay_dead(
    kind: IndexKind, rng: np.random.Generator
) -> None:
    vectors = faces(rng, 400)
    part = part_of(kind, vectors[:300])
    part.kill(np.array([3, 4]))
    made = part.extended(some_rows(301, 100), vectors[300:])
    assert (len(made), made.dead, len(part)) == (400, 2, 300)
    assert np.array_equal(made.vectors(), vectors)
    found = found_by(made, vectors, 1)
    expected = [[feature] for feature in range(1, 401)]
    assert agreement(found[4:], expected[4:]) > 0.99
    assert not {3, 4} & {f for line in found for f in line}


@kinds
def test_building_anew_drops_the_dead(kind: IndexKind, rng: np.random.Generator) -> None:
    vectors = faces(rng, 300)
    part = part_of(kind, vectors)
    part.kill(np.arange(1, 101))
    made = part.rebuilt()
    assert made is not None
    assert (len(made), made.dead) == (200, 0)
    assert np.array_equal(made.vectors(), vectors[100:])
    part.kill(np.arange(1, 301))
    assert part.rebuilt() is None
    assert found_by(part, vectors[:2], 3) == [[], []]


def test_centres_owe_nothing_to_the_dead(rng: np.random.Generator) -> None:
    part = part_of("ivf", faces(rng, 900))
    index = part.index
    assert index.nlist == 18
    trained = index.quantizer.reconstruct_n(0, 18)
    part.kill(np.array([5, 700]))
    made = part.purged().index
    centres = made.quantizer.reconstruct_n(0, 18)
    near = np.argsort(-(part.vectors()[[4, 699]] @ trained.T), axis=1)[:, :4]
    means = means_of(made)
    for cell in range(18):
        if cell in near:
            assert np.allclose(centres[cell], means[cell], atol=1e-5)
        else:
            assert np.array_equal(centres[cell], trained[cell])
    part.kill(np.arange(1, 301))
    built = part.rebuilt()
    assert built is not None
    assert built.index.nlist == 18  # not trained anew, but put amid what is left
    for cell, mean in means_of(built.index).items():
        assert np.allclose(built.index.quantizer.reconstruct(cell), mean, atol=1e-5)


def test_cells_are_trained_anew_when_they_are_too_few_or_too_many(
    rng: np.random.Generator,
) -> None:
    vectors = faces(rng, 2_100)
    part = part_of("ivf", vectors[:960])
    counts = [part.index.nlist]
    for start in (960, 1_920):
        fresh = vectors[start : start + 960]
        part = part.extended(some_rows(start + 1, len(fresh)), fresh)
        counts.append(part.index.nlist)
    assert counts == [20, 20, 43]  # 48 vectors a cell, until there should be twice as many
    assert np.array_equal(part.vectors(), vectors)
    part.kill(np.arange(1, 1_200))
    built = part.rebuilt()
    assert built is not None
    assert built.index.nlist == 18
    found = found_by(built, vectors[1_199:], 1)
    assert agreement(found, [[n] for n in range(1_200, 2_101)]) > 0.99


@pytest.mark.parametrize("k", [1, 4])
@pytest.mark.parametrize("indexed", [(), (500, 1_000), (2_500,)])
def test_the_delta_finds_what_arithmetic_finds(
    k: int, indexed: tuple[int, ...], rng: np.random.Generator
) -> None:
    vectors = faces(rng, 2_500)
    delta = Delta(32)
    for start in range(0, 2_500, 500):
        delta.add(some_rows(1 + start, 500), vectors[start : start + 500])
        if len(delta) in indexed:
            delta.index(Tuning(flat_max=600))
    assert delta.unindexed == 2_500 - max(indexed, default=0)
    dead = np.arange(1, 2_501, 3)
    delta.kill(dead)
    delta.kill(dead)
    assert (len(delta), delta.dead) == (2_500, len(dead))
    alive = ~np.isin(delta.rows["feature"], dead)
    features = delta.rows["feature"][alive]
    queries = faces(rng, 20)
    assert found_by(delta, queries, k) == nearest(vectors[alive], features, queries, k)
    assert set(found_by(delta, queries[:1], 9_999)[0]) == set(features.tolist())
    rows, kept = delta.living()
    assert np.array_equal(kept, vectors[alive])
    assert np.array_equal(rows["feature"], features)


@pytest.mark.parametrize("k", [1, 4, 5, 6])
def test_two_deltas_are_answered_in_order(k: int, rng: np.random.Generator) -> None:
    vectors = faces(rng, 5)
    space = Space(0, "m", 32)
    first, second = Delta(32), Delta(32)
    first.add(some_rows(1, 3), vectors[:3])
    second.add(some_rows(4, 2), vectors[3:])
    space.view = View((), (first, second))
    _, rows = space.search(vectors, k)
    expected = nearest(vectors, np.arange(1, 6), vectors, k)
    padded = [line + [0] * (k - len(line)) for line in expected]
    assert rows["feature"].tolist() == padded
