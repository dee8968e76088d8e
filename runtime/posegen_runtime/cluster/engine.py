"""`--engine ray`: shards of a run through a pool of actors, and into its one ledger."""

import pickle
import threading
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec

from posegen_runtime.bundle import MANIFEST, Bundle, sha256_of
from posegen_runtime.choices import BackendName, SinkName
from posegen_runtime.cluster.connection import connected
from posegen_runtime.cluster.lease import Lease
from posegen_runtime.cluster.machine import Answer, Question, look, sees
from posegen_runtime.cluster.maker import Order, ShardMaker, ShardResult, from_bytes, to_bytes
from posegen_runtime.cluster.shards import cut, packed, size_of_shards, unpacked
from posegen_runtime.cluster.sizing import Machine, Pool, machines_of, pool_for
from posegen_runtime.errors import PoseGenError
from posegen_runtime.inputs import Inputs
from posegen_runtime.making import Model, Step, Work
from posegen_runtime.options import RunOptions
from posegen_runtime.progress import say
from posegen_runtime.shape import Shapes
from posegen_runtime.sinks.opening import done_together
from posegen_runtime.sources import Source

LOOKED_AT = 3
"""Files of each folder of inputs that every machine must have."""
PATIENCE = 30.0
"""Seconds until it is said what is waited for."""


@contextmanager
def open_cluster(
    options: RunOptions,
    bundle: Bundle,
    inputs: Inputs,
    backend: BackendName,
    precision: str,
) -> Iterator["Cluster"]:
    """The engine that is a Ray cluster. `backend` and `precision` as `choose` takes them, which
    the first machine does for all.

    Raises `PoseGenError` where there is no cluster, or a machine of it cannot do the work: it
    lacks an input, an inference engine, this version of the package.
    """
    with connected(options.address) as ray:
        pool = pool_for(options, machines_of(ray.nodes()))
        question = Question(
            bundle=options.bundle,
            bundle_sha256=sha256_of(bundle.root / MANIFEST),
            files=[*_some_files(options, inputs)],
            backend=backend,
            precision=precision,
        )
        answers = _ask(ray, pool, question)
        first = answers[0]
        assert first.choice is not None
        model = Model(bundle, first.choice, first.engine)
        say(f"ray: {pool}")
        yield Cluster(ray, pool, model)


class Cluster:
    """See `Engine`."""

    def __init__(self, ray: Any, pool: Pool, model: Model) -> None:
        self._ray = ray
        self._pool = pool
        self.model = model
        self.cores = pool.cpus
        self.machines: Mapping[str, Any] = {
            "ray": ray.__version__,
            "machines": {
                str(number): f"{one.host}: {one.cpus} cores, {one.gpus} GPUs"
                for number, one in enumerate(pool.machines, 1)
            },
            "actors": pool.actors,
            "actor_cores": pool.cpus,
            "actor_gpus": pool.gpus,
        }

    def steps(
        self, work: Work, shapes: Shapes, stop: threading.Event
    ) -> Generator[Step, None, None]:
        """A step for each shard, whichever is over first. See `Engine`."""
        ahead = _Shards(work, self._pool.actors)
        if not ahead.items:
            return
        lease = Lease.take(work.options.out)
        over = threading.Event()

        def end_when_asked() -> None:
            while not over.is_set():
                if stop.wait(0.2):
                    lease.end()
                    return

        watching = threading.Thread(target=end_when_asked, name="stop", daemon=True)
        watching.start()
        try:
            self._check_shared(lease)
            order = Order(
                options=work.options,
                inputs=work.inputs,
                bundle=self.model.bundle.root,
                choice=self.model.choice,
                shape=shapes.chosen,
                cores=self._pool.cpus,
                lease=lease,
            )
            yield from self._results(ahead, order, lease)
        finally:
            over.set()
            lease.end()
            watching.join()

    def _results(self, ahead: "_Shards", order: Order, lease: Lease) -> Generator[Step, None, None]:
        broken: ShardResult | None = None
        given_up: list[ShardResult] = []
        seen: set[int] = set()
        with _explained(self._made(ahead, order)) as results:
            for result in results:
                if result.shard in seen:
                    continue  # made twice, as when a machine is lost with what it had made
                seen.add(result.shard)
                if result.died and not result.given_up:
                    say(
                        f"note: {' and '.join(result.died)} died at {ahead.name(result.shard)}; "
                        f"they were made again on {result.host}"
                    )
                if result.error and broken is None:
                    broken = result
                    lease.end()
                if result.given_up:
                    given_up.append(result)
                yield Step(result.finished, result.standing)
        if broken:
            error = PoseGenError(f"{broken.host}: {broken.error}")
            raise error from OSError(broken.errno, broken.error) if broken.errno else None
        for result in given_up:
            say(
                f"error: {' and '.join(result.died)} died at {ahead.name(result.shard)}, which are "
                "left to do"
            )

    def _made(self, ahead: "_Shards", order: Order) -> Iterator[ShardResult]:
        """As they come. Whatever dies, Ray Data starts another actor and gives it the shard, as
        often as it takes; `Lease.begin` counts."""
        from ray.data import ActorPoolStrategy, DataContext, from_items

        context = DataContext.get_current()
        context.enable_progress_bars = False
        context.print_on_execution_start = False
        shards = from_items(ahead.items, override_num_blocks=len(ahead.items))
        made = shards.map_batches(
            ShardActor,
            batch_size=1,
            batch_format="pyarrow",
            compute=ActorPoolStrategy(
                size=min(self._pool.actors, len(ahead.items)), max_tasks_in_flight_per_actor=1
            ),
            num_cpus=self._pool.cpus,
            num_gpus=self._pool.gpus or None,
            # In a list, so that each actor fetches it, and no copy of it goes into every task.
            fn_constructor_args=[[self._ray.put(pickle.dumps(order))]],
        )
        for table in made.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=0):
            for value in table["result"]:
                yield from_bytes(value.as_py())

    def _check_shared(self, lease: Lease) -> None:
        seen = _on_all(self._ray, self._pool, sees, lease)
        if wrong := [error for error in seen if error]:
            raise PoseGenError(wrong[0])


class ShardActor:
    """What Ray Data makes of `ShardMaker`. Nothing is loaded before the first shard: whoever dies
    of loading shall have begun one."""

    def __init__(self, order: Sequence[Any]) -> None:
        import ray

        self._make = ShardMaker(pickle.loads(ray.get(order[0])))

    def __call__(self, batch: Any) -> Any:
        """pyarrow.Table with a row {shard, jobs} → one with a row {result}."""
        import pyarrow

        (row,) = batch.to_pylist()
        result = self._make(row["shard"], unpacked(row["jobs"]))
        return pyarrow.table({"result": pyarrow.array([to_bytes(result)], pyarrow.binary())})


class _Shards:
    """What is to do as rows for Ray Data."""

    def __init__(self, work: Work, actors: int) -> None:
        together = done_together(work.sink)
        with work.ledger.view() as view:
            left = view.images_to_do(work.options.retry_failed, together)
        self.items: list[dict[str, Any]] = []
        self._names: list[str] = []
        for shard in cut(work.todo(), size_of_shards(left, actors), together):
            if work.options.sink is SinkName.WEBDATASET:
                # Else a kill before the ledger knows what became of a retry would leave it with
                # the old rows for the new tar.
                work.ledger.reopen(shard[0].job, shard[-1].job + 1)
            self.items.append({"shard": len(self.items), "jobs": packed(shard)})
            self._names.append(f"jobs {shard[0].job} to {shard[-1].job}")

    def name(self, shard: int) -> str:
        return self._names[shard]


def _ask(ray: Any, pool: Pool, question: Question) -> list[Answer]:
    """What every machine of the pool says: the first one chooses, the others must agree."""
    first, *others = pool.machines
    answers = _on_all(ray, _only(pool, [first]), look, question)
    _check(answers)
    chosen = answers[0].choice
    assert chosen is not None
    if others:
        same = msgspec.structs.replace(question, backend=chosen.backend, precision=chosen.precision)
        answers += _on_all(ray, _only(pool, others), look, same)
    _check(answers)
    for answer in answers[1:]:
        if answer.engine != answers[0].engine:
            raise PoseGenError(
                f"--engine ray: {answer.host} would make images with {answer.engine}, and "
                f"{answers[0].host} with {answers[0].engine}; install the same on all"
            )
        if answer.pixels != answers[0].pixels:
            say(
                f"warning: {answer.host} makes other pixels than {answers[0].host} (another CPU or "
                "GPU?): which image comes from where decides its bytes"
            )
    return answers


def _check(answers: Sequence[Answer]) -> None:
    wrong = [answer for answer in answers if answer.error]
    if wrong:
        more = f" (and {len(wrong) - 1} more machines)" if len(wrong) > 1 else ""
        raise PoseGenError(f"{wrong[0].host}: {wrong[0].error}{more}")


def _only(pool: Pool, machines: Sequence[Machine]) -> Pool:
    return msgspec.structs.replace(pool, machines=machines)


def _on_all(ray: Any, pool: Pool, function: Any, given: Any) -> list[Any]:
    """`function(given)` on each machine of the pool, with what an actor gets there."""
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    remote = ray.remote(function)
    asked = [
        remote.options(
            num_cpus=pool.cpus,
            num_gpus=pool.gpus,
            scheduling_strategy=NodeAffinitySchedulingStrategy(one.node, soft=False),
        ).remote(given)
        for one in pool.machines
    ]
    start = time.monotonic()
    told = False
    while True:
        _, waiting = ray.wait(asked, num_returns=len(asked), timeout=1.0)
        if not waiting:
            break
        if not told and time.monotonic() - start > PATIENCE:
            told = True
            say(f"ray: waiting for {len(waiting)} of {len(asked)} machines, others use them")
    try:
        return ray.get(asked)
    except Exception as error:  # Ray's own, by what it meets on the other machine
        lines = str(error).strip().splitlines()
        raise PoseGenError(
            f"--engine ray: a machine of the cluster cannot work ({lines[-1] if lines else error});"
            " is posegen installed there, as here?"
        ) from error


def _some_files(options: RunOptions, inputs: Inputs) -> Iterator[tuple[str, Path, int]]:
    """A few of each folder that the user named: (option, file, size)."""
    folders: dict[str, tuple[Path | None, Sequence[Source]]] = {
        "--masks": (options.masks, inputs.masks),
        "--appearance": (options.appearance, inputs.appearances),
        "--background": (options.background, inputs.backgrounds),
    }
    for option, (given, sources) in folders.items():
        for source in sources[:LOOKED_AT] if given else ():
            with suppress(OSError):  # a file that is gone costs its row, here as there
                yield option, source.path, source.path.stat().st_size


@contextmanager
def _explained(results: Iterator[ShardResult]) -> Iterator[Iterator[ShardResult]]:
    """What Ray raises as the one line that says what a user can do; nothing else is touched."""
    try:
        yield results
    except Exception as error:
        if not _is_of_ray(error):
            raise
        lines = str(error).strip().splitlines()
        raise PoseGenError(
            f"--engine ray: the cluster stopped ({lines[-1] if lines else type(error).__name__}); "
            "what is done stays, the same command goes on"
        ) from error


def _is_of_ray(error: Exception) -> bool:
    """Also what Ray Data met inside itself, which it marks in the cause."""
    kinds = [*type(error).__mro__, *type(error.__cause__).__mro__]
    return any(kind.__module__.partition(".")[0] == "ray" for kind in kinds)
