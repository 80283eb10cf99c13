"""What the service takes and gives, as JSON. Vectors come in; none ever goes out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, FiniteFloat

from tenpo.errors import InputError
from video_analyzer.feature_db import Feature, Seen
from video_analyzer.feature_db.declared import MAX_MODELS, Declared
from video_analyzer.feature_db.space import MAX_DIMENSION

MAX_FEATURES = 1_000
MAX_MATCHES = 100
MAX_MOVED = 10_000
_CLOCK_TOLERANCE = timedelta(minutes=5)

Model = Annotated[str, Field(min_length=1, max_length=100)]
Vector = Annotated[list[FiniteFloat], Field(min_length=1, max_length=MAX_DIMENSION)]
Cosine = Annotated[float, Field(ge=-1, le=1)]
#: Of a feature or a link, as they are kept.
Number = Annotated[int, Field(ge=0, le=2**63 - 1)]
RawId = Annotated[str, Field(pattern=r"^p_[0-9a-f]{16}$")]


class Body(BaseModel):
    """A body: unknown keys are an error, so that a typing mistake is seen."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class FormerBody(Body):
    """The same face as the model sees it that is being replaced."""

    model: Model
    vector: Vector
    threshold: Cosine | None = None


class IdentifyBody(Body):
    """Who is this, seen in a store at a time?"""

    model: Model
    vector: Vector
    store_id: str
    observed_at: AwareDatetime
    threshold: Cosine | None = None
    former: FormerBody | None = None

    def seen(self, retention_days: int) -> Seen:
        """Where and when, and until when it is kept.

        Raises:
            InputError: the time lies in the future, or longer ago than the store keeps features.
        """
        now, period = datetime.now(UTC), timedelta(days=retention_days)
        # From now, not from what was sent: there is no year 10,000, nor one before the first.
        if not now - period < self.observed_at <= now + _CLOCK_TOLERANCE:
            raise InputError(
                "the time is in the future, or longer ago than the store keeps features",
                where="observed_at",
                remedy="Set the sender's clock.",
            )
        return Seen(self.store_id, self.observed_at, self.observed_at + period)


class SearchBody(Body):
    """Which features are like this one?"""

    model: Model
    vector: Vector
    k: Annotated[int, Field(ge=1, le=MAX_MATCHES)] = 10
    threshold: Cosine = -1.0
    former: FormerBody | None = None


class FeaturesBody(Body):
    """Features by number."""

    features: Annotated[list[Number], Field(max_length=MAX_FEATURES)]


class PersonBody(Body):
    """A person, by any raw id; never in an address, which ends up in logs."""

    person: RawId


class TwoBody(Body):
    """Two people."""

    a: RawId
    b: RawId


class MovedBody(Body):
    """Raw ids whose person is another one: those that come after one, in order."""

    after: RawId | None = None
    limit: Annotated[int, Field(ge=1, le=MAX_MOVED)] = MAX_MOVED


class LinkBody(Body):
    """A link between two raw ids, by number."""

    link: Number


class ProposeBody(Body):
    """Who may be one?"""

    model: Model
    threshold: Cosine


class SuccessionBody(Body):
    """One model replaces another."""

    former: Model
    model: Model


class SightingsBody(SuccessionBody):
    """Where were those seen in a store who wait?"""

    store_id: str
    after: AwareDatetime
    limit: Annotated[int, Field(ge=1, le=MAX_FEATURES)] = MAX_FEATURES


class TakeOverBody(Body):
    """A face of a recorded picture, as both models see it."""

    model: Model
    vector: Vector
    former: FormerBody
    store_id: str
    observed_at: AwareDatetime


class ModelsBody(Body):
    """All models that devices may use."""

    models: Annotated[list[Declared], Field(max_length=MAX_MODELS)]


class ModelsAnswer(BaseModel):
    """All models that devices may use, each with its threshold."""

    models: list[Declared]


class IdentifiedAnswer(BaseModel):
    """Who it is."""

    raw_id: str
    person: str
    score: float | None
    is_new: bool


class FeatureAnswer(BaseModel):
    """A feature without its vector."""

    feature: int
    raw_id: str
    person: str
    model: str
    store_id: str
    observed_at: datetime
    expires_at: datetime

    @classmethod
    def of(cls, found: Feature) -> FeatureAnswer:
        """The answer for one feature."""
        seen = found.seen
        return cls(
            feature=found.feature, raw_id=found.raw_id, person=found.person, model=found.model,
            store_id=seen.store_id, observed_at=seen.observed_at, expires_at=seen.expires_at,
        )  # fmt: skip


class MatchAnswer(FeatureAnswer):
    """A feature like the one that was searched for."""

    score: float


class HeldAnswer(BaseModel):
    """What is held of one person."""

    tenant: str
    person: str
    raw_ids: list[str]
    features: list[dict[str, object]]


class ErasedAnswer(BaseModel):
    """What came of an erasure; not completed while files hold the person that are not our own."""

    is_complete: bool
    features: int
    digests: list[str]
    note: str
    request: str | None = None


class TwoLinkedAnswer(BaseModel):
    """A link between two raw ids."""

    link: int
    a: str
    b: str


class MovedAnswer(BaseModel):
    """The current person of raw ids; pages of another version do not belong together.

    The version is 1 where the tenant never had a person.
    """

    version: int
    moved: dict[str, str]


class ProposalAnswer(BaseModel):
    """Two people who may be one."""

    a: str
    b: str
    score: float
    pairs: int


class ProposalsAnswer(BaseModel):
    """The newest proposals, best first; none were ever made where `made_at` is missing."""

    made_at: datetime | None = None
    model: str = ""
    threshold: float | None = None
    proposals: list[ProposalAnswer] = []


class SpaceAnswer(BaseModel):
    """The features of one version of a model."""

    model: str
    dimension: int
    living: int
    dead: int
    in_delta: int
    parts: list[tuple[str, int]]


class NewcomersAnswer(BaseModel):
    """New persons of a store since the service started, and how many more it may make now."""

    model_config = ConfigDict(from_attributes=True)

    room: float
    made: int
    refused: int


class StatsAnswer(BaseModel):
    """A tenant's features in numbers."""

    tenant_id: str
    persons: int
    log_segments: int
    bytes_on_disk: int
    spaces: list[SpaceAnswer]
    newcomers: dict[str, NewcomersAnswer] = {}


class ProgressAnswer(BaseModel):
    """Persons of the former model, those who wait, and when the last of them will have expired."""

    former: str
    model: str
    persons: int
    waiting: int
    over_at: datetime | None


class SightingsAnswer(BaseModel):
    """Moments at which those were seen who wait, oldest first; there are more if it is full."""

    observed_at: list[datetime]


class CountAnswer(BaseModel):
    """How many."""

    count: int


class LinkAnswer(BaseModel):
    """The number of a link, to split it again."""

    link: int


class DoneAnswer(BaseModel):
    """It is done and durable."""

    done: bool = True
