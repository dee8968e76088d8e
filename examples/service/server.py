"""A mask as PNG goes in by HTTP, an image comes out as PNG.

    python examples/service/server.py --port 8080
    curl --data-binary @mask.png localhost:8080/generate -o image.png

POST /generate   body: a mask in any format that `posegen-run` reads, at most 8 MB; the query
                 `viewpoint=x,y,z` where the model takes one. Answers 200 with a PNG, 400 with what
                 is wrong with the mask, 413, or 503 with `Retry-After` when too many wait.
GET /health      200 and what runs the model; 503 when nothing makes images any more.

It has neither TLS nor users: put it behind what has.
"""

import argparse
import json
import os
import queue
import signal
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as Late
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

MOST_PIXELS = 2**25
os.environ["OPENCV_IO_MAX_IMAGE_PIXELS"] = str(MOST_PIXELS)  # a small file may hold many

import cv2  # noqa: E402, read when it is first imported
import numpy as np  # noqa: E402

from posegen_runtime import PoseGenerator, PoseGenError  # noqa: E402

LARGEST = 8 * 2**20
"""Bytes of a request."""
PATIENCE = 60.0
"""Seconds that a request may take."""
CONNECTIONS = 256
"""More are closed at once, since each has a thread."""

Job = tuple[np.ndarray, np.ndarray, "Future[np.ndarray]"]


class Busy(Exception):
    """Too many wait already."""


class Makers:
    """Threads that make images of the masks in one bounded queue. All share one generator, and each
    takes as many masks at a time as wait, up to `batch`."""

    def __init__(self, generator: PoseGenerator, threads: int, batch: int, waiting: int) -> None:
        self._generator = generator
        self._batch = batch
        self._jobs: queue.Queue[Job | None] = queue.Queue(waiting)
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(threads)]
        for thread in self._threads:
            thread.start()

    def submit(self, mask: np.ndarray, viewpoint: np.ndarray) -> "Future[np.ndarray]":
        """`mask` uint8 [H, W] in {0, 255} at the model's size, `viewpoint` float32 [3]. Raises
        `Busy` when the queue is full."""
        made: Future[np.ndarray] = Future()
        try:
            self._jobs.put_nowait((mask, viewpoint, made))
        except queue.Full:
            raise Busy from None
        return made

    @property
    def waiting(self) -> int:
        return self._jobs.qsize()

    @property
    def alive(self) -> bool:
        return any(thread.is_alive() for thread in self._threads)

    def finish(self) -> None:
        """Make what is in the queue, and end."""
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            thread.join(PATIENCE)

    def _work(self) -> None:
        while (jobs := self._take()) is not None:
            running = [job for job in jobs if job[2].set_running_or_notify_cancel()]
            if not running:
                continue
            try:
                images = self._make(running)
            except BaseException as error:  # told to those who wait; the thread goes on
                for *_, made in running:
                    made.set_exception(error)
            else:
                for (*_, made), image in zip(running, images, strict=True):
                    made.set_result(image)

    def _make(self, jobs: list[Job]) -> np.ndarray:
        masks = np.stack([mask for mask, _, _ in jobs])
        if not self._generator.bundle.takes_viewpoint:
            return self._generator.generate(masks)
        viewpoints = np.stack([viewpoint for _, viewpoint, _ in jobs])
        return self._generator.generate(masks, viewpoint=viewpoints)

    def _take(self) -> list[Job] | None:
        """What waits, at least one; None at the end."""
        first = self._jobs.get()
        if first is None:
            return None
        jobs = [first]
        while len(jobs) < self._batch:
            try:
                more = self._jobs.get_nowait()
            except queue.Empty:
                break
            if more is None:
                self._jobs.put(None)
                break
            jobs.append(more)
        return jobs


def read_mask(data: bytes, size: tuple[int, int]) -> np.ndarray:
    """uint8 [H, W] in {0, 255} of that size. Raises `ValueError` with what is wrong."""
    image = None
    with suppress(cv2.error):  # too many pixels
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE) if data else None
    if image is None:
        raise ValueError("the body is no image that OpenCV reads")
    if image.shape[0] * size[1] != image.shape[1] * size[0]:
        height, width = size
        raise ValueError(f"the mask's sides must be as {width} to {height}; crop or pad it")
    if image.shape != size:
        image = cv2.resize(image, size[::-1], interpolation=cv2.INTER_AREA)
    mask = np.where(image > 127, np.uint8(255), np.uint8(0))
    if not mask.any():
        raise ValueError("the mask is empty: the object must be white, above 127")
    return mask


def read_viewpoint(query: dict[str, list[str]]) -> np.ndarray:
    """float32 [3]; zeros where none is given. Raises `ValueError`."""
    if "viewpoint" not in query:
        return np.zeros(3, np.float32)
    direction = np.array(query["viewpoint"][-1].split(","), np.float64)
    length = np.linalg.norm(direction)
    if direction.shape != (3,) or not np.isfinite(length) or length == 0:
        raise ValueError("viewpoint must be three numbers, the direction towards the camera")
    return (direction / length).astype(np.float32)


class Service(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], generator: PoseGenerator, makers: Makers) -> None:
        super().__init__(address, Handler)
        self.generator = generator
        self.makers = makers
        self._connections = threading.BoundedSemaphore(CONNECTIONS)
        self._answering = 0
        self._changed = threading.Condition()

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._connections.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._connections.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that left early is no fault of the service."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Held from a request's body to the last byte of its answer."""
        with self._changed:
            self._answering += 1
        try:
            yield
        finally:
            with self._changed:
                self._answering -= 1
                self._changed.notify_all()

    def wait_for_answers(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: not self._answering, PATIENCE)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30  # seconds that a client may be silent
    server: Service

    def do_GET(self) -> None:
        if urlsplit(self.path).path != "/health":
            self._answer(404, {"error": "there are POST /generate and GET /health"})
            return
        makers = self.server.makers
        state = {
            "status": "ok" if makers.alive else "dead",
            "engine": self.server.generator.engine,
            "waiting": makers.waiting,
        }
        self._answer(200 if makers.alive else 503, state)

    def do_POST(self) -> None:
        address = urlsplit(self.path)
        length = self.headers.get("Content-Length", "")
        if address.path != "/generate":
            self._refuse(404, "there are POST /generate and GET /health")
        elif not length.isdecimal():
            self._refuse(411, "Content-Length is missing")
        elif int(length) > LARGEST:
            self._refuse(413, f"a mask may have {LARGEST} bytes")
        else:
            body = self.rfile.read(int(length))
            with self.server.answering():
                self._generate(body, parse_qs(address.query))

    def _generate(self, body: bytes, query: dict[str, list[str]]) -> None:
        try:
            mask = read_mask(body, self.server.generator.image_size)
            made = self.server.makers.submit(mask, read_viewpoint(query))
            image = made.result(PATIENCE)
        except ValueError as error:
            self._answer(400, {"error": str(error)})
        except Busy:
            self._answer(503, {"error": "too many wait, try again"}, {"Retry-After": "1"})
        except Late:
            made.cancel()
            self._answer(504, {"error": "it took too long"})
        except PoseGenError as error:
            self._answer(500, {"error": str(error)})
        else:
            _, data = cv2.imencode(".png", image[..., ::-1])
            self._send(200, "image/png", data.tobytes())

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What the base class refuses, such as another method: in JSON, as all else."""
        self._refuse(code, message or self.responses[code][0])

    def _refuse(self, code: int, why: str) -> None:
        """Without reading the body, so the connection cannot be used again."""
        self.close_connection = True
        self._answer(code, {"error": why}, {"Connection": "close"})

    def _answer(
        self, code: int, told: dict[str, Any], headers: dict[str, str] | None = None
    ) -> None:
        self._send(code, "application/json", json.dumps(told).encode(), headers)

    def _send(
        self, code: int, kind: str, data: bytes, headers: dict[str, str] | None = None
    ) -> None:
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)


def main() -> None:
    options = argparse.ArgumentParser(description="Masks in by HTTP, images out.")
    options.add_argument("--bundle", help="exported model; default: the one that comes along")
    options.add_argument("--backend", default="auto")
    options.add_argument("--precision", default="fp32")
    options.add_argument(
        "--host", default="127.0.0.1", help="0.0.0.0 for all; default: this machine"
    )
    options.add_argument("--port", type=int, default=8080, help="0: any that is free")
    options.add_argument("--threads", type=int, help="default: one a core, on a GPU two")
    options.add_argument("--batch", type=int, help="masks a call; default: 1, on a GPU the largest")
    options.add_argument("--waiting", type=int, default=64, help="requests that may wait")
    given = options.parse_args()
    try:
        generator = PoseGenerator.load(given.bundle, given.precision, 1, given.backend)
    except PoseGenError as error:
        sys.exit(f"error: {error}")
    on_gpu = generator.choice.backend.on_gpu
    from posegen_runtime.shape import available_cores

    threads = given.threads or (2 if on_gpu else available_cores())
    batch = given.batch or (generator.bundle.manifest.max_batch if on_gpu else 1)
    makers = Makers(generator, threads, batch, given.waiting)
    service = Service((given.host, given.port), generator, makers)
    # `shutdown` waits until `serve_forever` ends, so it needs a thread of its own.
    stop = threading.Thread(target=service.shutdown)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.is_alive() or stop.start())
    host, port = service.server_address[:2]
    print(f"{generator.engine} on http://{host}:{port}", flush=True)
    service.serve_forever(poll_interval=0.1)
    service.server_close()
    service.wait_for_answers()
    makers.finish()


if __name__ == "__main__":
    main()
