"""Recording and analysing: at once or later, whole or in pieces, the same events."""

from __future__ import annotations

import os
import shutil
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import islice
from pathlib import Path

import av
import orjson
import pytest
from typer.testing import CliRunner

from tenpo.errors import InputError, IntegrityError, LakeError, ServiceError
from tenpo.identifiers import micros
from tenpo.lake import Lake
from tenpo.masters import Store
from tenpo.settings import get_settings
from tenpo.tenants import create_tenant
from tests.video_analyzer.clips import DOOR, DarkDetector, Straight, camera, picture, render
from video_analyzer.analysis import Analysis
from video_analyzer.commands import video
from video_analyzer.events import VisitEvent
from video_analyzer.offline import order_of
from video_analyzer.record.bulk import Bulk, ChunkResult
from video_analyzer.record.commands import _until
from video_analyzer.record.live import Live
from video_analyzer.record.names import chunk_name, chunk_start
from video_analyzer.record.shelf import ChunkShelf
from video_analyzer.record.spool import Spool
from video_analyzer.record.tape import Tape
from video_analyzer.source.frames import Frame, FrameSource
from video_analyzer.source.wire import Order, Outcome, TapeOrder

ROOT = bytes(range(32))
START = datetime(2025, 11, 2, 23, 59, 50, tzinfo=UTC)  # the second chunk is of another date
CHUNK_S = 10.0
#: Three people are in view when the first chunk ends, at 10 s, and one crosses the line then.
WALKS = [
    Straight(6, 14, (40, 40), (290, 40)),
    Straight(8, 12, (280, 120), (40, 120)),
    Straight(9, 24, (30, 200), (300, 200)),
    Straight(15, 19, (40, 110), (290, 110)),
]


@dataclass(frozen=True)
class Recording:
    """What was recorded, and what was told live."""

    folder: Path
    told: list[VisitEvent]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return render(tmp_path_factory.mktemp("clips") / "busy.mp4", WALKS, 25)


@pytest.fixture
def shelf(tmp_path: Path) -> ChunkShelf:
    return ChunkShelf(Lake(f"file://{tmp_path}/lake"), ROOT, camera())


def order(file: Path, spool: Path | None = None, **changes: object) -> Order:
    plain = order_of(file, camera(), DarkDetector(), micros(START))
    tape = None if spool is None else TapeOrder(folder=str(spool), chunk_s=CHUNK_S)
    return Order.model_validate(plain.model_dump() | {"tape": tape} | changes)


@pytest.fixture(scope="module")
def recording(clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """The clip as a camera that was recorded and analysed at once."""
    folder = tmp_path_factory.mktemp("recording")
    told = live(clip, folder / "spool", ChunkShelf(Lake(f"file://{folder}/lake"), ROOT, camera()))
    return Recording(folder, told)


@pytest.fixture
def recorded(recording: Recording, tmp_path: Path) -> ChunkShelf:
    """A copy of that lake."""
    shutil.copytree(recording.folder / "lake", tmp_path / "lake")
    return ChunkShelf(Lake(f"file://{tmp_path}/lake"), ROOT, camera())


def bulk(shelf: ChunkShelf) -> Bulk:
    return Bulk(shelf, camera(), DarkDetector())


def live(clip: Path, spool: Path, shelf: ChunkShelf) -> list[VisitEvent]:
    running = Live(order(clip, spool), Analysis(camera(), DarkDetector()), Spool(spool, shelf))
    return [event for found in running.events() for event in found]


def test_live_and_recorded_give_the_same_events(recording: Recording, recorded: ChunkShelf) -> None:
    told, shelf = recording.told, recorded
    assert [chunk_start(one) - micros(START) for one in shelf.chunks()] == [
        0, 10_000_000, 20_000_000]  # fmt: skip
    # each chunk by a process of its own, as it were: nothing is shared but what is in the lake
    results = [next(bulk(shelf).run()) for _ in range(3)]
    assert list(bulk(shelf).run()) == []
    assert [event for one in results for event in one.events] + bulk(shelf).finished() == told
    boundary = micros(START) + 10_000_000
    times: dict[str, list[int]] = {}
    for event in told:
        times.setdefault(event.track_id, []).append(event.occurred_us)
    across = [one for one in times.values() if min(one) < boundary < max(one)]
    assert (len(times), len(across)) == (4, 3)
    crossings = [one.kind for one in told if one.zone_id == "door"]
    assert crossings == ["enter", "exit", "enter", "enter"]


def test_a_chunk_whose_events_were_not_kept_is_analysed_again(recorded: ChunkShelf) -> None:
    def full(_result: ChunkResult) -> None:
        raise OSError("no space")

    expected = next(bulk(recorded).run())
    recorded.lake.delete(recorded.result_name(expected.chunk))
    with pytest.raises(OSError, match="no space"):
        next(Bulk(recorded, camera(), DarkDetector(), full).run())
    again = next(bulk(recorded).run())
    assert (again.chunk, again.events) == (expected.chunk, expected.events)
    assert again.events


def test_a_damaged_chunk_is_told_and_passed_over(tmp_path: Path, recorded: ChunkShelf) -> None:
    [sealed] = (tmp_path / "lake").rglob(f"{recorded.chunks()[1]}.sealed")
    data = bytearray(sealed.read_bytes())
    data[2000] ^= 1
    sealed.write_bytes(data)
    results = list(bulk(recorded).run())
    assert [one.outcome.state for one in results] == ["complete", "unreadable", "complete"]
    assert results[1].events == ()
    assert results[2].events


def test_a_chunk_whose_reader_broke_stays_open(
    recorded: ChunkShelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken(FrameSource):
        def __enter__(self) -> FrameSource:
            self._child.kill()
            return self

    first = recorded.chunks()[0]
    with monkeypatch.context() as patched:
        patched.setattr("video_analyzer.record.bulk.FrameSource", Broken)
        with pytest.raises(ServiceError, match=f"--skip {first}"):
            list(bulk(recorded).run())
        assert recorded.results() == []
        skipped = next(bulk(recorded).run(skip=[first]))
        assert (skipped.outcome.state, recorded.results()) == ("unreadable", [first])
    again = next(bulk(recorded).run(again=[first]))
    assert (again.chunk, again.outcome.frame_count) == (first, 100)
    with pytest.raises(InputError, match="no such chunk"):
        next(bulk(recorded).run(again=["other"]))


def test_with_another_key_no_chunk_counts_as_analysed(recorded: ChunkShelf) -> None:
    other = ChunkShelf(recorded.lake, bytes(32), camera())
    with pytest.raises(IntegrityError, match="TENPO_SECRET_KEY"):
        list(bulk(other).run())
    assert recorded.results() == []


def test_after_a_moved_line_open_tracks_end_and_others_begin(recorded: ChunkShelf) -> None:
    """Three are in view at the boundary; the new line is where nobody walks any more."""
    first = next(bulk(recorded).run())
    moved = DOOR.model_copy(update={"start": (20.0, 0.0), "end": (20.0, 240.0)})
    second = next(Bulk(recorded, camera(lines=[moved]), DarkDetector()).run())
    assert "changed" in second.notice
    boundary = chunk_start(second.chunk)
    before = {one.track_id for one in first.events}
    assert [one.kind for one in second.events if one.track_id in before] == ["zone_exit"] * 3
    assert not [one for one in second.events if one.zone_id == "door"]
    assert all(one.occurred_us < boundary for one in second.events if one.track_id in before)


def test_a_late_chunk_is_analysed_alone(recorded: ChunkShelf) -> None:
    """Its neighbours have gone on: nobody leaves twice."""
    late = recorded.chunks()[1]
    name = recorded._object(late)
    sealed = recorded.lake.get(name)
    recorded.lake.delete(name)
    events = [event for one in bulk(recorded).run() for event in one.events]
    recorded.lake.put(name, sealed)
    [found] = bulk(recorded).run()
    assert found.chunk == late
    exits = [one for one in (*events, *found.events) if one.kind == "zone_exit"]
    assert len({one.track_id for one in exits}) == len(exits)
    assert {one.track_id for one in found.events}.isdisjoint(one.track_id for one in events)
    begun = {one.track_id for one in found.events}
    assert begun == {one.track_id for one in found.events if one.kind == "zone_exit"}


def test_chunks_are_sealed_and_the_folder_is_left_empty(recording: Recording) -> None:
    shelf = ChunkShelf(Lake(f"file://{recording.folder}/lake"), ROOT, camera())
    assert list((recording.folder / "spool").iterdir()) == []
    kept = [one for one in (recording.folder / "lake").rglob("*") if one.is_file()]
    assert len(kept) == 3
    assert not any(b"ftyp" in one.read_bytes() for one in kept)
    assert b"ftyp" in shelf.read(shelf.chunks()[0])[:16]
    other = ChunkShelf(shelf.lake, bytes(32), camera())
    with pytest.raises(IntegrityError):
        other.read(shelf.chunks()[0])


def test_chunks_expire_with_what_was_found_in_them(recorded: ChunkShelf) -> None:
    first, second, third = recorded.chunks()
    for chunk in (first, second):
        recorded.lake.put(recorded.result_name(chunk), b"{}")
    assert recorded.expire(START + timedelta(seconds=15)) == [first, second]
    assert recorded.chunks() == [third]
    assert recorded.results() == [second], "the third begins with it"


def test_what_a_killed_recorder_leaves_is_taken_in(
    clip: Path, tmp_path: Path, shelf: ChunkShelf
) -> None:
    spool = tmp_path / "spool"
    spool.mkdir()
    with FrameSource(order(clip, spool)) as source:
        for _ in islice(source, 130):  # three seconds into the second chunk
            pass
        source._child.kill()
        source._child.wait()
    assert sorted(one.name[0] for one in spool.iterdir()) == [".", "2"]
    left = Spool(spool, shelf)
    left.recover()
    left.take_in()
    assert list(spool.iterdir()) == []
    results = list(bulk(shelf).run())
    first, second = (one.outcome for one in results)
    assert (first.state, first.frame_count) == ("complete", 100)
    assert second.frame_count >= 20  # whole seconds of it are on the disk, at least


def test_a_camera_that_dies_is_called_again(tmp_path: Path, shelf: ChunkShelf) -> None:
    """Each call gets three seconds of video, then the connection is gone."""
    walk = Straight(0, 3, (40, 120), (280, 120))
    data = render(tmp_path / "short.ts", [walk], 3).read_bytes()
    spool = tmp_path / "spool"
    spool.mkdir()
    names: list[str] = []
    with camera_at(data) as (url, calls):
        asked = {"path": url, "is_live": True, "rest_s": 0.01, "start_us": None}
        with FrameSource(order(Path(), spool, **asked), on_chunk=names.append) as source:
            for _ in source:
                if len(calls) > 3:
                    break
        assert source.outcome is None
    for name in names:
        shelf.take_in(spool / name)
    assert shelf.chunks() == sorted(names)
    assert len(names) >= 2
    results = list(bulk(shelf).run())
    assert {(one.outcome.state, one.outcome.frame_count) for one in results} == {("complete", 30)}


def test_a_lake_that_does_not_answer_ends_nothing(
    tmp_path: Path, shelf: ChunkShelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [chunk_name(micros(START) + n) for n in range(3)]
    for name in names:
        (tmp_path / name).write_bytes(bytes(100))

    def silent(_name: str, _data: bytes) -> None:
        raise LakeError("no answer")

    with monkeypatch.context() as patched:
        patched.setattr(shelf.lake, "put", silent)
        Spool(tmp_path, shelf, most_bytes=250).take_in()
    assert (shelf.chunks(), (tmp_path / names[0]).exists()) == ([], False)  # the bound holds
    (tmp_path / names[1]).write_bytes(bytes(101))
    spool = Spool(tmp_path, shelf, most_sealed=100)
    refused = pytest.raises(InputError, match="another recorder")
    with spool.held(), spool.emptied(), refused, spool.held():
        pass
    assert shelf.chunks() == [names[2]]
    assert spool.expire(START) == []
    assert spool.expire(START + timedelta(seconds=1)) == [f"{names[1]}.aside"]


def test_a_tape_takes_times_that_do_not_rise_and_ends_chunks_by_bytes(
    clip: Path, tmp_path: Path
) -> None:
    names: list[str] = []
    warned: list[str] = []
    with av.open(str(clip)) as container:
        stream = container.streams.video[0]
        tape = Tape(tmp_path, stream, micros(START), 3600, names.append, warned.append, 1000)
        packets = [one for one in container.demux(stream) if one.size][:100]
        for number, packet in enumerate(packets):
            if number in (5, 16):
                packet.pts = packet.dts = packets[number - 1].dts
            assert tape.take(packet)
        tape.close()
    assert (len(names) > 1, warned) == (True, [])
    kept = 0
    for name in names:
        with av.open(str(tmp_path / name)) as written:
            kept += sum(1 for one in written.demux(video=0) if one.size)
    assert kept == 100


def test_a_tape_keeps_the_order_of_pictures_without_decoding_times(
    clip: Path, tmp_path: Path
) -> None:
    names: list[str] = []
    with av.open(str(clip)) as container:
        stream = container.streams.video[0]
        tape = Tape(tmp_path, stream, micros(START), 3600, names.append)
        packets = [one for one in container.demux(stream) if one.size][:9]
        times = [one.pts for one in packets]
        for packet, place in zip(packets, (0, 3, 1, 2, 4, 7, 5, 6, 8), strict=True):
            packet.pts, packet.dts = times[place], None
            tape.take(packet)
        tape.close()
    with av.open(str(tmp_path / names[0])) as written:
        shown = [one.pts for one in written.demux(video=0) if one.size]
    assert shown == [n * 100_000 for n in (0, 3, 1, 2, 4, 7, 5, 6, 8)]


def test_a_camera_that_cannot_be_read_is_told_without_its_password(tmp_path: Path) -> None:
    told: list[Outcome] = []
    with camera_at(b"this is no video") as (url, _):
        secret = url.replace("http://", "http://viewer:secret@")
        asked = order(Path(), path=secret, is_live=True, rest_s=0.01, start_us=None)
        with FrameSource(asked, on_told=told.append) as source:
            for heard in source.heard():
                assert heard is None
                if told:
                    break
    assert told[0].state == "unreadable"
    assert "cannot be opened" in told[0].reason
    assert "secret" not in told[0].reason


def test_a_recorder_without_a_picture_ends_when_asked(tmp_path: Path, shelf: ChunkShelf) -> None:
    """SIGTERM is heard while a camera is away: who was in view is told to have left."""
    before = signal.getsignal(signal.SIGTERM)
    analysis = Analysis(camera(), DarkDetector())
    for number in range(20):
        at_s = 1 + number / 10
        walk = Straight(0, 5, (40, 120), (280, 120))
        analysis.look(Frame(number, micros(START) + round(at_s * 1e6), 0, picture([walk], at_s)))
    away = order(Path(), path="http://127.0.0.1:9/none.ts", is_live=True, start_us=None)
    try:
        goes_on = _until(None)
        told = []
        for events in Live(away, analysis, Spool(tmp_path, shelf)).events(goes_on):
            told += events
            os.kill(os.getpid(), signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert [one.kind for one in told] == ["zone_exit"]


@contextmanager
def camera_at(data: bytes) -> Iterator[tuple[str, list[str]]]:
    calls: list[str] = []

    class Camera(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            calls.append(self.path)
            self.send_response(200)
            self.send_header("Content-Type", "video/mp2t")
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *args: object) -> None:
            del args

    server = HTTPServer(("127.0.0.1", 0), Camera)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/live.ts", calls
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("at_us", [0, 1_700_000_000_000_001, 1_700_000_000_999_999])
def test_names_of_chunks_hold_their_time_to_the_microsecond(at_us: int) -> None:
    assert chunk_start(chunk_name(at_us)) == at_us


def test_the_commands_record_count_and_delete(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same events by `run` and by `bulk`, so that sending both adds nothing."""
    monkeypatch.setenv("TENPO_HOME", str(tmp_path / "home"))
    get_settings.cache_clear()
    clip = render(tmp_path / "walk.mp4", [Straight(1, 3, (40, 120), (280, 120))], 4)
    door = tmp_path / "door.yaml"
    door.write_text(camera(least_travel=0.5).model_dump_json(by_alias=True), "utf-8")
    told = []
    for name, arguments in (
        ("run", ["--source", str(clip), "--start", START.isoformat(), "--chunk-s", "3600"]),
        ("bulk", ["--finish"]),
    ):
        out = tmp_path / name
        ran = CliRunner().invoke(
            video, [name, "--camera", str(door), "--out", str(out), *arguments]
        )
        assert ran.exit_code == 0, ran.output
        events = [one for file in sorted(out.iterdir()) for one in orjson.loads(file.read_bytes())]
        told.append(sorted(events, key=lambda one: str(one["event_id"])))
    assert told[0] == told[1]
    assert sorted(one["kind"] for one in told[0]) == ["enter", "zone_enter", "zone_exit"]
    tokyo = Store(store_id="tokyo-1", name="T", timezone="Asia/Tokyo", currency="JPY",
                  retention_days=7)  # fmt: skip
    create_tenant(get_settings(), "acme", "Acme", stores=[tokyo])
    for days, count in ((["--days", "36500"], 0), ([], 1)):
        ran = CliRunner().invoke(video, ["expire", "--camera", str(door), *days])
        assert ran.output == f"{count} chunks deleted\n"
    get_settings.cache_clear()
