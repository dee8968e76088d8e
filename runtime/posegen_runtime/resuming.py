"""Whether a run goes on where another one stopped, and with which jobs."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from posegen_runtime.choices import BackendName, MaskChannel
from posegen_runtime.errors import PoseGenError
from posegen_runtime.inputs import Inputs
from posegen_runtime.jobs import Job
from posegen_runtime.ledger import Identity, Ledger, PlannedJob, State
from posegen_runtime.ledger.database import LEDGER
from posegen_runtime.masks import MaskValues
from posegen_runtime.options import RunOptions
from posegen_runtime.progress import say
from posegen_runtime.sinks.tree import claim
from posegen_runtime.sources import FolderImages, Source

SHARDS, TAR = "shards/", ".tar/"
"""How the name of a file in a tar begins, and what stands before its own."""


def claim_or_resume(options: RunOptions, identity: Identity) -> None:
    """Make `options.out`, whose lock the caller holds, ready.

    Raises `PoseGenError` where it holds what no run wrote, and where images were made there of
    other inputs or with other options: it says which.
    """
    if not claim(options.out, options.fresh, say):
        return
    with Ledger.open(options.out, write=False) as ledger, ledger.view() as view:
        changed = view.changed(identity)
        counts = view.counts()
        planned = ledger.is_planned()
    if planned and not changed:
        return
    if counts.done + counts.rejected == 0:
        # Nothing is lost, and the first options were the wrong ones, or it was cut off at once.
        claim(options.out, True, lambda line: None)
        if changed:
            say("starting over: nothing was made yet with the earlier options")
        return
    raise PoseGenError(
        f"--out {options.out}: {counts.done + counts.rejected} images are there that were made "
        f"otherwise: {'; '.join(changed)}; give the command as it was, name a new directory, or "
        "start over with --fresh"
    )


def reopen_missing(out: Path, ledger: Ledger) -> None:
    """Make anew what the ledger calls done and `out` does not hold, or holds empty: deleted, or
    lost with the power. What was rejected nobody needs."""
    tars: dict[str, bool] = {}
    blocks: list[tuple[int, int]] = []
    root = os.path.join(out, "")
    with ledger.view() as view:
        for job, image, mask_file in view.files(State.DONE):
            if image.startswith(SHARDS):
                tar = image.partition(TAR)[0] + TAR.rstrip("/")
                if tar not in tars:
                    tars[tar] = _is_there(root + tar)
                whole = tars[tar]
            else:
                whole = _is_there(root + image) and _is_there(root + mask_file)
            if whole:
                continue
            if blocks and job <= blocks[-1][1]:
                blocks[-1] = blocks[-1][0], job + 1
            else:
                blocks.append((job, job + 1))
    for first, end in blocks:
        ledger.reopen(first, end)
    if jobs := sum(end - first for first, end in blocks):
        say(f"{jobs} jobs are done, but their files are gone or empty: made anew")


def _is_there(file: str) -> bool:
    try:
        return os.stat(file).st_size > 0
    except OSError:
        return False


class Before(msgspec.Struct, frozen=True):
    """How the images were made that are in the output already: what "auto" chose then it chooses
    again, whatever is fastest today, and however mended masks would be read."""

    backend: BackendName
    precision: str
    mask_values: str
    mask_channel: MaskChannel

    def reading(self, options: RunOptions) -> RunOptions:
        """`options` where nothing of how masks are read is left to guess."""
        auto = options.mask_values == MaskValues.AUTO.value
        any_channel = options.mask_channel is MaskChannel.AUTO
        return msgspec.structs.replace(
            options,
            mask_values=self.mask_values if auto else options.mask_values,
            mask_channel=self.mask_channel if any_channel else options.mask_channel,
        )


def chosen_before(options: RunOptions) -> Before | None:
    """None where no image is there."""
    if options.fresh or not (options.out / LEDGER).exists():
        return None
    with Ledger.open(options.out, write=False) as ledger, ledger.view() as view:
        counts, values = view.counts(), view.identity()
    if values is None or counts.done + counts.rejected == 0:
        return None
    return Before(
        BackendName(values["--backend"]),
        str(values["--precision"]),
        str(values["--mask-values"]),
        MaskChannel(values["--mask-channel"]),
    )


class JobFinder:
    """Turns the ledger's jobs into jobs with paths."""

    def __init__(self, options: RunOptions, inputs: Inputs) -> None:
        self._kinds = [
            _Files(inputs.frames.sources, options.masks),
            _Files(inputs.appearances, options.appearance),
            _Files(inputs.backgrounds, options.background),
        ]

    def __call__(self, planned: PlannedJob) -> Job:
        masks, appearances, backgrounds = self._kinds
        return Job(
            mask=masks(planned.mask),
            stem=planned.stem,
            variation=planned.variation,
            variation_suffix=planned.suffix,
            appearance=appearances(planned.appearance) if planned.appearance is not None else None,
            background=backgrounds(planned.background) if planned.background is not None else None,
            number=planned.job,
        )


class _Files:
    """Files of one kind by name; one that is gone keeps the path that it had."""

    def __init__(self, sources: Sequence[Source], given: Path | None) -> None:
        # Those of a folder are named by their place in it, but for odd names.
        few = sources.odd() if isinstance(sources, FolderImages) else sources
        self._sources: Mapping[str, Source] = {source.name: source for source in few}
        self._root = given if given is None or given.is_dir() else given.parent

    def __call__(self, name: str) -> Source:
        found = self._sources.get(name)
        return found or Source((self._root or Path()) / name, name)
