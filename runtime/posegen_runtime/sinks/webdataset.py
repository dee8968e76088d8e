"""Generated images as tar shards, as the webdataset library and others read them.

Shard k holds the samples of jobs k·S to (k+1)·S - 1 in `shards/shard-00000k.tar`, in their order,
and its statistics stand in `shards/shard-00000k.json`. A sample is `KEY.png` or `KEY.jpg`,
`KEY.mask.png` and `KEY.json`. In the ledger the path of a member is that of its tar with the
member's name behind it: `shards/shard-000000.tar/KEY.png`.
"""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from posegen_runtime.choices import ImageFormat
from posegen_runtime.images import encode_image, encode_png
from posegen_runtime.labels.coco import encode_mask
from posegen_runtime.ledger import ImageData, ImageResult, JobResult, Ledger, PlannedJob, State
from posegen_runtime.options import DEFAULT_CATEGORY
from posegen_runtime.rows import Finished, Made, Prepared, Written, data_of
from posegen_runtime.sinks.rejected import is_rejected, write_rejected
from posegen_runtime.sinks.samples import SHARDS, Sample, key_of, members, shard_name
from posegen_runtime.sinks.shard import Shard, ShardStatistics, write_statistics
from posegen_runtime.sinks.tree import remove_partial

JOBS = 1000
"""In a shard: it decides how much a stop costs and how many tars there are."""


class SampleWriter(msgspec.Struct, frozen=True, kw_only=True):
    """Encodes images, each with its mask and labels, as the members that a shard will hold.

    `category` names all objects; None: each has that of its pose. What was rejected goes below
    `out` as files of its own.
    """

    out: Path
    format: ImageFormat
    jobs: int = JOBS
    """In a shard; it decides which one a job's images go to."""
    category: str | None = None

    def __call__(self, made: Sequence[Made]) -> list[Written]:
        """`Written.files` holds all members of a sample under the path of its key."""
        return [
            write_rejected(self.out, self.format, one) if is_rejected(one) else self._encode(one)
            for one in made
        ]

    def _encode(self, made: Made) -> Written:
        start = time.perf_counter()
        prepared, image = made.prepared, made.image
        key = key_of(prepared.stem)
        names = {"image": f"{key}.{self.format.value}", "mask": f"{key}.mask.png"}
        data = data_of(prepared, encode_mask(prepared.mask), made.verdict)
        sample = members(
            {
                names["image"]: encode_image(image, self.format),
                names["mask"]: encode_png(prepared.mask),
                f"{key}.json": msgspec.json.encode(self._describe(prepared, data, names["mask"])),
            }
        )
        tar = shard_name(prepared.job.number // self.jobs)
        result = ImageResult(
            object=prepared.object,
            state=State.DONE,
            image=f"{tar}/{names['image']}",
            mask_file=f"{tar}/{names['mask']}",
            data=data,
            timings={"encode": time.perf_counter() - start},
            finished=time.time(),
        )
        return Written(result=result, files={f"{tar}/{key}": sample})

    def _describe(self, prepared: Prepared, data: ImageData, mask: str) -> Sample:
        job, pose = prepared.job, prepared.pose
        if data.coco is None:
            raise ValueError("a sample has a mask")
        return Sample(
            mask=job.mask.name,
            object=prepared.object,
            variation=job.variation,
            appearance=job.appearance.name if job.appearance else None,
            background=job.background.name if job.background else None,
            category=self.category or (pose.category if pose else DEFAULT_CATEGORY),
            placement=data.placement,
            viewpoint=data.viewpoint,
            pose=msgspec.structs.replace(pose, mask=mask) if pose else None,
            coco=data.coco,
            unclear_share=data.unclear_share,
            notes=data.notes,
            verdict=data.verdict and data.verdict.figures,
        )


class WebDatasetSink:
    """See `Sink`; labels stand in the samples. Shards are whole or not there: what ends a run early
    costs the one that is open, whose jobs stay pending. Where a shard has any job to do, all its
    jobs are done again.

    Whoever gives it jobs that it did not name itself holds the ledger, and reopens them there
    before."""

    def __init__(self, out: Path, writer: SampleWriter) -> None:
        self._out = out
        self._writer = writer
        self._jobs = writer.jobs
        self._ledger: Ledger | None = None
        self._shard: Shard | None = None
        self._results: list[JobResult] = []

    @property
    def writer(self) -> SampleWriter:
        return self._writer

    def jobs_to_do(self, ledger: Ledger, retry_failed: bool) -> Iterator[PlannedJob]:
        """All jobs of each shard that has one to do; `add` writes to `ledger`, too."""
        self._ledger = ledger
        remove_partial(self._out, [SHARDS])
        end = 0
        for job in ledger.pending(retry_failed):
            if job.job >= end:
                first = job.job - job.job % self._jobs
                end = first + self._jobs
                yield from ledger.jobs_between(first, end)

    def add(self, finished: Finished) -> list[JobResult]:
        """Nothing until the last job of a shard, then all of them."""
        number, place = divmod(finished.job.number, self._jobs)
        if self._shard is None:
            self._shard = Shard(self._out, number)
        if (number, place) != (self._shard.number, len(self._results)):
            raise ValueError(f"job {finished.job.number} comes out of turn")
        for sample in finished.files.values():
            self._shard.append(sample)
        self._results.append(JobResult(finished.job.number, finished.images))
        return self._commit() if place == self._jobs - 1 else []

    def close(self, whole: bool) -> list[JobResult]:
        """The last shard may be shorter; of a run that was stopped it is dropped."""
        if whole and self._shard:
            return self._commit()
        if self._shard:
            self._shard.drop()
        self._shard, self._results = None, []
        return []

    def _commit(self) -> list[JobResult]:
        shard, results = self._shard, self._results
        if shard is None:
            raise ValueError("there is no job to commit")
        first, last = results[0].job, results[-1].job
        # Else a kill before the ledger knows what became of a retry would leave it with the old
        # rows for the new shard.
        if self._ledger:
            self._ledger.reopen(first, last + 1)
        digest = shard.commit()
        states = Counter(image.state.value for result in results for image in result.images)
        write_statistics(
            shard.path,
            ShardStatistics(
                tar=shard.path.name if digest else None,
                bytes=shard.bytes,
                sha256=digest,
                images=shard.images,
                first_job=first,
                last_job=last,
                states=dict(sorted(states.items())),
            ),
        )
        self._shard, self._results = None, []
        return results
