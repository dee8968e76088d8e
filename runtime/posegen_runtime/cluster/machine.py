"""What a machine of a cluster says of itself before it gets work. Knows nothing of Ray."""

import hashlib
import socket
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np

from posegen_runtime import __version__
from posegen_runtime.backends.choosing import Choice, choose
from posegen_runtime.bundle import MANIFEST, sha256_of
from posegen_runtime.choices import BackendName
from posegen_runtime.cluster.lease import Lease
from posegen_runtime.errors import PoseGenError
from posegen_runtime.generator import PoseGenerator, load_bundle


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What must be there as it is on the machine that asks."""

    version: str = __version__
    bundle: Path | None
    bundle_sha256: str
    files: Sequence[tuple[str, Path, int]]
    """Some of each folder of inputs: the option that names it, the file, its size."""
    backend: BackendName
    precision: str
    """As `choose` takes them."""


class Answer(msgspec.Struct, kw_only=True):
    """`error` says why no work can be done there; else all else is filled in."""

    host: str
    error: str = ""
    choice: Choice | None = None
    engine: str = ""
    pixels: str = ""
    """Changes with any byte of one image that it made, the same one on every machine."""


def look(question: Question) -> Answer:
    """On the machine that shall make images."""
    answer = Answer(host=socket.gethostname())
    try:
        _fill(answer, question)
    except (PoseGenError, OSError) as error:
        answer.error = str(error)
    return answer


def sees(lease: Lease) -> str:
    """Why images that this machine makes would not be where they are looked for; "": they are."""
    if lease.holds():
        return ""
    return (
        f"{socket.gethostname()}: --out {lease.out} is not the folder that it is here; name one on "
        "a disk that all machines share, by the same path on each"
    )


def _fill(answer: Answer, question: Question) -> None:
    if question.version != __version__:
        raise PoseGenError(
            f"has posegen {__version__}, and this machine {question.version}; install the same "
            "on all"
        )
    for option, file, size in question.files:
        try:
            found = file.stat().st_size
        except OSError as error:
            raise PoseGenError(
                f"{option} {file}: {error.strerror or error}; name inputs on a disk that all "
                "machines share, by the same path on each"
            ) from error
        if found != size:
            raise PoseGenError(
                f"{option} {file}: has {found} bytes there and {size} here; name inputs that are "
                "the same on all machines"
            )
    bundle = load_bundle(question.bundle)
    if sha256_of(bundle.root / MANIFEST) != question.bundle_sha256:
        raise PoseGenError(f"--bundle {bundle.root}: is another one there; install the same on all")
    answer.choice = choose(question.backend, bundle, question.precision)
    generator = PoseGenerator(bundle, answer.choice, threads=1)
    answer.engine = generator.engine
    answer.pixels = _pixels(generator)


def _pixels(generator: PoseGenerator) -> str:
    height, width = generator.image_size
    rng = np.random.default_rng(0)
    mask = np.zeros((height, width), np.uint8)
    mask[height // 4 : -height // 4, width // 5 : -width // 5] = 255
    photos = {
        name: rng.integers(0, 256, (height, width, 3), np.uint8)
        for name in generator.bundle.conditions
    }
    image = generator.generate(mask, photos.get("appearance"), photos.get("background"))
    return hashlib.sha256(image.tobytes()).hexdigest()
