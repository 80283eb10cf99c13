"""What counting costs beside decoding and the model, and how many cameras a machine takes.

`python -m bench.video --clip one-by-one-person-detection.mp4` prints what it measures;
`TENPO_MODELS_SEED` names the folder with the weights. Needs a quiet machine for the second part.

* offline: CPU of all processes from the first packet to the last event, less decoding and the
  model, as a part of the whole. Target: at most 15 %. Shrinking counts as ours.
* live: cameras that send 640 by 360 at 15 pictures a second in real time, one process each; how
  many pictures were dropped. Target: two cameras on two cores without a drop.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import av
import orjson
from av.container import OutputContainer
from av.video.stream import VideoStream

from tenpo.settings import Settings
from video_analyzer.analysis import Analysis
from video_analyzer.camera import Camera, Zone
from video_analyzer.detect import make_detector
from video_analyzer.offline import analyze_file, order_of
from video_analyzer.source.frames import FrameSource

WIDTH, HEIGHT, RATE = 640, 360, 15
START = datetime(2026, 11, 2, tzinfo=UTC)
TARGET_RATIO = 0.15


def camera(number: int, width: int, height: int) -> Camera:
    """A camera that tells who is in view."""
    return Camera(tenant_id="bench", store_id="bench", camera_id=f"camera-{number}",
                  width=width, height=height, zones=(Zone(zone_id="view"),))  # fmt: skip


def cpu_s() -> float:
    """CPU seconds of this process and of children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def offline(clip: Path, home: Path) -> dict[str, Any]:
    """The share of CPU that is neither decoding nor the model's."""
    looked = camera(0, 768, 432)
    detector = make_detector(looked.detector, Settings(home=home))
    Analysis(looked, detector)  # imports are no part of it
    begun, wall = cpu_s(), time.monotonic()
    events, report = analyze_file(clip, looked, detector, START)
    spent, decode = cpu_s() - begun, report.cpu_s["decode"]
    ours = spent - decode - detector.spent_s
    return {
        "pictures": report.shown_count,
        "events": len(events),
        "cpu_s": round(spent, 2),
        "model_s": round(detector.spent_s, 2),
        "decode_s": round(decode, 2),
        "convert_s": report.cpu_s["convert"],
        "pictures_per_s": round(report.shown_count / (time.monotonic() - wall), 1),
        "our_ratio": round(ours / spent, 3),
        "target_ratio": TARGET_RATIO,
    }


def scaled(clip: Path, path: Path, seconds: float) -> None:
    """The clip as 640 by 360 at 15 pictures a second, in MPEG-TS."""
    with av.open(str(clip)) as source, av.open(str(path), "w", format="mpegts") as sink:
        assert isinstance(sink, OutputContainer)
        stream = sink.add_stream("libx264", rate=RATE)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.codec_context.gop_size = RATE
        stream.codec_context.options = {"preset": "veryfast", "tune": "zerolatency"}
        for number, frame in enumerate(source.decode(video=0)):
            if number >= seconds * RATE:
                break
            small = frame.reformat(width=WIDTH, height=HEIGHT)
            small.pts, small.time_base = number, Fraction(1, RATE)
            sink.mux(stream.encode(small))
        sink.mux(stream.encode(None))


def served(video: bytes, seconds: float) -> tuple[ThreadingHTTPServer, str]:
    """A camera that sends the video once, as slowly as it was taken."""

    class Camera(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "video/mp2t")
            self.end_headers()
            begun, piece = time.monotonic(), max(188, round(len(video) / seconds / 30))
            with suppress(ConnectionError):  # whoever has seen enough hangs up
                for place in range(0, len(video), piece):
                    time.sleep(max(0.0, begun + place / len(video) * seconds - time.monotonic()))
                    self.wfile.write(video[place : place + piece])

        def log_message(self, *args: object) -> None:
            del args

    server = ThreadingHTTPServer(("127.0.0.1", 0), Camera)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, f"http://127.0.0.1:{server.server_port}/live.ts"


def watched(number: int, url: str, home: str, seconds: float) -> dict[str, Any]:
    """One camera, live, to the end of its first connection."""
    looked = camera(number, WIDTH, HEIGHT)
    detector = make_detector(looked.detector, Settings(home=Path(home)))
    analysis = Analysis(looked, detector)
    order = order_of(url, looked, detector, None).model_copy(
        update={"is_live": True, "rest_s": 600.0}
    )
    shown = dropped = 0
    late_s = 0.0
    with FrameSource(order) as source:
        end = threading.Timer(seconds + 10, source._child.kill)  # it would call again for ever
        end.start()
        for frame in source:
            analysis.look(frame)
            shown, dropped = shown + 1, dropped + frame.lost
            late_s = max(late_s, time.time() - frame.at_us / 1e6)
            if shown + dropped >= seconds * RATE - 2:
                break
        end.cancel()
    return {"shown": shown, "dropped": dropped, "latest_by_s": round(late_s, 2),
            "model_ms": round(1000 * detector.spent_s / max(1, shown), 1)}  # fmt: skip


def live(clip: Path, home: Path, cameras: int, seconds: float) -> dict[str, Any]:
    """Several cameras at once, one process each."""
    path = home / "live.ts"
    scaled(clip, path, seconds)
    server, url = served(path.read_bytes(), seconds)
    with ProcessPoolExecutor(cameras, mp_context=get_context("spawn")) as pool:
        numbers = range(cameras)
        told = list(pool.map(watched, numbers, [url] * cameras, [str(home)] * cameras,
                             [seconds] * cameras))  # fmt: skip
    server.shutdown()
    return {"cameras": told, "dropped": sum(one["dropped"] for one in told)}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--clip", type=Path, required=True)
    parser.add_argument("--cameras", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=30.0)
    given = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        found = {
            "load": [round(one, 1) for one in os.getloadavg()],
            "offline": offline(given.clip, home),
            "live": live(given.clip, home, given.cameras, given.seconds),
        }
    print(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())


if __name__ == "__main__":
    main()
