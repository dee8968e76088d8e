"""From when on a model is usable: every limit, in one place. `docs/evaluate.md` explains them."""

IOU_OF_CEILING = 0.9
"""Pose IoU over that of the real photos, at least: the object stands where the mask is."""
IOU_ABOVE_CONTROL = 0.5
"""Of the way from the shuffled control's IoU to the real photos', at least: where all masks are
alike, a model that ignores its mask comes near the ceiling too."""
CEILING = 0.7
"""IoU on the real photos, at least: below, the segmenter does not know this kind of object, and no
IoU with it means anything."""
REVERSED_POINTS = 0.03
"""Share of headings wrong by more than 90°, at most that much above the real photos'."""
HEADING_JUDGE = 0.2
"""That share on the real photos, at most: above, the regressor does not know this kind of object,
and the heading is not judged."""
PSNR = 30.0
"""dB of the background, at least: about the noise of a camera by day."""
SHARPNESS_OF_REAL = 0.5
"""Sharpness over that of the real photos, at least."""
NEAREST_OF_REAL = 0.5
"""Distance to the nearest training photo over that of held-out real photos, at least: copies are
nearer to what was trained on than anything new is."""
