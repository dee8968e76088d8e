"""A real Ray cluster of two machines on this one, whose workers and machines die midway."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bulk_runs import COMMAND
from cluster_here import assert_same
from posegen_runtime.cluster.connection import QUIET
from posegen_runtime.ledger import Counts
from whole_runs import counts, images_there, posegen_run, write_masks

pytestmark = pytest.mark.slow

IMAGES = 300
MIDWAY = 30
PATIENCE = 600.0

DEADLY = """
import os, signal, sys
def hook(event, arguments):
    if event == "open" and str(arguments[0]).endswith("deadly.png"):
        os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(hook)
"""
"""Each process of the cluster dies of this file, as decoders do of files made to break them."""


def started(start: Callable[[], Any]) -> Any:
    """Ray gives its processes half a minute, which is little on a machine that does much else."""
    for _ in range(3):
        try:
            return start()
        except Exception as error:
            failure = error
    raise failure


class Cluster:
    """Two machines of one core each; `machine`, which is not the head, can be taken away."""

    def __init__(self, folder: Path) -> None:
        (folder / "sitecustomize.py").write_text(DEADLY)
        path = os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PYTHONPATH", path)
            # Ray is polite to what else goes on, which tests beside this one would use.
            for name, value in {**QUIET, "RAY_worker_niceness": "0"}.items():
                patch.setenv(name, value)
            from ray.cluster_utils import Cluster as Nodes

            one = {"num_cpus": 1, "object_store_memory": 80 * 2**20}
            head = {**one, "include_dashboard": False}
            self.nodes = started(lambda: Nodes(initialize_head=True, head_node_args=head))
            self.machine = started(lambda: self.nodes.add_node(**one))
        self.address = self.nodes.address


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    made = Cluster(tmp_path_factory.mktemp("deadly"))
    yield made
    made.nodes.shutdown()


@pytest.fixture(scope="module")
def masks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_masks(tmp_path_factory.mktemp("inputs") / "masks", IMAGES)


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory, masks: Path, tiny_bundle: Path) -> Path:
    """The output of one machine."""
    out = tmp_path_factory.mktemp("alone") / "out"
    assert posegen_run(*given(masks, tiny_bundle, out)) == 0
    return out


def given(masks: Path, bundle: Path, out: Path) -> list[object]:
    return ["--masks", masks, "--bundle", bundle, "--out", out, "--backend", "cpu"]


def start(cluster: Cluster, *arguments: object) -> subprocess.Popen[str]:
    words = [str(word) for word in (*arguments, "--engine", "ray", "--address", cluster.address)]
    return subprocess.Popen(
        [*COMMAND, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def wait_for(condition: Callable[[], object], process: subprocess.Popen[str]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.003)


def working(out: Path) -> list[int]:
    """Processes that have begun a shard."""
    found = []
    for file in out.glob(".*.part"):
        try:
            _, comma, number = file.read_text().rpartition(", process ")
        except OSError:
            continue
        found += [int(number)] if comma else []
    return found


def end(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Exit code, and what it told."""
    _, told = process.communicate(timeout=PATIENCE)
    return process.returncode, told


def assert_quiet(told: str) -> None:
    """Nothing of Ray's own."""
    ours = re.compile(r"ray: |backend |masks read as |note: |\d+ of \d+ images, ")
    assert [line for line in told.splitlines() if not ours.match(line)] == []


def test_a_killed_worker_costs_nothing_but_time(
    cluster: Cluster, masks: Path, tiny_bundle: Path, alone: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    process = start(cluster, *given(masks, tiny_bundle, out))
    wait_for(lambda: images_there(out) > MIDWAY and working(out), process)
    os.kill(working(out)[0], signal.SIGKILL)
    code, told = end(process)
    assert code == 0
    assert_same(alone, out)
    assert "ray: 2 actors with 1 core each, on 2 machines" in told
    assert_quiet(told)


def test_interrupted_it_goes_on_without_the_cluster(
    cluster: Cluster, masks: Path, tiny_bundle: Path, alone: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    process = start(cluster, *given(masks, tiny_bundle, out))
    wait_for(lambda: images_there(out) > MIDWAY, process)
    process.send_signal(signal.SIGINT)
    code, told = end(process)
    assert code == 130, told
    made = counts(out)
    assert 0 < made.done < IMAGES
    assert made.done + made.pending == IMAGES == made.planned
    assert made.done == images_there(out)  # what was in flight is not lost
    assert not list(out.glob(".*.part"))
    assert posegen_run(*given(masks, tiny_bundle, out)) == 0
    assert_same(alone, out)


def test_a_file_that_kills_its_reader_is_a_failed_row(
    cluster: Cluster, tiny_bundle: Path, tmp_path: Path
) -> None:
    masks, out = write_masks(tmp_path / "masks", 20), tmp_path / "out"
    (masks / "0007.png").rename(masks / "deadly.png")
    # How masks are read is named: the machine that gives the command need not look at them.
    named = ("--mask-values", "half", "--mask-channel", "luma")
    code, told = end(start(cluster, *given(masks, tiny_bundle, out), *named))
    assert code == 1, told
    assert counts(out) == Counts(planned=20, done=19, rejected=0, failed=1, pending=0)
    assert "failed: deadly.png: " in told
    assert not list(out.glob(".*.part"))


def test_a_lost_machine_costs_nothing_but_time(
    cluster: Cluster, masks: Path, tiny_bundle: Path, alone: Path, tmp_path: Path
) -> None:
    """The last test: the machine does not come back."""
    out = tmp_path / "out"
    process = start(cluster, *given(masks, tiny_bundle, out))
    wait_for(lambda: images_there(out) > MIDWAY, process)
    cluster.nodes.remove_node(cluster.machine, allow_graceful=False)
    code, told = end(process)
    assert code == 0, told
    assert_same(alone, out)


def test_a_cluster_of_this_machine_alone_starts_and_ends_with_the_run(
    tiny_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    masks, out, one = write_masks(tmp_path / "masks", 20), tmp_path / "out", tmp_path / "one"
    words = [str(word) for word in given(masks, tiny_bundle, out)]
    done = subprocess.run(
        [*COMMAND, *words, "--engine", "ray", "--actors", "2", "--actor-cpus", "1"],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr
    assert posegen_run(*given(masks, tiny_bundle, one)) == 0
    assert_same(one, out)
    assert_quiet(done.stderr)
