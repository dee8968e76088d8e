"""How a damaged file of each kind is read: the ways that real commands take."""

import hashlib
import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from fuzzing import originals
from fuzzing.mutation import mutate, mutate_text
from posegen_runtime import PoseGenerator
from posegen_runtime.choices import Axis, Fit, MaskChannel
from posegen_runtime.errors import PoseGenError
from posegen_runtime.images import read_rgb
from posegen_runtime.jobs import Job
from posegen_runtime.masks import MaskReading, MaskValues, choose_reading
from posegen_runtime.poses import read_poses
from posegen_runtime.prepare import Preparer
from posegen_runtime.rows import Prepared
from posegen_runtime.selftest import selftest
from posegen_runtime.sources import Source
from posegen_runtime.viewpoints import of_poses

Attempt = tuple[Path, Callable[[], None]]
Kind = Callable[[random.Random, Path], Iterator[Attempt]]

MODEL = (32, 32)
READINGS = [
    MaskReading(values=MaskValues.HALF, channel=MaskChannel.LUMA),
    MaskReading(values=MaskValues.NONZERO, channel=MaskChannel.ALPHA),
    MaskReading(values=MaskValues.EACH, channel=MaskChannel.INDEX),
    MaskReading(values=MaskValues.ID, channel=MaskChannel.LUMA, object_id=3),
]
FITS = (Fit.AUTO, Fit.FRAME, Fit.STRETCH)


def images(rng: random.Random, folder: Path) -> Iterator[Attempt]:
    """Masks and photos, by every reader of them and as inputs of a job."""
    whole = originals.images()
    good = originals.mask(folder / "good.png")
    preparers = [Preparer(MODEL, reading, fit, {}, {}) for reading in READINGS for fit in FITS]
    number = 0
    while True:
        path = folder / f"{number}.png"
        path.write_bytes(mutate(rng.choice(whole), whole, rng))
        yield path, _image_attempt(path, good, preparers[number % len(preparers)], number)
        path.unlink()
        number += 1


def _image_attempt(path: Path, good: Path, preparer: Preparer, number: int) -> Callable[[], None]:
    def attempt() -> None:
        _check_job(preparer, f"mask of {number}", mask=path, photo=good)
        _check_job(preparer, f"photo of {number}", mask=good, photo=path)
        refusals = [
            refusal
            for read in (
                lambda: READINGS[number % len(READINGS)].read(path),
                lambda: _guess(path),
                lambda: _check_photo(read_rgb(path)),
            )
            if (refusal := _refusal(read))
        ]
        if refusals:
            raise refusals[0]

    return attempt


def _check_job(preparer: Preparer, name: str, mask: Path, photo: Path) -> None:
    """One job is one image ready to be made, or one reason, for each object: never nothing."""
    job = Job(
        mask=Source(mask, name),
        stem="out",
        variation=0,
        variation_suffix="",
        appearance=Source(photo, photo.name),
        background=Source(photo, photo.name),
    )
    items = preparer(job)
    assert items
    for item in items:
        if isinstance(item, Prepared):
            assert item.mask.shape == MODEL
            assert item.background is not None
            assert item.background.shape == (*MODEL, 3)
        else:
            assert len(item.reason.splitlines()) == 1, item.reason


def _guess(path: Path) -> None:
    try:
        choose_reading([path])
    except PoseGenError as error:
        # A file that leaves a choice is no broken file, and the option is what is named.
        if not str(error).startswith("--mask-"):
            raise


def _check_photo(pixels: np.ndarray) -> None:
    assert pixels.dtype == np.uint8
    assert pixels.ndim == 3
    assert pixels.shape[2] == 3


def _refusal(read: Callable[[], object]) -> PoseGenError | None:
    try:
        read()
    except PoseGenError as error:
        return error
    return None


def poses(rng: random.Random, folder: Path) -> Iterator[Attempt]:
    """poses.jsonl and the files of a BOP scene, up to the viewpoints and cameras made of them."""
    lines = folder / "poses.jsonl"
    scene = originals.bop_scene(folder / "scene")
    files = [originals.pose_lines(lines), *sorted(scene.glob("*.json"))]
    whole = {file: file.read_bytes() for file in files}
    while True:
        file = rng.choice(files)
        file.write_bytes(mutate_text(whole[file], list(whole.values()), rng))
        yield (lines if file == lines else scene), _pose_attempt(lines if file == lines else scene)
        file.write_bytes(whole[file])


def _pose_attempt(path: Path) -> Callable[[], None]:
    def attempt() -> None:
        found = read_poses(path)
        seen = of_poses(found, Axis.X, Axis.Z)
        assert np.isfinite(list(seen.values())).all()
        for pose in found.values():
            assert len(pose.mask.splitlines()) <= 1

    return attempt


def bundles(rng: random.Random, folder: Path) -> Iterator[Attempt]:
    """One file of a bundle, with hashes that agree but for one time in eight; up to its images."""
    bundle = originals.bundle(folder / "stranger")
    files = sorted(file for file in bundle.rglob("*") if file.is_file())
    whole = {file: file.read_bytes() for file in files}
    manifest = bundle / "bundle.json"
    graphs = [file for file in files if file.suffix == ".onnx"]
    while True:
        kind = rng.choice(([manifest], graphs, files))
        file = rng.choice(kind)
        how = mutate_text if file == manifest else mutate
        file.write_bytes(how(whole[file], list(whole.values()), rng))
        if file != manifest and rng.random() < 7 / 8:
            _record(manifest, file.relative_to(bundle).as_posix(), file.read_bytes())
        yield bundle, _bundle_attempt(bundle)
        manifest.write_bytes(whole[manifest])
        file.write_bytes(whole[file])


def _bundle_attempt(bundle: Path) -> Callable[[], None]:
    def attempt() -> None:
        generator = PoseGenerator.load(bundle, threads=1, backend="cpu")
        selftest(generator)
        height, width = generator.image_size
        images = generator.generate(np.full((height, width), 255, np.uint8))
        assert images.shape == (1, height, width, 3)

    return attempt


def _record(manifest: Path, name: str, data: bytes) -> None:
    record = json.loads(manifest.read_bytes())
    record["files"][name] = {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    manifest.write_text(json.dumps(record))


KINDS: dict[str, Kind] = {"images": images, "poses": poses, "bundles": bundles}
