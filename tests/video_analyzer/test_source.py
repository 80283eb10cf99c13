"""Files of all kinds, whole and broken, through a real child process."""

from __future__ import annotations

import os
import random
import signal
import socket
from pathlib import Path

import numpy as np
import pytest

from tests.video_analyzer.clips import HEIGHT, WIDTH, Straight, render
from video_analyzer.source.beat import Beat
from video_analyzer.source.clip import Clip, UnreadableError
from video_analyzer.source.frames import Frame, FrameSource
from video_analyzer.source.wire import Order, Outcome

MUTATIONS = int(os.environ.get("TENPO_VIDEO_MUTATIONS", "12"))
WALK = Straight(0, 3, (40, 120), (280, 120))


def order(path: Path, **changes: object) -> Order:
    told: dict[str, object] = {
        "path": str(path), "start_us": 1_000_000, "fit_width": 320, "fit_height": 320,
        "period_us": 66_667,
    }  # fmt: skip
    return Order.model_validate(told | changes)


def read(asked: Order, stall_s: float = 30) -> tuple[list[tuple[int, int, int]], Outcome]:
    """Time, losses and width of every picture."""
    with FrameSource(asked, stall_s) as source:
        frames = [(one.at_us, one.lost, one.picture.shape[1]) for one in source]
    assert source.outcome is not None
    return frames, source.outcome


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return render(tmp_path_factory.mktemp("clips") / "walk.mp4", [WALK], 3)


def test_every_picture_comes_with_its_time(clip: Path) -> None:
    frames, outcome = read(order(clip))
    assert [at for at, _, _ in frames] == [1_000_000 + 100_000 * n for n in range(30)]
    assert (outcome.state, outcome.frame_count, outcome.lost_count) == ("complete", 30, 0)
    assert outcome.decode_s > 0


def test_a_picture_shows_what_was_drawn(clip: Path) -> None:
    with FrameSource(order(clip)) as source:
        first = next(iter(source))
        assert isinstance(first, Frame)
        assert first.picture.shape == (HEIGHT, WIDTH, 3)
        figure, floor = first.picture[120, 40], first.picture[120, 200]
        assert np.abs(figure.astype(int) - (30, 40, 60)).max() < 12
        assert floor.min() > 120


def test_pictures_are_shrunk_to_what_is_asked(clip: Path) -> None:
    frames, _ = read(order(clip, fit_width=160, fit_height=160))
    assert {width for _, _, width in frames} == {160}


def test_a_varying_rate_keeps_its_times(tmp_path: Path) -> None:
    times = [0, 100, 150, 400, 405, 900, 1700]
    path = render(tmp_path / "varying.mkv", [WALK], 0, times)
    frames, outcome = read(order(path, period_us=1))
    assert [at // 1000 - 1000 for at, _, _ in frames] == times
    assert outcome.state == "complete"


def test_a_turned_video_is_shown_upright(clip: Path, tmp_path: Path) -> None:
    """The matrix in the track's header says how players turn it (ISO 14496-12, 8.3.2)."""
    data = bytearray(clip.read_bytes())
    plain = b"".join(n.to_bytes(4, "big") for n in (1 << 16, 0, 0, 0, 1 << 16))
    place = data.index(plain, data.index(b"tkhd"))
    quarter = (0, 1 << 16, 0, (-(1 << 16)) % (1 << 32), 0)  # clockwise
    data[place : place + 20] = b"".join(n.to_bytes(4, "big") for n in quarter)
    path = tmp_path / "turned.mp4"
    path.write_bytes(data)
    with FrameSource(order(path)) as source:
        first = next(iter(source)).picture.copy()
    assert first.shape == (WIDTH, HEIGHT, 3)
    # x = 40, y = 120 of the stored picture is, turned clockwise, at x = 240 - 120, y = 40
    assert first[40, 119].max() < 90
    assert first[280, 119].min() > 120


def test_a_file_cut_short_says_so(tmp_path: Path) -> None:
    whole = render(tmp_path / "whole.mkv", [WALK], 6)
    data = whole.read_bytes()
    part = tmp_path / "part.mkv"
    part.write_bytes(data[: len(data) // 3])
    frames, outcome = read(order(part))
    assert 0 < len(frames) < 60
    assert outcome.state == "truncated"


def test_an_mp4_without_its_index_is_unreadable(clip: Path, tmp_path: Path) -> None:
    part = tmp_path / "part.mp4"
    part.write_bytes(clip.read_bytes()[:4000])
    frames, outcome = read(order(part))
    assert (frames, outcome.state) == ([], "unreadable")


def test_broken_pictures_are_counted_and_told_with_the_next(tmp_path: Path) -> None:
    """MJPEG: each picture stands alone, so two broken ones are two lost ones."""
    path = render(tmp_path / "stills.avi", [WALK], 3, codec="mjpeg")
    data = bytearray(path.read_bytes())
    starts = [n for n in range(len(data) - 2) if data[n : n + 3] == b"\xff\xd8\xff"]
    assert len(starts) == 30
    for broken in (10, 11):
        data[starts[broken] : starts[broken] + 600] = bytes(600)
    path.write_bytes(data)
    frames, outcome = read(order(path))
    assert (len(frames), outcome.lost_count, outcome.state) == (28, 2, "damaged")
    assert [lost for _, lost, _ in frames if lost] == [2]


@pytest.mark.parametrize("container", ["mp4", "mkv", "ts"])
def test_damage_of_any_kind_ends_in_a_state(tmp_path: Path, container: str) -> None:
    """Changed bytes, every third file cut too; here in this process, where nothing is caught."""
    whole = render(tmp_path / f"whole.{container}", [WALK], 2).read_bytes()
    damaged = tmp_path / f"damaged.{container}"
    chance = random.Random(5)
    states = set()
    for number in range(MUTATIONS):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 40)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        damaged.write_bytes(data[: chance.randrange(len(data))] if number % 3 == 0 else data)
        states.add(state_of(order(damaged)))
    assert states <= {"complete", "truncated", "damaged", "unreadable"}
    assert len(states) > 1


def state_of(asked: Order) -> str:
    try:
        clip = Clip(asked, Beat(1, None))
        for frame, _, _ in clip.pictures():
            clip.shrunk(frame)
        return clip.outcome().state
    except UnreadableError:
        return "unreadable"


@pytest.mark.parametrize(
    ("content", "state"),
    [(b"", "empty"), (b"this is no video\n" * 100, "unreadable"), (bytes(5000), "unreadable")],
)
def test_what_is_no_video_is_told(tmp_path: Path, content: bytes, state: str) -> None:
    path = tmp_path / "other.mp4"
    path.write_bytes(content)
    frames, outcome = read(order(path))
    assert (frames, outcome.state, outcome.frame_count) == ([], state, 0)
    assert outcome.reason


def test_a_playlist_is_not_followed(tmp_path: Path, clip: Path) -> None:
    """Else a file could make the reader open other files, and call addresses."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        listener.settimeout(0.2)
        address = f"http://127.0.0.1:{listener.getsockname()[1]}/a.ts"
        for target in (address, str(clip)):
            playlist = tmp_path / "list.mp4"
            playlist.write_text(f"#EXTM3U\n#EXTINF:1,\n{target}\n#EXT-X-ENDLIST\n")
            frames, outcome = read(order(playlist))
            assert (frames, outcome.state) == ([], "unreadable")
        with pytest.raises(TimeoutError):
            listener.accept()


def test_pictures_above_the_limit_are_not_decoded(clip: Path) -> None:
    frames, outcome = read(order(clip, max_pixels=1000))
    assert (frames, outcome.state) == ([], "unreadable")
    assert "larger" in outcome.reason


def test_what_came_before_a_limit_is_kept(clip: Path) -> None:
    frames, outcome = read(order(clip, max_duration_s=2))
    assert (len(frames), outcome.frame_count, outcome.state) == (21, 21, "truncated")
    assert "longer" in outcome.reason


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.mp4"
    os.mkfifo(pipe)
    frames, outcome = read(order(pipe))
    assert (frames, outcome.state) == ([], "unreadable")


def test_a_child_that_hangs_is_given_up(clip: Path) -> None:
    with FrameSource(order(clip)) as source:
        frames = iter(source)
        next(frames)
        source._stall_s = 0.2  # shorter than a child may need to start
        source._child.send_signal(signal.SIGSTOP)
        shown = 1 + sum(1 for _ in frames)
    assert source.outcome is not None
    assert (source.outcome.state, source.outcome.shown_count) == ("stalled", shown)
    assert shown < 30


def test_a_child_that_is_killed_says_nothing_more(clip: Path) -> None:
    with FrameSource(order(clip)) as source:
        frames = iter(source)
        next(frames)
        source._child.kill()
        shown = 1 + sum(1 for _ in frames)
    assert source.outcome is not None
    assert source.outcome.state == "died"
    assert source.outcome.shown_count == shown < 30


def test_a_file_without_a_time_needs_one(clip: Path) -> None:
    _, outcome = read(order(clip, start_us=None))
    assert outcome.state == "unreadable"
    assert "--start" in outcome.reason


@pytest.mark.parametrize(
    ("source_rate", "taken"), [(15, 150), (30, 150), (10, 100), (25, 150), (60, 150)]
)
def test_the_beat_takes_fifteen_a_second_at_most(source_rate: int, taken: int) -> None:
    beat = Beat(round(1e6 / 15), None)
    times = [round(1e6 * n / source_rate) for n in range(10 * source_rate)]
    assert abs(sum(map(beat.takes, times)) - taken) <= 1


def test_the_beat_goes_on_from_where_another_ended() -> None:
    times = [round(1e6 * n / 25) for n in range(250)]
    whole = Beat(66_667, None)
    first = Beat(66_667, None)
    expected = [whole.takes(at) for at in times]
    begun = [first.takes(at) for at in times[:123]]
    rest = Beat(66_667, first.due_us)
    assert begun + [rest.takes(at) for at in times[123:]] == expected
    assert 0 < sum(expected) < 250
