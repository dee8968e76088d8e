"""The service of examples/ answers real requests: right, wrong, too many and at once."""

import json
import runpy
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

from posegen_runtime import PoseGenerator
from tiny_bundle import SIZE, example_mask, write_tiny_bundle

SERVER = Path(__file__).parents[2] / "examples" / "service" / "server.py"
DIRECTION = np.array([0.6, 0.0, 0.8], np.float32)

Running = tuple[subprocess.Popen[str], str]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_bundle(tmp_path_factory.mktemp("service") / "bundle", viewpoint=True)


@pytest.fixture(scope="module")
def running(bundle: Path) -> Iterator[Running]:
    command = [sys.executable, str(SERVER), "--bundle", str(bundle), "--backend", "cpu"]
    command += ["--port", "0", "--threads", "2", "--batch", "4", "--waiting", "32"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None
    address = process.stdout.readline().split()[-1]
    yield process, address
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0


def ask(address: str, data: bytes | None = None) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(address, data, timeout=30) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def png(mask: np.ndarray) -> bytes:
    return bytes(cv2.imencode(".png", mask)[1])


def decoded(data: bytes) -> np.ndarray:
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return image[..., ::-1]


def test_many_at_once_get_each_the_image_of_its_mask(running: Running, bundle: Path) -> None:
    masks = np.stack([example_mask(index) for index in range(24)])
    expected = PoseGenerator.load(bundle, backend="cpu").generate(masks)
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda mask: ask(f"{running[1]}/generate", png(mask)), masks))
    assert {code for code, _ in answers} == {200}
    for (_, data), image in zip(answers, expected, strict=True):
        np.testing.assert_array_equal(decoded(data), image)


def test_a_viewpoint_and_a_mask_of_another_size(running: Running, bundle: Path) -> None:
    large = cv2.resize(example_mask(1), (2 * SIZE, 2 * SIZE), interpolation=cv2.INTER_NEAREST)
    address = f"{running[1]}/generate?viewpoint=3,0,4"
    code, data = ask(address, png(large))
    assert code == 200
    generator = PoseGenerator.load(bundle, backend="cpu")
    expected = generator.generate(example_mask(1), viewpoint=DIRECTION)[0]
    np.testing.assert_array_equal(decoded(data), expected)


@pytest.mark.parametrize(
    ("path", "body", "code", "why"),
    [
        ("generate", b"no image", 400, "no image"),
        ("generate", b"", 400, "no image"),
        ("generate", png(np.zeros((SIZE, SIZE), np.uint8)), 400, "empty"),
        ("generate", png(np.full((6000, 6000), 255, np.uint8)), 400, "no image"),
        ("generate", png(np.full((SIZE, 2 * SIZE), 255, np.uint8)), 400, "crop or pad"),
        ("generate?viewpoint=1,2", png(example_mask(0)), 400, "three numbers"),
        ("generate?viewpoint=a,b,c", png(example_mask(0)), 400, "float"),
        ("generate", bytes(9 * 2**20), 413, "bytes"),
        ("nothing", b"x", 404, "POST /generate"),
        ("nothing", None, 404, "POST /generate"),
    ],
)
def test_wrong_requests_are_told_why(
    running: Running, path: str, body: bytes | None, code: int, why: str
) -> None:
    try:
        answered, told = ask(f"{running[1]}/{path}", body)
    except (ConnectionError, urllib.error.URLError):
        assert code == 413  # it answers without reading, and the client was still writing
        return
    assert answered == code
    assert why in json.loads(told)["error"]


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_another_method_is_answered_in_json(running: Running, method: str) -> None:
    request = urllib.request.Request(f"{running[1]}/generate", b"x", method=method)
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=30)
    assert caught.value.code == 501
    assert caught.value.headers["Content-Type"] == "application/json"
    assert method in json.loads(caught.value.read())["error"]


def test_a_client_that_leaves_early_is_not_told_of(
    server: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    service = server["Service"](("127.0.0.1", 0), SimpleNamespace(), SimpleNamespace())
    for error, told in ((BrokenPipeError(), False), (ValueError("a fault"), True)):
        try:
            raise error
        except Exception:
            service.handle_error(None, ("127.0.0.1", 1))
        assert ("Traceback" in capsys.readouterr().err) is told
    service.server_close()


def test_health_says_what_runs(running: Running) -> None:
    code, told = ask(f"{running[1]}/health")
    assert code == 200
    assert json.loads(told)["status"] == "ok"
    assert "onnxruntime" in json.loads(told)["engine"]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the file defines."""
    monkeypatch.setenv("OPENCV_IO_MAX_IMAGE_PIXELS", "0")  # which it sets, and is then put back
    return runpy.run_path(str(SERVER))


def test_more_than_may_wait_are_refused_at_once_and_none_is_lost(server: dict[str, Any]) -> None:
    go = threading.Event()

    class Slow:
        class bundle:
            takes_viewpoint = False

        @staticmethod
        def generate(masks: np.ndarray) -> np.ndarray:
            assert go.wait(30)
            return masks

    makers = server["Makers"](Slow(), threads=1, batch=2, waiting=3)
    mask, none = np.zeros((2, 2), np.uint8), np.zeros(3, np.float32)
    accepted: list[Any] = []

    def submit_until_refused() -> None:
        while True:
            accepted.append(makers.submit(mask + len(accepted), none))

    with pytest.raises(server["Busy"]):
        submit_until_refused()
    assert 3 <= len(accepted) <= 5
    go.set()
    makers.finish()
    assert [int(made.result(5)[0, 0]) for made in accepted] == [*range(len(accepted))]
    assert not makers.alive


def test_an_error_reaches_the_one_who_waits_and_the_thread_goes_on(server: dict[str, Any]) -> None:

    class Failing:
        class bundle:
            takes_viewpoint = False

        @staticmethod
        def generate(masks: np.ndarray) -> np.ndarray:
            if masks.max() > 1:
                raise RuntimeError("the GPU is gone")
            return masks

    makers = server["Makers"](Failing(), threads=1, batch=1, waiting=8)
    mask, none = np.ones((2, 2), np.uint8), np.zeros(3, np.float32)
    failed, made = makers.submit(mask * 2, none), makers.submit(mask, none)
    assert isinstance(failed.exception(5), RuntimeError)
    assert made.result(5).shape == (2, 2)
    assert makers.alive
    makers.finish()
