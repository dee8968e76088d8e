"""`labels/poses.jsonl`: poses of the generated images, each in the convention it came in."""

from pathlib import Path

import msgspec

from posegen_runtime.poses import Pose


class PoseWriter:
    """Writes one line for each image whose mask had a pose, as they come.

    `mask` is the path below `masks/`, so that the output's masks and poses are themselves input
    for another run. The camera matrix and image size are those of the generated image.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._final = folder / "poses.jsonl"
        self._partial = folder / ".poses.jsonl.part"
        self._file = self._partial.open("wb")

    def add(self, mask_file: str, pose: Pose) -> None:
        named = msgspec.structs.replace(pose, mask=mask_file.removeprefix("masks/"))
        self._file.write(msgspec.json.encode(named) + b"\n")

    def close(self) -> None:
        self._file.close()
        self._partial.replace(self._final)
