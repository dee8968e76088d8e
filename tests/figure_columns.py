"""The values of twelve images, from which each figure follows by hand."""

import numpy as np

BASE = {
    "object": np.arange(12.0),
    "azimuth": np.zeros(12),
    "iou": np.full(12, 0.9),
    "iou_real": np.full(12, 1.0),
    "iou_shuffled": np.full(12, 0.3),
    "heading": np.array([10.0] * 11 + [170.0]),
    "heading_real": np.full(12, 5.0),
    "heading_outline": np.array([10.0, 170.0] * 6),
    "psnr": np.array([20.0] * 3 + [40.0] * 9),
    "psnr_real": np.full(12, 25.0),
    "colour": np.full(12, 11.0),
    "colour_flat": np.full(12, 12.0),
    "mean_colour": np.full(12, 3.0),
    "mean_colour_shuffled": np.full(12, 30.0),
    "sharpness": np.full(12, 2.0),
    "sharpness_real": np.full(12, 4.0),
    "nearest": np.full(12, 8.0),
    "nearest_real": np.full(12, 10.0),
}
