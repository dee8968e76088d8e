"""Repositories in Triton Inference Server itself: it takes the configurations, joins requests, runs
the ensemble and keeps encoded conditions."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import tritonclient.http

from posegen_export.triton.repository import write_repository
from posegen_export.triton.serving import Device, Options
from posegen_runtime import PoseGenerator
from posegen_runtime.backends.opening import open_backend
from posegen_runtime.bundle import Bundle
from posegen_runtime.choices import BackendName
from posegen_runtime.generator import SHIPPED_BUNDLE
from posegen_runtime.golden import golden_set
from resealed import reseal
from serving_client import run_client, write_masks, written
from triton_server import Address, server_folder, triton_server

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(server_folder() is None, reason="nvidia-pytriton is not installed"),
]

MAX_BATCH = 4
LONG = 300_000
"""Microseconds that a request waits for others: all of a test's clients come within."""
ROWS = 3


def add(bundle: Path, name: str, repository: Path) -> None:
    options = Options(name, max_batch=MAX_BATCH, device=Device.CPU, queue_delay=LONG)
    write_repository(Bundle.load(bundle), options, repository, print)


@pytest.fixture(scope="module")
def bundles(exported_bundle) -> dict[str, Path]:
    return {"cars": SHIPPED_BUNDLE, "pose": exported_bundle("bottleneck", "pose")}


@pytest.fixture(scope="module")
def repository(bundles, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("triton") / "repository"
    for name, bundle in bundles.items():
        add(bundle, name, folder)
    return folder


@pytest.fixture(scope="module")
def server(repository, tmp_path_factory):
    arguments = ["--cache-config=local,size=268435456", "--model-control-mode=explicit"]
    scratch = tmp_path_factory.mktemp("server")
    with triton_server(repository, scratch, *arguments, "--load-model=*") as address:
        yield address


def statistics(server: Address, model: str) -> dict:
    with tritonclient.http.InferenceServerClient(server.http) as client:
        (found,) = client.get_inference_statistics(model)["model_stats"]
    return found


def infer(server: Address, model: str, feeds: dict[str, np.ndarray]) -> np.ndarray:
    kinds = {"uint8": "UINT8", "float32": "FP32"}
    with tritonclient.http.InferenceServerClient(server.http) as client:
        inputs = []
        for name, array in feeds.items():
            given = tritonclient.http.InferInput(name, array.shape, kinds[array.dtype.name])
            given.set_data_from_numpy(np.ascontiguousarray(array))
            inputs.append(given)
        return client.infer(model, inputs).as_numpy("image")


@pytest.mark.parametrize("grpc", [False, True])
@pytest.mark.parametrize(("what", "model"), [("pose", "pose"), ("cars", "cars_shared")])
def test_the_example_gets_the_runtime_s_images(server, bundles, tmp_path, what, model, grpc):
    bundle = Bundle.load(bundles[what])
    masks = write_masks(tmp_path, golden_set(bundle, "fp32")[0]["mask"][:ROWS])
    more = ["--grpc"] if grpc else []
    done = run_client(server.grpc if grpc else server.http, model, tmp_path, bundle, *more)
    assert done.returncode == 0, done.stderr
    expected = PoseGenerator.load(bundle.root, threads=1, backend="cpu").generate(masks)
    np.testing.assert_array_equal(written(tmp_path), expected)


def test_requests_of_several_clients_become_one_batch(server, bundles):
    bundle = Bundle.load(bundles["cars"])
    feeds = {name: array[:MAX_BATCH] for name, array in golden_set(bundle, "fp32")[0].items()}
    before = statistics(server, "cars")
    single = [{n: array[row : row + 1] for n, array in feeds.items()} for row in range(MAX_BATCH)]
    with ThreadPoolExecutor(MAX_BATCH) as clients:
        made = list(clients.map(lambda each: infer(server, "cars", each), single))
    after = statistics(server, "cars")
    assert after["inference_count"] - before["inference_count"] == MAX_BATCH
    assert after["execution_count"] - before["execution_count"] < MAX_BATCH
    backend = open_backend(BackendName.CPU, bundle, "fp32", "generator", threads=1)
    np.testing.assert_array_equal(np.concatenate(made), backend.run(feeds)["image"])


def test_conditions_are_encoded_once(server, bundles):
    bundle = Bundle.load(bundles["cars"])
    feeds = {name: array[:ROWS] for name, array in golden_set(bundle, "fp32")[0].items()}
    feeds |= {name: 255 - feeds[name][:1] for name in bundle.conditions}
    before = statistics(server, "cars_conditions")["inference_stats"]
    first, second = (infer(server, "cars_shared", feeds) for _ in range(2))
    after = statistics(server, "cars_conditions")["inference_stats"]
    counts = [
        int(after[key].get("count", 0)) - int(before[key].get("count", 0))
        for key in ("cache_miss", "cache_hit")
    ]
    assert counts == [1, 1]
    np.testing.assert_array_equal(first, second)


def test_what_the_configuration_does_not_allow_is_refused(server):
    masks = np.zeros((MAX_BATCH + 1, 64, 64), np.uint8)
    with pytest.raises(Exception, match="batch-size must be <= 4"):
        infer(server, "pose", {"mask": masks})
    with pytest.raises(Exception, match="shape"):
        infer(server, "pose", {"mask": masks[:1, :32]})


def test_a_running_server_takes_a_new_version_when_it_is_told(
    server, bundles, repository, tmp_path
):
    """Of both parts of the ensemble, never of one alone."""
    second = shutil.copytree(bundles["cars"], tmp_path / "second")
    for file in second.rglob("*.onnx"):
        file.write_bytes(file.read_bytes() + b"\x32\x00")  # an empty description
    add(reseal(second), "cars", repository)
    with tritonclient.http.InferenceServerClient(server.http) as client:
        assert client.is_model_ready("cars_shared", "1")
        client.load_model("cars_shared")
        for name in ("cars_conditions", "cars_cached", "cars_shared"):
            assert client.is_model_ready(name, "2")
            assert not client.is_model_ready(name, "1")
        config = client.get_model_config("cars_shared")
    steps = config["ensemble_scheduling"]["step"]
    assert [step["model_version"] for step in steps] == [2, 2]
