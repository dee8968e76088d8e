"""Each generated image's pose held against its own silhouette, by the mesh."""

from collections.abc import Sequence

import msgspec

from posegen_runtime.labels.coco import decode_mask
from posegen_runtime.labels.limits import limits_of
from posegen_runtime.labels.mesh_check import (
    FITS,
    on_grid,
    points_iou,
    surface_points,
)
from posegen_runtime.labels.opencv import opencv_view
from posegen_runtime.labels.outline import Window, outline_iou
from posegen_runtime.ledger import ImageData, ImageResult, JobResult
from posegen_runtime.meshfile import Mesh

POINTS = 3_000
SURE = 0.875
"""IoU of so many points with a silhouette above which a pose fits: of rendered cars, true poses
have 0.88 … 0.95 and misfits less. The others are drawn, which takes some thirty times as long."""
COARSE = 0.25
MOST = 0.2
"""The IoU that is asked for falls by the share of the silhouette that so wide a rim has, in pixels
of the mask, but by no more than this: of a small object the outline is not known better."""


class MeshFit:
    """Marks the images of poses whose mesh does not fall on the silhouette."""

    def __init__(self, mesh: Mesh) -> None:
        self._mesh = mesh
        self._points = surface_points(mesh, POINTS)
        self._last: tuple[object, float | None] = (None, None)

    def judged(self, results: Sequence[JobResult]) -> list[JobResult]:
        """The same results, with `misfit` where it is one."""
        return [
            JobResult(result.job, [self._image(image) for image in result.images])
            for result in results
        ]

    def _image(self, image: ImageResult) -> ImageResult:
        data = image.data
        if data.pose is None or data.coco is None or not data.coco.area:
            return image
        key = data.pose, data.coco
        if self._last[0] != key:  # variations of a mask follow each other
            self._last = key, self.misfit(data)
        misfit = self._last[1]
        if misfit is None:
            return image
        return msgspec.structs.replace(image, data=msgspec.structs.replace(data, misfit=misfit))

    def misfit(self, data: ImageData) -> float | None:
        """IoU of mesh and silhouette where it is too low; `data` has a pose and a mask."""
        assert data.pose is not None
        assert data.coco is not None
        view, mask = opencv_view(data.pose), decode_mask(data.coco)
        left, top, right, bottom = limits_of(data)
        limits = Window(left, top, right + 1, bottom + 1)
        if points_iou(self._points, view, on_grid(mask, view, limits)) >= SURE:
            return None
        iou = outline_iou(self._mesh, view, mask, limits)
        return None if iou >= FITS - _unknown(data) else round(float(iou), 4)


def _unknown(data: ImageData) -> float:
    assert data.coco is not None
    is_crop = tuple(data.placement.get("target_size", ())) == data.coco.size
    place = data.placement if is_crop else {}
    pixel = max(1.0, place.get("sx", 1.0), place.get("sy", 1.0))
    _, _, width, height = data.coco.bbox
    return float(min(MOST, COARSE * pixel * 2 * (width + height) / data.coco.area))
