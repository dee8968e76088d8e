"""What a judge found on a generated image."""

import msgspec


class Verdict(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How well an image shows the silhouette that it was made from."""

    iou: float
    """Of what a segmenter finds in the image with the silhouette, 0..1."""
    shift: float
    """Between their centres, as a share of the silhouette's box diagonal."""
    size_ratio: float
    """Area of what was found over that of the silhouette."""
    heading_error_deg: float | None = None
    """0..180; None where no pose is known or nothing judges it."""
    reason: str = ""
    """Why the image is rejected; "": it is accepted."""
