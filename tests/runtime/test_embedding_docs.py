"""The recipes of docs/embedding.md run, without our code, and make the images that ours makes."""

import ast
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import onnxruntime
import pytest

from posegen_runtime import PoseGenerator
from posegen_runtime.generator import SHIPPED_BUNDLE
from tensorrt_names import Uses
from tiny_bundle import write_tiny_bundle

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "embedding.md").read_text()
PLAIN, CACHED, BUILD, RUN, OURS, ROS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
(C,) = re.findall(r"```c\n(.*?)```", PAGE, re.DOTALL)
(CPP,) = re.findall(r"```cpp\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], PoseGenerator]:
    """Make a bundle that of the page, beside a mask; returns our generator for it."""

    def use(root: Path) -> PoseGenerator:
        (tmp_path / "bundles").mkdir()
        (tmp_path / "bundles/cars").symlink_to(root)
        monkeypatch.chdir(tmp_path)
        generator = PoseGenerator.load(root, backend="cpu")
        height, width = generator.image_size
        mask = np.zeros((height, width), np.uint8)
        cv2.ellipse(mask, (width // 2, height // 2), (width // 3, height // 5), 10, 0, 360, 255, -1)
        cv2.imwrite("mask.png", mask)
        return generator

    return use


def expected(generator: PoseGenerator) -> np.ndarray:
    mask = cv2.imread("mask.png", cv2.IMREAD_GRAYSCALE)
    assert mask is not None
    return generator.generate(mask)[0]


def written(file: str) -> np.ndarray:
    image = cv2.imread(file)
    assert image is not None
    return image[..., ::-1]


def test_plain_onnx_runtime_makes_our_image(bundle: Any) -> None:
    generator = bundle(SHIPPED_BUNDLE)
    exec(PLAIN, {})
    difference = np.abs(written("image.png").astype(int) - expected(generator))
    assert difference.max() <= 1  # one graph in place of two


def test_plain_onnx_runtime_with_a_model_that_takes_a_mask_alone(
    bundle: Any, tmp_path: Path
) -> None:
    generator = bundle(write_tiny_bundle(tmp_path / "tiny", variant="pose"))
    exec(PLAIN, {})
    np.testing.assert_array_equal(written("image.png"), expected(generator))


@pytest.mark.slow
def test_plain_onnx_runtime_with_the_papers_model(
    bundle: Any, exported_bundle: Callable[..., Path]
) -> None:
    generator = bundle(exported_bundle("bottleneck", "pose"))
    exec(PLAIN, {})
    np.testing.assert_array_equal(written("image.png"), expected(generator))


def test_conditions_encoded_once_make_our_images(bundle: Any) -> None:
    generator = bundle(SHIPPED_BUNDLE)
    names: dict[str, Any] = {}
    exec(CACHED, names)
    assert len(names["images"]) == 3
    for image in names["images"]:
        np.testing.assert_array_equal(image, expected(generator))


def test_our_own_block_generates(bundle: Any) -> None:
    names: dict[str, Any] = {}
    exec(OURS, names)
    assert names["images"].shape == (4, *names["generator"].image_size, 3)


def test_the_first_block_on_arrays_runs() -> None:
    page = (ROOT / "docs" / "arrays.md").read_text()
    first = re.findall(r"```python\n(.*?)```", page, re.DOTALL)[0]
    names: dict[str, Any] = {}
    exec(first, names)
    assert any(names["frames"])


def test_the_node_answers_a_mask_with_our_image(monkeypatch: pytest.MonkeyPatch) -> None:
    """With stand-ins for ROS 2, of which only the names are its own."""
    generator = PoseGenerator.load(backend="cpu")
    nodes: list[Any] = []
    published: list[Any] = []
    errors: list[str] = []

    class Node:
        def __init__(self, name: str) -> None:
            nodes.append(self)

        def create_publisher(self, kind: Any, topic: str, depth: int) -> Any:
            return SimpleNamespace(publish=published.append)

        def create_subscription(self, kind: Any, topic: str, answer: Any, depth: int) -> None:
            assert topic == "mask"

        def get_logger(self) -> Any:
            return SimpleNamespace(error=errors.append)

    fakes = {
        "rclpy": SimpleNamespace(init=lambda: None, spin=lambda node: None),
        "rclpy.node": SimpleNamespace(Node=Node),
        "sensor_msgs.msg": SimpleNamespace(Image=SimpleNamespace),
    }
    for name, module in fakes.items():
        monkeypatch.setitem(sys.modules, name, module)
    exec(ROS, {})
    height, width = generator.image_size
    padded = np.zeros((height, width + 8), np.uint8)
    padded[60:200, 40:220] = 200
    message = SimpleNamespace(
        header="stamp",
        height=height,
        width=width,
        encoding="mono8",
        step=width + 8,
        data=padded.tobytes(),
    )
    nodes[0].answer(message)
    (image,) = published
    assert (image.header, image.encoding, image.step) == ("stamp", "rgb8", 3 * width)
    made = np.frombuffer(image.data, np.uint8).reshape(image.height, image.width, 3)
    mask = np.where(padded[:, :width] > 0, np.uint8(255), np.uint8(0))
    expected = generator.generate(mask)[0]
    assert np.abs(made.astype(int) - expected).max() <= 1  # the node's call has several threads
    nodes[0].answer(SimpleNamespace(**{**vars(message), "encoding": "bgr8"}))
    assert len(errors) == len(published) == 1


def test_the_c_block_compiles(tmp_path: Path) -> None:
    if shutil.which("cc") is None:
        pytest.skip("no C compiler is installed")
    (tmp_path / "block.c").write_text(
        "#include <posegen.h>\nint fail(const char *why);\n"
        "int make(const posegen_input photo, const posegen_input background, "
        "const uint8_t *mask, uint8_t *rgb);\n"
        "int make(const posegen_input photo, const posegen_input background, "
        f"const uint8_t *mask, uint8_t *rgb) {{\n{C}return 0;\n}}\n"
    )
    flags = ["-std=c11", "-fsyntax-only", "-Wall", "-Wextra", "-Werror"]
    include = ROOT / "runtime" / "capi"
    subprocess.run(["cc", *flags, "-I", str(include), str(tmp_path / "block.c")], check=True)


def headers() -> Path | None:
    """Where ONNX Runtime's C++ header is; CI installs it."""
    places = [os.environ.get("ONNXRUNTIME_ROOT", ""), "/usr/local", "/usr"]
    for place in filter(None, places):
        for file in Path(place).glob("include/**/onnxruntime_cxx_api.h"):
            return file.parent
    return None


def test_the_cpp_program_makes_our_image(bundle: Any, tmp_path: Path) -> None:
    include = headers()
    if include is None:
        pytest.skip("ONNX Runtime's C++ header is not installed")
    generator = bundle(SHIPPED_BUNDLE)
    Path("recipe.cpp").write_text(CPP)
    (library,) = (Path(onnxruntime.__file__).parent / "capi").glob("libonnxruntime.so*")
    flags = ["-std=c++17", "-Wall", "-Wextra", "-Werror", "-isystem", str(include)]
    Path("libonnxruntime.so.1").symlink_to(library)  # the name by which a program asks for it
    command = ["c++", *flags, "recipe.cpp", "-o", "recipe", "libonnxruntime.so.1"]
    subprocess.run([*command, f"-Wl,-rpath,{tmp_path}"], check=True)
    mask = cv2.imread("mask.png", cv2.IMREAD_GRAYSCALE)
    assert mask is not None
    cv2.imwrite("mask.pgm", mask)
    for name in ("appearance", "background"):
        cv2.imwrite(f"{name}.ppm", generator.default(name)[..., ::-1])
    files = ["mask.pgm", "appearance.ppm", "background.ppm", "image.ppm"]
    graph = "bundles/cars/fp32/generator.onnx"
    subprocess.run(["./recipe", graph, *files], check=True)
    difference = np.abs(written("image.ppm").astype(int) - expected(generator))
    assert difference.max() <= 1
    few = subprocess.run(["./recipe", graph, *files[:1] * 3, "x.ppm"], capture_output=True)
    assert few.returncode == 1
    assert b"fewer pixels" in few.stderr


def test_plain_tensorrt_builds_an_engine(bundle: Any) -> None:
    pytest.importorskip("tensorrt_rtx", reason="TensorRT-RTX has wheels for x86-64 alone")
    bundle(SHIPPED_BUNDLE)
    block = BUILD.replace("import tensorrt as trt", "import tensorrt_rtx as trt")
    code = f"{block}\nassert network.num_inputs == 4"
    subprocess.run([sys.executable, "-c", code], check=True)
    assert Path("generator.engine").stat().st_size > 100_000


def test_plain_tensorrt_uses_names_that_exist() -> None:
    trt = pytest.importorskip("tensorrt_rtx", reason="TensorRT-RTX has wheels for x86-64 alone")
    driver = pytest.importorskip("cuda.bindings.runtime")
    block = RUN.replace("import tensorrt as trt", "import tensorrt_rtx as trt")
    uses = Uses(trt)
    uses.visit(ast.parse(block))
    assert {"Logger", "Runtime", "Runtime.deserialize_cuda_engine"} <= uses.used
    assert not uses.missing
    for name in re.findall(r"\bcuda\.(\w+(?:\.\w+)?)", block.replace("cuda.bindings", "")):
        owner: Any = driver
        for part in name.split("."):
            owner = getattr(owner, part)


@pytest.mark.parametrize("link", re.findall(r"\]\(([^)#]+\.md)[^)]*\)", PAGE))
def test_the_page_links_to_pages(link: str) -> None:
    assert (ROOT / "docs" / link).is_file()
