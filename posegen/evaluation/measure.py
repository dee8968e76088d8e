"""Every figure's value for each image, in one pass over the samples."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from posegen.data.prepared import Pixels
from posegen.evaluation.background import psnr_outside
from posegen.evaluation.color import colour_error, distance, flat_error, inside, mean_colour
from posegen.evaluation.copying import TrainingPhotos
from posegen.evaluation.heading import azimuth, elevation, heading_error
from posegen.evaluation.judges import Judges
from posegen.evaluation.model import Model
from posegen.evaluation.pose import iou, resized_masks
from posegen.evaluation.samples import Order, SampleBatch, Samples
from posegen.evaluation.sharpness import sharpness
from posegen.evaluation.shuffle import derangement

Columns = dict[str, NDArray[np.float64]]
"""One value for each sample, [M], by name; NaN where it does not apply. A name is missing where it
applies to no sample: there is no such judge, or the model takes no such input.

- `object`, which car it is; `azimuth`, `elevation` of the viewpoint in degrees; `area` of the mask
  as a share of the image.
- `iou` of the asked mask with the silhouette found in the generated image; `iou_real` with that
  found in the photo; `iou_shuffled` of another sample's mask with that in the generated image.
- `heading`, `heading_real`, `heading_outline`: error in degrees, [0, 180], on the generated image,
  on the photo, on the mask alone.
- `psnr`, `psnr_real`: generated image and photo against the background outside the mask, dB.
- `colour`, `colour_flat`: ΔE*76 a pixel inside the mask against the photo, of the generated image
  and of the photo's mean colour.
- `mean_colour`, `mean_colour_shuffled`: ΔE*76 between the mean colours inside the mask, of the
  photo and of the image generated with the own appearance, with that of another object.
- `sharpness`, `sharpness_real` inside the mask, levels a pixel.
- `nearest`, `nearest_real`: distance of the generated object and of the photo's to the most similar
  training photo, levels.
"""


@dataclass(frozen=True)
class Evaluator:
    """`model` as seen by `judges`. `viewpoint` False withholds it from a model that takes it.
    `training` holds the photos that the model may have copied."""

    model: Model
    judges: Judges
    viewpoint: bool = True
    seed: int = 0
    training: TrainingPhotos | None = None

    def measure(
        self, samples: Samples, batch_size: int, progress: Callable[[int], None] | None = None
    ) -> Columns:
        """Generate and judge all samples, a batch at a time. `progress` gets how many were done.

        Which mask and which appearance the controls take follows from `seed` alone.
        """
        other_masks = derangement(np.arange(len(samples)), self.seed)
        other_objects = derangement(samples.object_id, self.seed)
        pieces: list[Columns] = []
        for batch in samples.batches(batch_size):
            images = self.generate(batch)
            piece = self._direct(batch, images)
            if self.judges.segmenter is not None:
                others = None if other_masks is None else samples.mask(other_masks[batch.rows])
                piece |= self._pose(batch, images, others)
            if "appearance" in self.model.inputs:
                views = None if other_objects is None else other_objects[batch.rows]
                piece |= self._colour(batch, images, samples, views)
            pieces.append(piece)
            if progress is not None:
                progress(len(batch.rows))
        columns = {name: np.concatenate([p[name] for p in pieces]) for name in pieces[0]}
        return {"object": samples.object_id.astype(np.float64), **columns}

    def generate(self, batch: SampleBatch, appearance: Pixels | None = None) -> Pixels:
        """Images of a batch, with its own appearance or the one given; uint8 [N, S, S, 3]."""
        seen = batch.viewpoint if self.viewpoint else np.zeros_like(batch.viewpoint)
        return self.model.images(
            {
                "mask": batch.mask,
                "appearance": batch.appearance if appearance is None else appearance,
                "background": batch.background,
                "viewpoint": seen,
            }
        )

    def _direct(self, batch: SampleBatch, images: Pixels) -> Columns:
        """What needs no segmenter and no appearance."""
        mask, true = batch.mask, azimuth(batch.viewpoint)
        columns = {
            "azimuth": np.degrees(true),
            "elevation": elevation(batch.viewpoint),
            "area": (mask > 0).mean(axis=(1, 2)),
            "sharpness": sharpness(images, mask),
            "sharpness_real": sharpness(batch.photo, mask),
        }
        if "background" in self.model.inputs:
            columns["psnr"] = psnr_outside(images, batch.background, mask)
            columns["psnr_real"] = psnr_outside(batch.photo, batch.background, mask)
        if self.training is not None:
            columns["nearest"] = self.training.nearest(images, mask)[0]
            columns["nearest_real"] = self.training.nearest(batch.photo, mask)[0]
        if self.judges.heading is not None:
            columns["heading"] = heading_error(self.judges.heading.angles(images), true)
            columns["heading_real"] = heading_error(self.judges.heading.angles(batch.photo), true)
        if self.judges.outline is not None:
            columns["heading_outline"] = heading_error(self.judges.outline.angles(mask), true)
        return columns

    def _pose(self, batch: SampleBatch, images: Pixels, others: Pixels | None) -> Columns:
        assert self.judges.segmenter is not None
        found = self.judges.segmenter.masks(images) > 127
        real = self.judges.segmenter.masks(batch.photo) > 127
        asked = resized_masks(batch.mask, found.shape[1])
        columns = {"iou": iou(found, asked), "iou_real": iou(real, asked)}
        if others is not None:
            columns["iou_shuffled"] = iou(found, resized_masks(others, found.shape[1]))
        return columns

    def _colour(
        self, batch: SampleBatch, images: Pixels, samples: Samples, views: Order | None
    ) -> Columns:
        made, photo = inside(images, batch.mask), inside(batch.photo, batch.mask)
        true = mean_colour(photo)
        columns = {
            "colour": colour_error(made, photo),
            "colour_flat": flat_error(photo),
            "mean_colour": distance(mean_colour(made), true),
        }
        if views is not None:
            dressed = inside(self.generate(batch, samples.appearance(views)), batch.mask)
            columns["mean_colour_shuffled"] = distance(mean_colour(dressed), true)
        return columns
