"""`posegen train`: put the parts together, then hand over to the loop."""

import multiprocessing
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from lightning_fabric import Fabric

from posegen.checkpoint import BEST, LAST, Lineage, load_checkpoint
from posegen.config import EVERY, TrainConfig
from posegen.data.covering import with_covering
from posegen.data.dataset import Dataset, open_dataset
from posegen.data.mask_range import mask_range
from posegen.data.prepared import Split, prepare
from posegen.data.roughen import with_roughening
from posegen.data.samplers import build_sampler
from posegen.models.discriminator import Discriminator
from posegen.models.generator import Generator
from posegen.training.checks import check_config
from posegen.training.devices import build_fabric, choose_device
from posegen.training.evaluation import SAMPLES, Score, fixed_batches, sample_batch
from posegen.training.initial import initial_models
from posegen.training.interrupt import Interrupt
from posegen.training.launch import Launch, find_launch
from posegen.training.loop import Loop
from posegen.training.peers import Peers, in_contact
from posegen.training.processes import run_processes
from posegen.training.progress import Reporter, reading_progress
from posegen.training.resume import RESUME, read_resume, restore
from posegen.training.samples import COLUMNS
from posegen.training.state import build_state
from posegen_runtime import __version__
from posegen_runtime.console import EXIT_OK
from posegen_runtime.errors import PoseGenError
from posegen_runtime.paths import write_atomic
from posegen_runtime.progress import say

CACHE = "cache"


@dataclass(frozen=True)
class RunOptions:
    """Where a run reads and writes and how often; nothing here changes the weights. `score` chooses
    the best checkpoint in place of the reconstruction error. `cache` keeps the read data set for
    other runs on it; None: in the run's folder until it ends."""

    data: Path
    out: Path
    init: Path | None = None
    device: str = "auto"
    save_every: int = EVERY
    sample_every: int = EVERY
    score: Score | None = None
    cache: Path | None = None


def run_training(config: TrainConfig, options: RunOptions, interrupt: Interrupt) -> int:
    """Train, or go on where the run in `options.out` stopped. Returns the exit code: 0, or 130 or
    143 after a signal.

    For several devices it starts a process each, unless a launcher did.

    Raises `PoseGenError` for unusable input and `TrainingDiverged` when a loss is not finite.
    """
    launch = find_launch(config.devices, config.nodes, os.environ)
    check_config(config)
    if launch.world > 1 and launch.launcher is None:
        choose_device(config, options.device)
        return run_processes(launch.devices, run_training, (config, options), interrupt)
    fabric = build_fabric(config, options.device, launch)
    with in_contact(launch.world):
        if launch.world == 1:
            fabric.launch()
        else:
            _meet(fabric, launch, interrupt)
        return _train(config, options, fabric, interrupt)


def _meet(fabric: Fabric, launch: Launch, interrupt: Interrupt) -> None:
    """Wait for the other processes. Those that this command started itself come at once."""
    with interrupt.at_once():
        if launch.local_rank == 0 and multiprocessing.parent_process() is None:
            place = f"{os.environ['MASTER_ADDR']}:{os.environ['MASTER_PORT']}"
            say(f"waiting for {launch.world} processes at {place}")
        fabric.launch()


def _train(config: TrainConfig, options: RunOptions, fabric: Fabric, interrupt: Interrupt) -> int:
    peers = Peers(fabric)
    dataset = _open(options.data, peers)
    models, parent, content = peers.together(lambda: _start(config, options, dataset, peers))
    content = peers.from_first(content)
    if content is not None and content["step"] == config.steps:
        if peers.is_first:
            print(f"{options.out}: trained to its last step, {config.steps}, before; nothing to do")
        return EXIT_OK
    splits = _prepare(dataset, config, options.cache or options.out / CACHE, peers)
    lineage = _lineage(dataset, config, splits[0], parent)
    state = build_state(config, fabric, models)
    if content is not None:
        restore(state, content, fabric)
        del content
    reporter = peers.together(lambda: _reporter(config, options.out, state.step, peers))
    reporter.say(_opening(config, splits, state.step, fabric))
    rank = fabric.global_rank
    sampler = build_sampler(config, splits[0], rank, fabric.world_size)
    sampler = with_roughening(sampler, config, rank)
    loop = Loop(
        state=state,
        config=config,
        lineage=lineage,
        fabric=fabric,
        peers=peers,
        sampler=with_covering(sampler, config, splits[0].background, rank),
        validation=fixed_batches(splits[1], config.model, fabric.device, config.batch_size),
        shown=sample_batch(splits[1], config.model, fabric.device, COLUMNS),
        reporter=reporter,
        run_folder=options.out,
        save_every=options.save_every,
        sample_every=options.sample_every,
        score=options.score,
    )
    exit_code = loop.run(interrupt)
    if exit_code == EXIT_OK and options.cache is None:
        peers.wait()  # for those that still read
        if peers.is_first_here:
            shutil.rmtree(options.out / CACHE, ignore_errors=True)
    return exit_code


def _open(data: Path, peers: Peers) -> Dataset:
    dataset = peers.together(lambda: open_dataset(data))
    digest = peers.from_first(dataset.description.sha256)

    def check() -> None:
        if dataset.description.sha256 != digest:
            raise PoseGenError(f"{data}: not the data set of the first machine; copy that one")

    peers.together(check)
    return dataset


def _start(
    config: TrainConfig, options: RunOptions, dataset: Dataset, peers: Peers
) -> tuple[tuple[Generator, Discriminator], str | None, dict[str, Any] | None]:
    """Fresh models, and as the first process finds them: `--init` in the models, its sha256, the
    state that the run stopped in. The other processes get its weights with `build_state`."""
    if not peers.is_first:
        return initial_models(config, None), None, None
    initial = None if options.init is None else load_checkpoint(options.init)
    parent = None if initial is None else initial.sha256
    content = read_resume(options.out, config, dataset.description.sha256, parent)
    if content is None:
        _refuse_foreign_run(options.out)
    return initial_models(config, initial), parent, content


def _prepare(
    dataset: Dataset, config: TrainConfig, cache: Path, peers: Peers
) -> tuple[Split, Split]:
    """The training split and the fixed validation samples.

    A data set of one object has no validation split; then training samples stand in.
    """
    size = config.model.image_size
    held_out = "val" if dataset.description.splits.get("val", 0) else "train"

    def read() -> tuple[Split, Split]:
        with reading_progress() as progress:
            training = prepare(dataset, "train", size, cache, progress=progress)
            validation = prepare(dataset, held_out, size, cache, limit=SAMPLES)
        if len(training) == 0:
            raise PoseGenError(f"{dataset.root}: the train split is empty; render more samples")
        return training, validation

    # On a disk that all share the first process decodes for all, else one on each machine.
    peers.together(lambda: read() if peers.is_first else None)
    peers.together(lambda: read() if peers.is_first_here else None)
    return peers.together(read)


def _reporter(config: TrainConfig, run: Path, step: int, peers: Peers) -> Reporter:
    if peers.is_first:
        try:
            run.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise PoseGenError(
                f"{run}: cannot be made ({error.strerror}); free space or name another folder"
            ) from error
        encoded = msgspec.json.format(msgspec.json.encode(config))
        write_atomic(run / "config.json", encoded, fsync=True)
    return Reporter(run, step, config.steps, enabled=peers.is_first)


def _lineage(dataset: Dataset, config: TrainConfig, training: Split, parent: str | None) -> Lineage:
    return Lineage(
        dataset=dataset.description.lineage(len(training)),
        seed=config.seed,
        version=__version__,
        parent=parent,
        mask_range=mask_range(training.mask),
    )


def _refuse_foreign_run(run: Path) -> None:
    for name in (LAST, BEST):
        if (run / name).exists():
            raise PoseGenError(
                f"{run / name}: would be overwritten, and there is no {RESUME} beside it to go on "
                "from; give another --out"
            )


def _opening(config: TrainConfig, splits: tuple[Split, Split], step: int, fabric: Fabric) -> str:
    model = config.model
    went_on = f", going on at step {step}" if step else ""
    return (
        f"{model.arch.value}/{model.preset} {model.variant.value} at {model.image_size} px, "
        f"{len(splits[0])} training and {len(splits[1])} validation samples, "
        f"{fabric.world_size} × {fabric.device.type}, precision {config.precision.value}{went_on}"
    )
