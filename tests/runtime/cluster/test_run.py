"""Whole runs with `--engine ray` where Ray is this process: see `cluster_here`."""

import errno
from pathlib import Path

import cv2
import msgspec
import pytest

from cluster_here import Here, assert_same
from posegen_runtime.cluster import engine, machine
from posegen_runtime.cluster.lease import Lease
from posegen_runtime.cluster.maker import TRIES, Order, moved
from posegen_runtime.errors import PoseGenError
from posegen_runtime.generator import load_bundle
from posegen_runtime.inputs import find_inputs
from posegen_runtime.ledger import Counts
from posegen_runtime.options import RunOptions
from tiny_bundle import example_mask, example_photo
from whole_runs import counts, posegen_run, record, write_masks

MASKS = 12


class Run:
    """The same command on one machine and on a cluster."""

    def __init__(self, folder: Path, bundle: Path) -> None:
        self.masks = write_masks(folder / "masks", MASKS)
        (self.masks / "bad.png").write_bytes(b"no image")
        (folder / "photos").mkdir()
        for index in range(3):
            cv2.imwrite(str(folder / f"photos/{index}.png"), example_photo(index, 100))
        self.given = [
            *("--masks", self.masks, "--bundle", bundle, "--backend", "cpu", "--per-mask", "2"),
            *("--appearance", folder / "photos", "--background", folder / "photos"),
        ]

    def __call__(self, out: Path, *more: object) -> int:
        return posegen_run(*self.given, "--out", out, *more)


@pytest.fixture
def run(tmp_path: Path, tiny_bundle: Path) -> Run:
    return Run(tmp_path, tiny_bundle)


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> Here:
    return Here(monkeypatch, machines=2)


@pytest.mark.parametrize(
    "more", [[], ["--sink", "webdataset"], ["--format", "jpg", "--shard", "2/3"]]
)
def test_one_machine_and_a_cluster_write_the_same(
    run: Run, here: Here, tmp_path: Path, more: list[str]
) -> None:
    one, many = tmp_path / "one", tmp_path / "many"
    assert run(one, *more) == 1
    assert run(many, "--engine", "ray", *more) == 1  # a mask is no image
    assert_same(one, many)
    assert len(here.shards) == 1 if "webdataset" in more else len(here.shards) > 4
    assert record(many)["state"] == "finished"
    machines = record(many)["hardware"]["machines"]
    assert machines == {"1": "host0: 2 cores, 0 GPUs", "2": "host1: 2 cores, 0 GPUs"}
    assert record(many)["options"]["engine"] == "ray"


def test_whole_frames_and_a_preview(here: Here, run: Run, tmp_path: Path) -> None:
    one, many = tmp_path / "one", tmp_path / "many"
    frames = tmp_path / "frames"
    frames.mkdir()
    for index in range(2):
        cv2.imwrite(str(frames / f"{index}.png"), example_photo(index, 128))
    (tmp_path / "sized").mkdir()
    for index in range(5):
        cv2.imwrite(str(tmp_path / f"sized/{index}.png"), example_mask(index, 128))
    given = [*run.given, "--paste", "--background", frames, "--masks", tmp_path / "sized"]
    assert posegen_run(*given, "--out", one) == 0
    assert posegen_run(*given, "--out", many, "--engine", "ray", "--preview") == 0
    assert_same(one, many)
    assert (many / "preview.png").stat().st_size > 1000


def test_the_shards_of_the_dead_are_left_to_do_and_all_others_made(
    run: Run, here: Here, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"

    def dies(shard: int, order: Order) -> None:
        for _ in range({1: TRIES, 2: TRIES - 1}.get(shard, 0)):
            order.lease.begin(shard)

    here.before = dies
    assert run(out, "--engine", "ray", "--actors", "1") == 1
    told = capsys.readouterr().err
    assert "died at jobs 4 to 7, which are left to do" in told
    assert "4 images are left to do; the same command tries them again" in told
    assert "note: " in told
    assert "died at jobs 8 to 11; they were made again on" in told
    assert counts(out) == Counts(planned=26, done=20, rejected=0, failed=2, pending=4)
    assert record(out)["state"] == "stopped"
    assert posegen_run("--out", out, "--status") == 0
    assert "20 done + 0 rejected + 2 failed + 4 pending" in capsys.readouterr().out
    one = tmp_path / "one"
    run(one)
    assert run(out) == 1  # the same command, on one machine
    assert_same(one, out)


def test_interrupted_it_goes_on_anywhere(run: Run, here: Here, tmp_path: Path) -> None:
    out, one = tmp_path / "out", tmp_path / "one"

    def interrupted(shard: int, order: Order) -> None:
        if shard == 2:
            order.lease.end()  # what Ctrl-C leads to

    here.before = interrupted
    run(out, "--engine", "ray", "--actors", "1")
    assert counts(out).done == 8
    here.before = lambda shard, order: None
    here.shards.clear()
    assert run(out, "--engine", "ray", "--actors", "1") == 1
    run(one)
    assert_same(one, out)


def test_what_no_machine_could_do_ends_the_run(
    run: Run, here: Here, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"

    def full(shard: int, order: Order) -> None:
        if shard == 1:
            (out / "images" / "0003-v0.png").mkdir(parents=True)

    here.before = full
    assert run(out, "--engine", "ray", "--actors", "1") == 2
    told = capsys.readouterr().err
    assert "0003-v0.png: cannot be written" in told
    assert counts(out).pending == 26 - counts(out).done - counts(out).failed > 0
    assert not list(out.glob(".*.part"))
    assert record(out)["state"] == "stopped"


def test_a_full_disk_there_is_a_full_disk_here(
    run: Run, here: Here, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*given: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    here.before = lambda shard, order: monkeypatch.setattr("os.replace", full)
    assert run(tmp_path / "out", "--engine", "ray") == 3


def test_a_folder_that_others_do_not_see_is_refused(
    run: Run,
    here: Here,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(Lease, "holds", lambda self: False)
    assert run(tmp_path / "out", "--engine", "ray") == 2
    assert "is not the folder that it is here" in capsys.readouterr().err
    assert here.shards == []


def test_machines_that_make_other_images_are_told_of(
    run: Run,
    here: Here,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    there = iter(["a", "b"])
    real = machine.look

    def look(question: machine.Question) -> machine.Answer:
        return msgspec.structs.replace(real(question), pixels=next(there))

    monkeypatch.setattr(engine, "look", look)
    assert run(tmp_path / "out", "--engine", "ray") == 1
    assert "makes other pixels than" in capsys.readouterr().err

    def other(question: machine.Question) -> machine.Answer:
        return msgspec.structs.replace(real(question), engine=next(engines))

    engines = iter(["ONNX Runtime 1", "ONNX Runtime 2"])
    monkeypatch.setattr(engine, "look", other)
    assert run(tmp_path / "other", "--engine", "ray") == 2
    assert "install the same on all" in capsys.readouterr().err
    assert not (tmp_path / "other").exists()


def test_a_shard_that_is_made_twice_counts_once(run: Run, here: Here, tmp_path: Path) -> None:
    one, many = tmp_path / "one", tmp_path / "many"
    here.times = 2
    assert run(many, "--engine", "ray") == 1
    assert len(here.shards) == 2 * len(set(here.shards))
    run(one)
    assert_same(one, many)


def test_a_replay_of_it_needs_no_cluster(run: Run, here: Here, tmp_path: Path) -> None:
    run(tmp_path / "out", "--engine", "ray")
    made = len(here.shards)
    assert posegen_run("--replay", tmp_path / "out", "--out", tmp_path / "again") == 0
    assert len(here.shards) == made
    assert record(tmp_path / "again")["options"]["engine"] == "local"


def test_what_a_bundle_brings_along_is_found_where_it_lies_there() -> None:
    bundle = load_bundle()
    inputs = find_inputs(RunOptions(masks=None, out=Path("out")), bundle)
    there = moved(inputs, bundle.root, Path("/elsewhere"))
    for kind in ("masks", "appearances", "backgrounds"):
        sources, others = getattr(inputs, kind), getattr(there, kind)
        assert [one.name for one in others] == [one.name for one in sources]
        assert all(Path("/elsewhere") in one.path.parents for one in others)
    assert there.frames.sources == there.masks
    assert moved(inputs, bundle.root, bundle.root) is inputs


class RayError(Exception):
    __module__ = "ray.exceptions"


def test_what_ray_raises_is_explained() -> None:
    inside = RuntimeError("pool\nno actor is left")
    inside.__cause__ = RayError()
    for error, why in ((RayError(), "RayError"), (inside, "no actor is left")):
        stopped = pytest.raises(PoseGenError, match=rf"the cluster stopped \({why}\)")
        with stopped, engine._explained(iter([])):
            raise error


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "full"), KeyError("shard"), PoseGenError()]
)
def test_what_is_not_ray_s_is_no_stopped_cluster(error: Exception) -> None:
    with pytest.raises(type(error)) as raised, engine._explained(iter([])):
        raise error
    assert raised.value is error
