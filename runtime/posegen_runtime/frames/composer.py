"""All generated objects of one frame, painted far to near."""

from collections.abc import Sequence

import cv2
import msgspec
import numpy as np
import numpy.typing as npt

from posegen_runtime.errors import PoseGenError
from posegen_runtime.frames.files import FrameFiles
from posegen_runtime.frames.paste import paste
from posegen_runtime.rows import Made

Image = npt.NDArray[np.uint8]
Box = tuple[int, int, int, int]


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """One object of a frame. Its masks are those of its box only, which a frame with hundreds of
    objects has room for."""

    made: Made
    size: tuple[int, int]
    """(height, width) of the frame."""
    box: Box
    """x0, y0, x1, y1 in the frame, around the whole silhouette."""
    silhouette: Image
    """uint8 [y1-y0, x1-x0] in {0, 255}."""
    visible: Image
    """What nearer objects leave of it."""

    @property
    def visible_fraction(self) -> float:
        """Of the silhouette's pixels."""
        return cv2.countNonZero(self.visible) / cv2.countNonZero(self.silhouette)

    @property
    def whole_mask(self) -> Image:
        """uint8 [H, W] of the frame, whatever hides a part of it."""
        return _at(self.silhouette, self.box, self.size)

    @property
    def visible_mask(self) -> Image:
        """uint8 [H, W] of the frame."""
        return _at(self.visible, self.box, self.size)


class Composer:
    """Paints frames. Safe to use from several threads, and pickles."""

    def __init__(self, files: FrameFiles) -> None:
        self._files = files

    def __call__(self, made: Sequence[Made]) -> tuple[Image, list[Shown]]:
        """The frame that shows all objects `made`, at least one, of one job, uint8 RGB [H, W, 3],
        and the objects in the order of `made`.

        Raises `PoseGenError` when a mask or the background cannot be read any more.
        """
        job = made[0].prepared.job
        if job.background is None:
            raise ValueError(f"{job.stem}: is pasted into no background")
        size = made[0].prepared.placement.source_size
        shown = self._cut_out(made)
        order = far_to_near(shown)
        hidden = np.zeros(size, np.uint8)
        for index in reversed(order):
            x0, y0, x1, y1 = shown[index].box
            nearer = hidden[y0:y1, x0:x1]
            visible = cv2.subtract(shown[index].silhouette, nearer)
            nearer |= shown[index].silhouette
            shown[index] = msgspec.structs.replace(shown[index], visible=visible)
        frame = self._files.background(job.background, size).copy()
        for index in order:
            _paint(frame, shown[index])
        return frame, shown

    def _cut_out(self, made: Sequence[Made]) -> list[Shown]:
        wanted = {one.prepared.object: one for one in made}
        found: dict[str, Shown] = {}
        for name, silhouette in self._files.silhouettes(made[0].prepared.job, wanted):
            one = wanted[name]
            size = one.prepared.placement.source_size
            if silhouette.mask.shape != size or not silhouette.mask.any():
                break
            left, top, width, height = cv2.boundingRect(silhouette.mask)
            box = left, top, left + width, top + height
            part = silhouette.mask[top : top + height, left : left + width].copy()
            found[name] = Shown(made=one, size=size, box=box, silhouette=part, visible=part)
        if len(found) < len(wanted):
            job = made[0].prepared.job
            raise PoseGenError(f"{job.mask.path}: was changed while the run read it; start again")
        return [found[one.prepared.object] for one in made]


def far_to_near(shown: Sequence[Shown]) -> list[int]:
    """Places in `shown` in the order of painting: by the depth of the poses' origins where every
    object has a pose, else by the silhouette's lowest row, since what stands nearer on the same
    ground reaches further down. Equal ones keep their order."""
    poses = [one.made.prepared.pose for one in shown]
    known = [pose for pose in poses if pose is not None]
    if len(known) == len(shown):
        nearness = [-pose.depth_m for pose in known]
    else:
        nearness = [float(one.box[3]) for one in shown]
    return sorted(range(len(shown)), key=nearness.__getitem__)


def _paint(frame: Image, shown: Shown) -> None:
    prepared = shown.made.prepared
    x0, y0, x1, y1 = prepared.placement.window
    if prepared.background is None:
        raise ValueError(f"{prepared.stem}: was generated without a background")
    left, top, right, bottom = shown.box
    box = left - x0, top - y0, right - x0, bottom - y0
    silhouette = _at(shown.silhouette, box, (y1 - y0, x1 - x0))
    paste(
        frame,
        silhouette,
        prepared.mask,
        prepared.placement,
        shown.made.image,
        prepared.background,
    )


def _at(part: Image, box: Box, size: tuple[int, int]) -> Image:
    """A black image of `size` = (height, width) with `part` in `box`."""
    whole = np.zeros(size, np.uint8)
    whole[box[1] : box[3], box[0] : box[2]] = part
    return whole
