"""Triton Inference Server itself, from the package nvidia-pytriton:

    pip install --no-deps nvidia-pytriton==0.7.0

Its backends for ONNX Runtime and TensorRT are not in it: see `triton_onnxruntime`.
"""

import os
import shutil
import socket
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import tritonclient.http

PATIENCE = 120
"""Seconds until the models are loaded."""


class Address(NamedTuple):
    http: str
    grpc: str


def server_folder() -> Path | None:
    """Where the server is installed, if it is."""
    found = find_spec("pytriton")
    return None if found is None or found.origin is None else Path(found.origin).parent


def make_backends(folder: Path) -> Path:
    """A folder of backends: Python, as this interpreter needs it, and ONNX Runtime on top of it."""
    installed = server_folder()
    assert installed is not None
    server = installed / "tritonserver"
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    shutil.copytree(server / "backends/python", folder / "python")
    stub = folder / "python/triton_python_backend_stub"
    shutil.copyfile(server / f"python_backend_stubs/{version}/{stub.name}", stub)
    stub.chmod(0o755)
    (folder / "onnxruntime").mkdir()
    backend = Path(__file__).with_name("triton_onnxruntime.py")
    shutil.copyfile(backend, folder / "onnxruntime/model.py")
    return folder


@contextmanager
def triton_server(repository: Path, scratch: Path, *more: str) -> Iterator[Address]:
    """The addresses of a server that has loaded every model of `repository`.

    It completes no configuration by itself, and ends where one is wrong.
    """
    installed = server_folder()
    assert installed is not None
    server = installed / "tritonserver"
    http, grpc = _free_ports(2)
    command = [
        server / "bin/tritonserver",
        f"--model-repository={repository}",
        f"--backend-directory={make_backends(scratch / 'backends')}",
        f"--cache-directory={server / 'caches'}",
        f"--http-port={http}",
        f"--grpc-port={grpc}",
        "--allow-metrics=false",
        "--disable-auto-complete-config",
        *more,
    ]
    libraries = [installed.parent / "nvidia_pytriton.libs", sysconfig.get_config_var("LIBDIR")]
    environment = {
        **os.environ,
        "LD_LIBRARY_PATH": os.pathsep.join(map(str, libraries)),
        # The interpreter in the server is the one that PATH names, with that one's packages.
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
    }
    log = scratch / "log.txt"
    with log.open("wb") as output:
        process = subprocess.Popen(
            list(map(str, command)), stdout=output, stderr=output, env=environment
        )
    try:
        deadline = time.monotonic() + PATIENCE
        while not _is_ready(f"127.0.0.1:{http}"):
            assert process.poll() is None, log.read_text(errors="replace")
            assert time.monotonic() < deadline, log.read_text(errors="replace")
            time.sleep(0.2)
        yield Address(f"127.0.0.1:{http}", f"127.0.0.1:{grpc}")
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _is_ready(url: str) -> bool:
    # A connection left open would keep the server from ending.
    with tritonclient.http.InferenceServerClient(url) as client:
        try:
            return bool(client.is_server_ready())
        except OSError:  # nobody listens yet
            return False


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports
