"""What judges found on a generated image, in figures."""

import cv2
import msgspec
import numpy as np
import numpy.typing as npt

from posegen_runtime.labels.coco import encode_mask

Mask = npt.NDArray[np.bool_]


class Seen(msgspec.Struct, frozen=True, order=True):
    """The silhouette that an image should show and the one that was found in it, `size` × `size`
    pixels, as COCO's compressed run lengths."""

    size: int
    asked: str
    found: str


class Verdict(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How well an image shows the silhouette that it was made from."""

    iou: float
    """Of what a segmenter finds in the image with the silhouette, 0..1."""
    shift: float | None
    """Between their centres, as a share of the silhouette's box diagonal; None where nothing is
    found."""
    size_ratio: float
    """Area of what was found over that of the silhouette."""
    heading_error_deg: float | None = None
    """0..180; None where no pose is known or nothing judges it."""
    reason: str = ""
    """Why the image is rejected; "": it is accepted."""
    seen: Seen | None = None

    @property
    def figures(self) -> "Verdict":
        """Without the reason and the silhouettes."""
        return msgspec.structs.replace(self, reason="", seen=None)


def compared(asked: Mask, found: Mask, heading_error_deg: float | None = None) -> Verdict:
    """Of two silhouettes, bool [S, S], of which `asked` is not empty. Figures are rounded, so that
    what is stored decides."""
    union = int((asked | found).sum())
    area = int(asked.sum())
    rows, columns = np.nonzero(asked)
    diagonal = float(np.hypot(np.ptp(rows) + 1, np.ptp(columns) + 1))
    shift = None
    if found.any():
        offset = np.mean(np.nonzero(found), axis=1) - np.mean([rows, columns], axis=1)
        shift = round(float(np.hypot(*offset)) / diagonal, 4)
    return Verdict(
        iou=round(int((asked & found).sum()) / union, 4),
        shift=shift,
        size_ratio=round(int(found.sum()) / area, 4),
        heading_error_deg=None if heading_error_deg is None else round(heading_error_deg, 2),
        seen=Seen(asked.shape[0], _runs(asked), _runs(found)),
    )


def at_size(mask: npt.NDArray[np.uint8], size: int) -> Mask:
    """A silhouette, uint8 [H, W] in {0, 255} and not empty, as a judge sees it, bool [S, S]: pixels
    that are more than half covered; where it is too thin for that, all that it touches."""
    small = np.asarray(cv2.resize(mask, (size, size), interpolation=cv2.INTER_AREA))
    return small > 127 if (small > 127).any() else small > 0


def _runs(mask: Mask) -> str:
    return encode_mask(np.where(mask, 255, 0).astype(np.uint8)).counts
