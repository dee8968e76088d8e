from posegen_runtime.cluster.shards import MOST, cut, packed, size_of_shards, unpacked
from posegen_runtime.ledger import PlannedJob


def planned(numbers: list[int]) -> list[PlannedJob]:
    return [
        PlannedJob(
            job=number,
            mask=f"folder/{number:05}.png",
            stem=f"folder/{number:05}",
            variation=0,
            suffix="",
            appearance=None,
            background="a.jpg",
            attempts=0,
        )
        for number in numbers
    ]


def test_every_job_is_in_one_shard_in_order() -> None:
    jobs = planned([3, 5, 6, 7, 20, 21, 22])
    shards = list(cut(iter(jobs), 3))
    assert [len(shard) for shard in shards] == [3, 3, 1]
    assert [job for shard in shards for job in shard] == jobs


def test_what_is_done_together_is_one_shard() -> None:
    shards = list(cut(planned([10, 11, 12, 13, 14, 30, 31]), 2, together=5))
    assert [[job.job for job in shard] for shard in shards] == [[10, 11, 12, 13, 14], [30, 31]]


def test_a_shard_survives_packing_in_a_few_bytes_a_job() -> None:
    jobs = planned(list(range(500)))
    assert unpacked(packed(jobs)) == jobs
    assert len(packed(jobs)) < 20 * len(jobs)


def test_few_images_keep_all_actors_busy_and_many_make_no_large_shards() -> None:
    assert size_of_shards(0, 4) == 1
    assert size_of_shards(64, 4) == 2
    assert size_of_shards(10**6, 4) == MOST
