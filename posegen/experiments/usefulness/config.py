"""What decides the result of the experiment, and the record of it beside what was made."""

from pathlib import Path

import msgspec

from posegen_runtime.errors import PoseGenError
from posegen_runtime.paths import read_bytes, write_atomic
from posegen_runtime.records import read_record

FILE = "config.json"
SCHEMA = 1


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """The command's options, but for those that name folders."""

    image_size: int = 64
    images: int = 1500
    """Training images of a set; the simulator renders as many."""
    photos: int = 400
    """Target photos without poses, and as many empty scenes, taken elsewhere."""
    cars: int = 60
    """In each of simulator, photos, ceiling and test: all different ones."""
    test: int = 600
    """Held-out target images."""
    posegen_steps: int = 4000
    steps: int = 400
    """Of a segmenter, and of a yaw regressor."""
    batch_size: int = 16
    seeds: int = 3
    """Trainings on each set; the one option that may grow."""
    seed: int = 0
    posegen: str | None = None
    """sha256 of the checkpoint or bundle that makes PoseGen's images; None: one trained here."""
    schema: int = SCHEMA


DEFAULT = Config()


def keep(config: Config, out: Path) -> None:
    """Write `config` into `out`, or check that what lies there was made with the same, or with
    fewer seeds.

    Raises `PoseGenError` naming the options that differ.
    """
    file = out / FILE
    if not file.exists():
        if out.is_dir() and any(out.iterdir()):
            raise PoseGenError(f"{out}: not empty, and no run of this experiment; name another")
        out.mkdir(parents=True, exist_ok=True)
        _write(config, file)
        return
    again = f"remove the folder {out} to start anew"
    before = read_record(read_bytes(file), Config, SCHEMA, file, "experiment", again)
    more = config.seeds > before.seeds  # each seed's networks lie by themselves
    changed = [
        f"--{name.replace('_', '-')} (was {_shown(getattr(before, name))})"
        for name in Config.__struct_fields__
        if getattr(before, name) != getattr(config, name) and not (more and name == "seeds")
    ]
    if changed:
        raise PoseGenError(
            f"{out}: begun with other options: {', '.join(changed)}; give the same, or another "
            "--out"
        )
    if more:
        _write(config, file)


def _write(config: Config, file: Path) -> None:
    write_atomic(file, msgspec.json.format(msgspec.json.encode(config)), fsync=True)


def _shown(value: object) -> str:
    return "not given" if value is None else str(value)[:16]
