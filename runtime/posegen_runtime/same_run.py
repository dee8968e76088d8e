"""What makes two commands the same run: all that changes pixels or labels."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from posegen_runtime.backends.choosing import Choice
from posegen_runtime.bundle import MANIFEST, Bundle, sha256_of
from posegen_runtime.inputs import Inputs
from posegen_runtime.judging import Judging
from posegen_runtime.labels.given_mesh import GivenMesh
from posegen_runtime.ledger import Identity, file_mark
from posegen_runtime.ledger.identity import Value
from posegen_runtime.options import RunOptions
from posegen_runtime.parts import WHOLE
from posegen_runtime.sources import FolderImages, Source


def identity_of(
    options: RunOptions,
    inputs: Inputs,
    bundle: Bundle,
    choice: Choice,
    engine: str,
    judging: Judging | None = None,
    mesh: GivenMesh | None = None,
) -> Identity:
    """`choice` and `engine`, with its version, are what runs the model; `judging` decides what is
    rejected."""
    reading, annotated = inputs.reading, inputs.background_labels
    values: dict[str, Value] = {
        "--bundle": f"{bundle.manifest.name} {sha256_of(bundle.root / MANIFEST)[:16]}",
        "--precision": choice.precision,
        "--backend": choice.backend.value,
        "engine": engine,
        "--seed": options.seed,
        "--fit": options.fit.value,
        "--mask-values": str(reading.object_id or reading.values.value),
        "--mask-channel": reading.channel.value,
        "--per-mask": inputs.per_mask,
        "--pairs": _digest(inputs.pairs),
        "--shard": str(options.shard) if options.shard != WHOLE else None,
        "--sink": options.sink.value,
        "--format": options.format.value,
        "--labels": ",".join(options.labels),
        "--category": dict(inputs.categories),
        "--keep-ambiguous": options.keep_ambiguous or None,
        "--leave-ambiguous": options.leave_ambiguous or None,
        "--mesh": mesh.identity if mesh else None,
        "--split": list(options.split) or None,
        "--poses": _digest(inputs.poses),
        "--paste": "yes" if options.paste else None,
        "--background-labels": annotated.digest if annotated else None,
    }
    if judging:
        values |= judging.identity
    judges_heading = judging is not None and judging.heading
    if inputs.viewpoints is not None or judges_heading or "kitti" in options.labels:
        values["--model-forward"] = options.model_forward.value
        values["--model-up"] = options.model_up.value
    given = {
        "--masks": (options.masks, inputs.masks),
        "--appearance": (options.appearance, inputs.appearances),
        "--background": (options.background, inputs.backgrounds),
    }
    # The bundle's own are told by its hash: installed again, they have other times.
    files = {name: _Marks(sources) for name, (path, sources) in given.items() if path is not None}
    return Identity(values=values, files=files)


class _Marks:
    """(name, mark) of each file, made whenever they are walked: a list would hold them all."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self._sources = sources

    def __iter__(self) -> Iterator[tuple[str, str]]:
        walked: Iterable[Source] = self._sources
        if not isinstance(walked, FolderImages):  # a folder's are in order
            walked = sorted(walked, key=lambda source: source.name)
        for source in walked:
            try:
                yield source.name, file_mark(source.path)
            except OSError:
                yield source.name, "gone"


def _digest(content: object) -> str | None:
    if not content:
        return None
    return hashlib.sha256(msgspec.json.encode(content)).hexdigest()[:16]
