"""What a repository serves is what the runtime makes; the example's client gets it, over the
protocols that Triton speaks."""

import re
from pathlib import Path

import numpy as np
import pytest
import tritonclient.http

from kserve_server import BadRequest, grpc_server, http_server
from posegen_runtime import PoseGenerator
from posegen_runtime.backends.choosing import Choice
from posegen_runtime.backends.opening import open_backend
from posegen_runtime.bundle import Bundle
from posegen_runtime.choices import BackendName
from posegen_runtime.golden import golden_set
from serving_client import run_client, write_masks, written

ROWS = 3
KINDS = [("pose", "fp32"), ("shipped", "fp32"), ("shipped", "fp16"), ("shipped", "int8")]


def inputs_of(bundle: Bundle, rows: int = ROWS) -> dict[str, np.ndarray]:
    """Golden inputs by name, those with a viewpoint first."""
    feeds, _ = golden_set(bundle, "fp32")
    return {name: array[:rows] for name, array in feeds.items()}


@pytest.mark.parametrize("kind", KINDS)
def test_each_row_is_the_runtime_s_image(served, kind):
    bundle, server = served(*kind)
    feeds = inputs_of(bundle)
    made = server.infer("cars", feeds)["image"]
    backend = open_backend(BackendName.CPU, bundle, kind[1], "generator", threads=1)
    np.testing.assert_array_equal(made, backend.run(feeds)["image"])
    assert made.std() > 10


@pytest.mark.parametrize("precision", ["fp32", "fp16", "int8"])
def test_shared_conditions_are_the_runtime_s_image(served, precision):
    bundle, server = served("shipped", precision)
    feeds = inputs_of(bundle)
    one = {name: feeds[name][:1] for name in bundle.conditions}
    made = server.infer("cars_shared", {**feeds, **one})["image"]
    generator = PoseGenerator(bundle, Choice(BackendName.CPU, precision, ""), threads=1)
    masks = feeds.pop("mask")
    expected = generator.generate(masks, **{k: one.get(k, v) for k, v in feeds.items()})
    np.testing.assert_array_equal(made, expected)


def test_conditions_for_each_row_are_refused_where_they_are_shared(served):
    bundle, server = served("shipped")
    with pytest.raises(BadRequest, match="unexpected shape"):
        server.infer("cars_shared", inputs_of(bundle))


@pytest.mark.parametrize(
    ("what", "model", "grpc"),
    [("pose", "cars", False), ("pose", "cars", True), ("shipped", "cars_shared", False),
     ("shipped", "cars_shared", True), ("shipped", "cars", False)],
)  # fmt: skip
def test_the_example_gets_the_runtime_s_images(served, tmp_path, what, model, grpc):
    bundle, server = served(what)
    masks = write_masks(tmp_path, inputs_of(bundle)["mask"])
    start, more = (grpc_server, ["--grpc"]) if grpc else (http_server, [])
    with start(server) as url:
        done = run_client(url, model, tmp_path, bundle, *more)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{tmp_path / 'out'}: {ROWS} images\n"
    generator = PoseGenerator.load(bundle.root, threads=1, backend="cpu")
    expected = generator.generate(masks)
    # The graph that takes everything at once is another one than the runtime's: 1 level, its gate.
    bound = 1 if model == "cars" and bundle.conditions else 0
    assert np.abs(written(tmp_path).astype(int) - expected).max() <= bound


@pytest.mark.parametrize(
    ("model", "left_out", "message"),
    [
        ("vans", "", "'vans' is not found"),
        ("cars", "--appearance", "name it with --appearance"),
        ("cars", "masks", "No such file"),
        ("cars", "server", "refused"),
    ],
)
def test_the_example_says_in_a_line_what_is_wrong(served, tmp_path, model, left_out, message):
    bundle, server = served("shipped")
    if left_out != "masks":
        write_masks(tmp_path, inputs_of(bundle)["mask"])
    with http_server(server) as url:
        where = "127.0.0.1:9" if left_out == "server" else url
        done = run_client(where, model, tmp_path, bundle, leave_out=left_out)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"error: {model} at {where}: ")
    assert message in line


def test_a_wrong_request_is_told_to_the_client(served):
    _, server = served("pose")
    with http_server(server) as url, tritonclient.http.InferenceServerClient(url) as client:
        mask = tritonclient.http.InferInput("mask", (9, 64, 64), "UINT8")
        mask.set_data_from_numpy(np.zeros((9, 64, 64), np.uint8))
        with pytest.raises(Exception, match="up to 4"):
            client.infer("cars", [mask])


@pytest.mark.parametrize("grpc", [False, True])
def test_the_documented_calls_work(served, grpc):
    text = (Path(__file__).parents[3] / "docs/serving.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    _, server = served("shipped")
    with (grpc_server if grpc else http_server)(server) as url:
        code = code.replace("localhost:8000", url).replace("edge-cars", "cars")
        if grpc:
            code = code.replace("tritonclient.http", "tritonclient.grpc", 1)
        variables: dict[str, object] = {}
        exec(code, variables)
        variables["client"].close()
    generator = PoseGenerator.load(threads=1, backend="cpu")
    given = {name: array for name, array in variables["arrays"].items() if name != "mask"}
    expected = generator.generate(variables["masks"], **given)
    np.testing.assert_array_equal(variables["images"], expected)
