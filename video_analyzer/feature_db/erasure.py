"""Erasing a person: from memory, index, log, snapshots and identity log, with a proof.

    look      the scan must find the person: what cannot be found cannot be shown to be gone
    unlink    a durable request, to take the raw ids out of the visits (`tenpo.erasure`)
    note      a proof file, with digests for ids, says what was begun
    commit    the person dies in memory and log, and stays dead over a restart
    purge     a checkpoint writes anew what held the person and deletes what was before
    look      the scan must find nothing; the proof file says so

After a crash the next opening finishes what was begun. Blocks that a disk has given free
are not overwritten: they are sealed, and go for good with the tenant's key. Visits lie
elsewhere: the warehouse does what was asked, and has a proof of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from tenpo.errors import IntegrityError
from tenpo.failpoint import failpoint
from tenpo.identifiers import micros
from video_analyzer.feature_db.commit import Draft
from video_analyzer.feature_db.declared import DECLARED_FILE
from video_analyzer.feature_db.disk import Disk
from video_analyzer.feature_db.document import draft_of, told
from video_analyzer.feature_db.identity import Kind, person_number, person_text
from video_analyzer.feature_db.proposals import forget_proposals
from video_analyzer.feature_db.records import Erased, Floats, Ids
from video_analyzer.feature_db.scan import SAME, Finding, ScanReport, scan
from video_analyzer.feature_db.space import Space

if TYPE_CHECKING:
    from video_analyzer.feature_db.store import FeatureStore

PROOF_FOLDER = "proof"
_MORE_TRIES = 2
_PROOF_REMEDY = "Restore it from a backup, or set it aside: nothing else needs it once it is done."


@dataclass(frozen=True)
class Proof:
    """What is kept of an erasure.

    Args:
        tenant_id: the tenant.
        digests: of the raw ids, keyed, as in the identity log.
        begun_at: when it was asked for.
        completed_at: when nothing was left; None while it is not so.
        features: that were erased.
        found_before: where the scan found the person before.
        found_after: and after.
        files_scanned: after.
        twins: features of which another person's living feature is the same (a picture that
            was taken up twice): these were erased, but the scan cannot tell the two apart.
        note: what is still to be done, or how it was completed.
        request: to take the ids out of visits; `tenpo.erasure` says how it stands.
    """

    tenant_id: str
    digests: tuple[str, ...]
    begun_at: datetime
    completed_at: datetime | None
    features: int
    found_before: tuple[Finding, ...] = ()
    found_after: tuple[Finding, ...] = ()
    files_scanned: int = 0
    twins: int = 0
    note: str = ""
    request: str | None = None


Unlink = Callable[[Sequence[str]], str | None]


def erase(store: FeatureStore, person: str, *, unlink: Unlink | None = None) -> Proof:
    """Forget who this person is now, with all raw ids and features.

    Args:
        store: the tenant's features.
        person: any raw id of the person.
        unlink: asks durably that the raw ids be taken out of the visits, and gives the request's
            id; it comes first.

    Returns:
        The proof; not completed where files hold the person that are not the database's own,
        such as exports, which the proof names.

    Raises:
        UnknownReference: there is no such person, or it was erased before.
        IntegrityError: the scan does not find what it must find; nothing was erased.
        ServiceError: the disk refused; what was begun is finished by the next try or opening.
    """
    with store.copying:
        return _erase(store, person_number(person), unlink)


def _erase(store: FeatureStore, number: int, unlink: Unlink | None) -> Proof:
    store.identity.require(number)
    members = np.array(sorted(store.identity.members(number)), np.int64)
    texts = [person_text(int(member)) for member in members]
    vectors = [space.every_vector(members) for space in store.state.spaces]
    before = _look(store, texts, vectors)
    if not any(finding.what == "id" for finding in before.findings):
        raise IntegrityError(
            "the scan does not find the person before the erasure",
            where=store.tenant_id,
            remedy="Run `tenpo features verify`: nothing was erased.",
        )
    request = unlink(texts) if unlink is not None else None
    failpoint("features.erasure_asked")
    proof = Proof(
        store.tenant_id, tuple(_digests(store, members)), datetime.now(UTC), None,
        sum(map(len, vectors)), before.findings, note="begun", request=request,
    )  # fmt: skip
    _write(store, proof)
    failpoint("features.erasure_noted")
    _forget(store, members, proof.begun_at)
    failpoint("features.erasure_committed")
    _forget_documents(store)
    store.checkpoint(purge=True)
    alone = [_without_twins(*pair) for pair in zip(store.state.spaces, vectors, strict=False)]
    after = _look(store, texts, alone)
    proof = replace(proof, twins=sum(map(len, vectors)) - sum(map(len, alone)))
    proof = _completed(proof, after)
    _write(store, proof)
    return proof


def _without_twins(space: Space, vectors: Floats) -> Floats:
    """Those vectors that no living feature equals."""
    if not len(vectors):
        return vectors
    scores, _ = space.search(vectors, 1)
    return vectors[scores[:, 0] <= SAME]


def _look(store: FeatureStore, texts: Sequence[str], vectors: Sequence[Floats]) -> ScanReport:
    """One scan a dimension, at least one for the ids."""
    wanted = [found for found in vectors if len(found)] or [np.empty((0, 1), np.float32)]
    with store.writer.files_kept:
        reports = [_scan(store, texts, found) for found in wanted]
    findings = {finding for report in reports for finding in report.findings}
    return ScanReport(
        tuple(sorted(findings, key=lambda f: (f.file, f.what, f.form))),
        tuple(sorted({name for report in reports for name in report.unreadable})),
        reports[0].files,
        sum(report.bytes_read for report in reports),
    )


def _scan(store: FeatureStore, texts: Sequence[str], vectors: Floats) -> ScanReport:
    """A scan; again if it met a batch that was just being written."""
    report = scan(store.folder, store.key, texts, vectors)
    for _ in range(_MORE_TRIES if report.unreadable else 0):
        report = scan(store.folder, store.key, texts, vectors)
    return report


def _forget(store: FeatureStore, members: Ids, at: datetime) -> None:
    def plan(draft: Draft) -> None:
        for member in members.tolist():
            store.identity.require(member)
        digests = [store.identity.digest(member) for member in members.tolist()]
        draft.records.append(Erased(members))
        for digest in digests:
            draft.tell(micros(at), Kind.ERASE, digest)

    store.commit(plan, alone=True)


def _forget_documents(store: FeatureStore) -> None:
    """Delete what may name the person, and what a crash left half written: nobody can read that."""
    forget_proposals(store.disk, store.folder)
    with told(DECLARED_FILE):
        store.disk.remove([store.folder / draft_of(DECLARED_FILE)])


def _completed(proof: Proof, after: ScanReport) -> Proof:
    proof = replace(proof, found_after=after.findings, files_scanned=after.files)
    if after.clean:
        return replace(proof, completed_at=datetime.now(UTC), note="scanned")
    left = sorted({finding.file for finding in after.findings} | set(after.unreadable))
    return replace(proof, note=f"delete or look into: {', '.join(left)}")


def finish_erasures(store: FeatureStore) -> None:
    """Finish the erasures that a crash cut short."""
    open_proofs = [proof for proof in read_proofs(store.folder) if proof["note"] == "begun"]
    if store.state.to_purge:
        _forget_documents(store)
        store.checkpoint(purge=True)
    for found in open_proofs:
        path = _path(store.folder, found["digests"])
        if all(store.identity.was_erased(int(digest)) for digest in found["digests"]):
            done = {"completed_at": datetime.now(UTC), "note": "finished at the next opening"}
            _put(store.disk, path, found | done)
        else:
            store.disk.remove([path])  # the crash came before anything was erased


def read_proofs(folder: Path) -> list[dict[str, Any]]:
    """The proofs in a tenant's folder.

    Raises:
        IntegrityError: one is damaged.
    """
    return [_read(path) for path in sorted((folder / PROOF_FOLDER).glob("*.json"))]


def _digests(store: FeatureStore, members: Ids) -> list[str]:
    return [str(store.identity.digest(int(member))) for member in members]


def _write(store: FeatureStore, proof: Proof) -> None:
    with told("proof"):
        store.disk.make_folder(store.folder / PROOF_FOLDER)
    _put(store.disk, _path(store.folder, proof.digests), asdict(proof))


def _path(folder: Path, digests: Sequence[str]) -> Path:
    return folder / PROOF_FOLDER / f"{digests[0].removeprefix('-')}.json"


def _put(disk: Disk, path: Path, proof: dict[str, Any]) -> None:
    """Write a proof, with a sum below it; it can be read when the tenant's key is gone."""
    data, draft = orjson.dumps(proof), path.with_suffix(".draft")
    with told("proof"):
        draft.unlink(missing_ok=True)
        handle = disk.create(draft)
        try:
            disk.write(handle, data + b"\n" + sha256(data).hexdigest().encode())
            disk.sync(handle)
        finally:
            disk.close(handle)
        disk.replace(draft, path)


def _read(path: Path) -> dict[str, Any]:
    data, _, told_sum = path.read_bytes().partition(b"\n")  # JSON as we write it has no line break
    # Proofs from before 2026-11 have no sum.
    if told_sum not in (b"", sha256(data).hexdigest().encode()):
        raise IntegrityError("a proof is damaged", where=path.name, remedy=_PROOF_REMEDY)
    try:
        found: dict[str, Any] = orjson.loads(data)
    except ValueError:
        raise IntegrityError("a proof is damaged", where=path.name, remedy=_PROOF_REMEDY) from None
    return found
