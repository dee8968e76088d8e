"""Shards as other programs read them, through the real ledger, and what ends a run early."""

import errno
import hashlib
import importlib.util
import json
import os
import pickle
import shutil
import subprocess
import tarfile
from functools import partial
from itertools import groupby
from pathlib import Path

import cv2
import numpy as np
import pytest
from pycocotools import mask as coco

from killing import was_killed
from ledger_jobs import rows_of
from posegen_runtime.choices import ImageFormat
from posegen_runtime.errors import PoseGenError
from posegen_runtime.ledger import Counts, Ledger
from posegen_runtime.poses import Pose
from posegen_runtime.report import write_report
from posegen_runtime.report.rows import ReportRow
from posegen_runtime.rows import Made
from posegen_runtime.sinks.shard import Shard
from posegen_runtime.sinks.shard_reader import ShardReader
from posegen_runtime.sinks.webdataset import SampleWriter, WebDatasetSink
from small_runs import finished_of, image_of, jobs_of, prepared_of, run

STEMS = ["a", "b.left", "c/d", "c/d.x", "ü" * 60, "long" * 60, "__g__/h", "i", "j", "k"]
POSE = Pose(
    mask="a.png",
    category="car",
    R_m2c=(1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0),
    t_m2c=(0.0, 0.0, 5.0),
    t_unit="m",
    cam_K=(30.0, 0.0, 16.0, 0.0, 30.0, 16.0, 0.0, 0.0, 1.0),
    image_size=(32, 32),
    camera_frame="opencv",
    pixel_center="half",
)


def sink_of(out: Path, jobs: int = 4) -> WebDatasetSink:
    return WebDatasetSink(out, SampleWriter(out=out, format=ImageFormat.PNG, jobs=jobs))


def shards(out: Path) -> dict[str, bytes]:
    folder = out / "shards"
    return (
        {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
        if folder.exists()
        else {}
    )


def names_in(out: Path, shard: int) -> list[str]:
    with tarfile.open(out / "shards" / f"shard-{shard:06}.tar") as tar:
        return tar.getnames()


def counts(out: Path) -> Counts:
    with Ledger.open(out, write=False) as ledger:
        return ledger.counts()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output of an undisturbed run; read it, do not change it."""
    out = tmp_path_factory.mktemp("whole")
    assert run(out, sink_of(out), jobs_of(STEMS)) == list(range(10))
    return out


def test_samples_come_in_the_order_of_the_jobs(whole: Path) -> None:
    assert sorted(shards(whole)) == [
        f"shard-00000{number}.{end}" for number in range(3) for end in ("json", "tar")
    ]
    assert names_in(whole, 0)[:6] == [
        "a.png",
        "a.mask.png",
        "a.json",
        "b%2Eleft.png",
        "b%2Eleft.mask.png",
        "b%2Eleft.json",
    ]
    assert len(names_in(whole, 2)) == 6
    assert counts(whole) == Counts(planned=10, done=10, rejected=0, failed=0, pending=0)


def test_a_sample_holds_image_mask_and_labels(whole: Path) -> None:
    read = ShardReader(whole)
    jobs = jobs_of(STEMS)
    for row in rows_of(whole):
        tar = row.image.partition(".tar/")[0]
        assert tar == f"shards/shard-{row.job // 4:06}"
        image = cv2.imdecode(np.frombuffer(read(row.image), np.uint8), cv2.IMREAD_COLOR)
        np.testing.assert_array_equal(image[..., ::-1], image_of(jobs[row.job]))
        mask = cv2.imdecode(np.frombuffer(read(row.mask_file), np.uint8), cv2.IMREAD_UNCHANGED)
        np.testing.assert_array_equal(mask, prepared_of(jobs[row.job]).mask)
        labels = json.loads(read(row.image.removesuffix("png") + "json"))
        assert (labels["mask"], labels["variation"]) == (row.mask, 0)
        assert labels["appearance"] == "a.jpg"
        assert labels["category"] == "object"
        assert labels["viewpoint"] == [0.0, 0.6, 0.8]
        assert labels["placement"]["target_size"] == [32, 32]
        rle = {"size": labels["coco"]["size"], "counts": labels["coco"]["counts"]}
        np.testing.assert_array_equal(coco.decode(rle) * 255, mask)
        assert set(row.timings) == {"encode"}


def test_members_of_a_sample_stand_together_under_a_key_of_their_own(whole: Path) -> None:
    # As readers group them: a sample ends where what stands before the first dot changes.
    names = [name for shard in range(3) for name in names_in(whole, shard)]
    keys = [key for key, _ in groupby(names, key=lambda name: name.partition(".")[0])]
    assert len(keys) == len(set(keys)) == len(STEMS)
    assert [name.partition(".")[2] for name in names] == ["png", "mask.png", "json"] * len(STEMS)
    assert not any(key.startswith("__") for key in keys)


def test_the_report_shows_images_out_of_shards(whole: Path, tmp_path: Path) -> None:
    rows = [
        ReportRow(mask=row.mask, state="done", image=row.image, mask_file=row.mask_file)
        for row in rows_of(whole)
    ]
    page = write_report(tmp_path, rows, {}, read=ShardReader(whole)).read_text()
    assert page.count("data:image/jpeg;base64,") == len(STEMS)


def test_gnu_tar_reads_and_unpacks_a_shard(whole: Path, tmp_path: Path) -> None:
    tar = whole / "shards" / "shard-000001.tar"
    listed = subprocess.run(
        ["tar", "--quoting-style=literal", "-tf", tar], capture_output=True, check=True
    )
    assert listed.stdout.decode().splitlines() == names_in(whole, 1)
    unpacked = subprocess.run(["tar", "-xf", tar, "-C", tmp_path], capture_output=True, check=True)
    assert unpacked.stderr == b""
    assert (tmp_path / f"{'ü' * 60}.png").is_file()


@pytest.mark.skipif(
    importlib.util.find_spec("webdataset") is None, reason="needs the webdataset library"
)
def test_the_webdataset_library_gives_every_image_once(whole: Path) -> None:
    import webdataset

    tars = [str(path) for path in sorted((whole / "shards").glob("*.tar"))]
    samples = list(webdataset.WebDataset(tars, shardshuffle=False).decode("rgb8"))
    rows = rows_of(whole)
    assert [sample["__key__"] for sample in samples] == [
        row.image.partition(".tar/")[2].removesuffix(".png") for row in rows
    ]
    for sample, job in zip(samples, jobs_of(STEMS), strict=True):
        np.testing.assert_array_equal(sample["png"], image_of(job))
        np.testing.assert_array_equal(sample["mask.png"][..., 0], prepared_of(job).mask)
        assert sample["json"]["mask"] == job.mask.name


def test_statistics_tell_what_a_shard_holds(tmp_path: Path) -> None:
    run(
        tmp_path,
        sink_of(tmp_path),
        jobs_of(STEMS),
        fails=lambda job: job.number in (5, 8, 9),
        objects=lambda job: ("1", "2") if job.number == 4 else ("",),
    )
    found = json.loads((tmp_path / "shards/shard-000001.json").read_text())
    data = (tmp_path / "shards/shard-000001.tar").read_bytes()
    assert found == {
        "schema": 1,
        "tar": "shard-000001.tar",
        "bytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        "images": 4,
        "first_job": 4,
        "last_job": 7,
        "job_step": 1,
        "states": {"done": 4, "failed": 1},
    }
    assert names_in(tmp_path, 1)[:4:3] == [f"{'ü' * 60}_1.png", f"{'ü' * 60}_2.png"]
    empty = json.loads((tmp_path / "shards/shard-000002.json").read_text())
    assert (empty["tar"], empty["bytes"], empty["sha256"], empty["images"]) == (None, 0, None, 0)
    assert (empty["first_job"], empty["last_job"]) == (8, 9)
    assert not (tmp_path / "shards/shard-000002.tar").exists()
    assert counts(tmp_path) == Counts(planned=11, done=8, rejected=0, failed=3, pending=0)


def test_jpeg_and_pose(tmp_path: Path) -> None:
    writer = SampleWriter(out=tmp_path, format=ImageFormat.JPG)
    assert pickle.loads(pickle.dumps(writer)) == writer
    (job,) = jobs_of(["a"])
    (written,) = writer([Made(prepared_of(job, pose=POSE), image_of(job))])
    assert written.result.image == "shards/shard-000000.tar/a.jpg"
    (sample,) = written.files.values()
    (tmp_path / "a.tar").write_bytes(sample)
    with tarfile.open(tmp_path / "a.tar") as tar:
        assert tar.getnames() == ["a.jpg", "a.mask.png", "a.json"]
        labels = json.loads(tar.extractfile("a.json").read())  # type: ignore[union-attr]
    assert (labels["category"], labels["pose"]["mask"]) == ("car", "a.mask.png")
    named = SampleWriter(out=tmp_path, format=ImageFormat.JPG, category="van")
    (written,) = named([Made(prepared_of(job, pose=POSE), image_of(job))])
    assert b'"category":"van"' in next(iter(written.files.values()))


def test_a_stopped_run_keeps_whole_shards_only(tmp_path: Path, whole: Path) -> None:
    jobs = jobs_of(STEMS)
    assert run(tmp_path, sink_of(tmp_path), jobs, stop_after=7) == list(range(7))
    assert sorted(shards(tmp_path)) == ["shard-000000.json", "shard-000000.tar"]
    assert counts(tmp_path) == Counts(planned=10, done=4, rejected=0, failed=0, pending=6)
    assert run(tmp_path, sink_of(tmp_path), jobs) == list(range(4, 10))
    assert shards(tmp_path) == shards(whole)


def test_nothing_is_left_to_do_after_a_whole_run(whole: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(whole, out)
    assert run(out, sink_of(out), jobs_of(STEMS)) == []
    assert shards(out) == shards(whole)


def test_a_retry_makes_all_of_a_shard_again(tmp_path: Path, whole: Path) -> None:
    jobs = jobs_of(STEMS)
    failing = {4, 6, 9}
    run(tmp_path, sink_of(tmp_path), jobs, fails=lambda job: job.number in failing)
    first = (tmp_path / "shards/shard-000000.tar").stat()  # reading it changes st_atime
    assert run(tmp_path, sink_of(tmp_path), jobs) == []
    assert run(tmp_path, sink_of(tmp_path), jobs, retry_failed=True) == list(range(4, 10))
    assert shards(tmp_path) == shards(whole)
    assert counts(tmp_path) == counts(whole)
    again = (tmp_path / "shards/shard-000000.tar").stat()
    assert (again.st_ino, again.st_mtime_ns) == (first.st_ino, first.st_mtime_ns)
    assert [row.image for row in rows_of(tmp_path)] == [row.image for row in rows_of(whole)]


def test_a_retry_that_gives_nothing_leaves_no_tar(tmp_path: Path) -> None:
    jobs = jobs_of(STEMS[:4])
    run(tmp_path, sink_of(tmp_path), jobs, fails=lambda job: job.number == 0)
    assert "shard-000000.tar" in shards(tmp_path)
    run(tmp_path, sink_of(tmp_path), jobs, fails=lambda job: True, retry_failed=True)
    assert list(shards(tmp_path)) == ["shard-000000.json"]
    assert counts(tmp_path) == Counts(planned=4, done=0, rejected=0, failed=4, pending=0)


@pytest.mark.parametrize("moment", ["commit", "write_statistics", "finish"])
def test_a_retry_killed_at_the_end_of_a_shard_is_done_again(
    tmp_path: Path, whole: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """The ledger never calls failed what the shard holds: without --retry-failed it would stay."""
    jobs = jobs_of(STEMS)
    run(tmp_path, sink_of(tmp_path), jobs, fails=lambda job: job.number == 5)
    where = {
        "commit": "posegen_runtime.sinks.shard.Shard.commit",
        "write_statistics": "posegen_runtime.sinks.webdataset.write_statistics",
        "finish": "posegen_runtime.ledger.Ledger.finish",
    }

    class Killed(BaseException):
        pass

    def kill(*args: object) -> None:
        if moment != "finish" or args[1]:
            raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(where[moment], kill)
        with pytest.raises(Killed):
            run(tmp_path, sink_of(tmp_path), jobs, retry_failed=True)
    assert counts(tmp_path) == Counts(planned=10, done=6, rejected=0, failed=0, pending=4)
    assert run(tmp_path, sink_of(tmp_path), jobs) == [4, 5, 6, 7]
    assert shards(tmp_path) == shards(whole)


@pytest.mark.parametrize("retry", [False, True])
def test_a_killed_run_goes_on_to_the_same_shards(tmp_path: Path, whole: Path, retry: bool) -> None:
    calls = [
        (os, "replace"),
        (Shard, "append"),
        (Shard, "commit"),
        (Ledger, "plan"),
        (Ledger, "reopen"),
        (Ledger, "finish"),
    ]
    jobs = jobs_of(STEMS)
    killed = 0
    for moment in range(2, 44, 2):  # from a ledger on
        out = tmp_path / f"out {moment}"
        if retry:
            run(out, sink_of(out), jobs, fails=lambda job: job.number in (2, 9))

        def work(out: Path = out) -> None:
            run(out, sink_of(out), jobs, retry_failed=retry)

        killed += was_killed(work, moment, calls)
        found = counts(out)
        assert found.planned == found.done + found.failed + found.pending
        tars = {name: data for name, data in shards(out).items() if name.endswith("r")}
        if not retry:
            assert all(shards(whole)[name] == data for name, data in tars.items())
        # What the ledger calls done is in a tar.
        read = ShardReader(out)
        for row in rows_of(out):
            assert not row.image or read(row.image)
        run(out, sink_of(out), jobs, retry_failed=retry)
        assert shards(out) == shards(whole), moment
        assert counts(out) == counts(whole), moment
    assert killed >= (15 if retry else 12)


def test_a_shard_that_cannot_be_written_ends_the_run(tmp_path: Path) -> None:
    (tmp_path / "shards").write_bytes(b"a file in the way")
    with pytest.raises(PoseGenError, match=r"shards/shard-000000\.tar: cannot be written") as error:
        run(tmp_path, sink_of(tmp_path), jobs_of(STEMS))
    assert isinstance(error.value.__cause__, OSError)
    assert counts(tmp_path).pending == 10


def test_a_full_disk_costs_the_open_shard_only(
    tmp_path: Path, whole: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("secrets.token_hex", lambda count: "0" * 2 * count)
    sink, jobs = sink_of(tmp_path), jobs_of(STEMS)
    given = iter(jobs)
    with Ledger.open(tmp_path, write=True) as ledger:
        ledger.plan(jobs, len(jobs))
        assert len(list(sink.jobs_to_do(ledger, False))) == 10
        for _ in range(4):
            results = sink.add(finished_of(sink, next(given)))
        ledger.finish(results)
        (tmp_path / "shards/.shard-000001.tar.00000000.part").symlink_to("/dev/full")
        with pytest.raises(PoseGenError, match=r"shard-000001\.tar: cannot be written") as error:
            list(map(sink.add, map(partial(finished_of, sink), given)))
        assert isinstance(error.value.__cause__, OSError)
        assert error.value.__cause__.errno == errno.ENOSPC
        assert sink.close(whole=False) == []
    assert counts(tmp_path) == Counts(planned=10, done=4, rejected=0, failed=0, pending=6)
    assert sorted(shards(tmp_path)) == ["shard-000000.json", "shard-000000.tar"]
    run(tmp_path, sink_of(tmp_path), jobs)
    assert shards(tmp_path) == shards(whole)


def test_jobs_out_of_turn_are_an_error(tmp_path: Path) -> None:
    sink = sink_of(tmp_path)
    first, second, *_ = jobs_of(STEMS)
    with Ledger.open(tmp_path, write=True) as ledger:
        ledger.plan(jobs_of(STEMS), 10)
        assert [job.job for job in sink.jobs_to_do(ledger, False)] == list(range(10))
    with pytest.raises(ValueError, match="job 1 comes out of turn"):
        sink.add(finished_of(sink, second))
    assert sink.add(finished_of(sink, first)) == []
    with pytest.raises(ValueError, match="job 0 comes out of turn"):
        sink.add(finished_of(sink, first))


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("shards/shard-000000.tar/zzz.png", "does not hold zzz.png"),
        ("shards/shard-000009.tar/a.png", "cannot be read"),
        ("../shards/shard-000000.tar/a.png", "names nothing in a shard"),
        ("images/a.png", "names nothing in a shard"),
    ],
)
def test_a_name_that_is_not_there_is_refused(whole: Path, name: str, reason: str) -> None:
    with pytest.raises(PoseGenError, match=reason):
        ShardReader(whole)(name)
