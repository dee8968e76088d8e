import numpy as np
import torch

from posegen.config import Arch, ModelConfig, Variant
from posegen.data.samplers import Batch
from posegen.training.tensors import Tensors, to_tensors


def convert(
    variant: Variant,
    viewpoint: bool = False,
    exact: np.ndarray | None = None,
    exact_photo: np.ndarray | None = None,
) -> Tensors:
    image = np.zeros((1, 2, 2, 3), np.uint8)
    image[0, 0, 1] = (255, 0, 51)  # the pixel right of the corner
    mask = np.array([[[0, 127], [128, 255]]], np.uint8)
    seen = np.array([[0, 0.6, 0.8]], np.float32)
    pixels = (image, mask, image + 1, mask, image + 2, image + 3)
    batch = Batch(*pixels, seen, True, exact, exact_photo)
    config = ModelConfig(arch=Arch.SPATIAL, preset="tiny", variant=variant, viewpoint=viewpoint)
    return to_tensors(batch, config, torch.device("cpu"))


def test_ranges_and_layout() -> None:
    tensors = convert(Variant.POSE_APPEARANCE_BACKGROUND)
    assert tensors.photo.shape == (1, 3, 2, 2)
    torch.testing.assert_close(tensors.photo[0, :, 0, 1], torch.tensor([1.0, -1.0, -0.6]))
    assert tensors.mask is not None
    assert tensors.mask[0, 0].tolist() == [[0.0, 0.0], [1.0, 1.0]]


def test_only_what_the_variant_uses() -> None:
    for variant in Variant:
        tensors = convert(variant)
        used = {name for name, value in tensors.conditions.items() if value is not None}
        assert used == set(variant.inputs)
        assert (tensors.photo_mask is not None) == variant.uses_mask
        assert (tensors.photo_background is not None) == variant.uses_background


def test_the_exact_mask_where_one_was_roughened() -> None:
    tensors = convert(Variant.POSE)
    assert tensors.exact_mask is None
    assert tensors.covered is tensors.certain is tensors.mask
    rough = convert(Variant.POSE, exact=np.array([[[255, 0], [255, 0]]], np.uint8))
    assert rough.covered is not None
    assert rough.certain is not None
    assert rough.covered[0, 0].tolist() == [[1.0, 0.0], [1.0, 1.0]]
    assert rough.certain[0, 0].tolist() == [[0.0, 0.0], [1.0, 0.0]]


def test_the_photos_exact_mask_where_one_was_roughened() -> None:
    tensors = convert(Variant.POSE)
    assert tensors.photo_covered is tensors.photo_mask
    exact = np.array([[[255, 0], [255, 0]]], np.uint8)
    rough = convert(Variant.POSE, exact_photo=exact)
    assert rough.photo_covered is not None
    assert rough.photo_covered[0, 0].tolist() == [[1.0, 0.0], [1.0, 1.0]]
    assert rough.covered is rough.mask
    assert convert(Variant.AUTOENCODER, exact_photo=exact).photo_covered is None


def test_the_viewpoint_where_the_model_takes_one() -> None:
    viewpoint = convert(Variant.POSE, viewpoint=True).conditions["viewpoint"]
    torch.testing.assert_close(viewpoint, torch.tensor([[0, 0.6, 0.8]]))


def test_the_autoencoder_sees_the_photo_itself() -> None:
    tensors = convert(Variant.AUTOENCODER)
    assert tensors.appearance is tensors.photo
    other = convert(Variant.POSE_APPEARANCE)
    assert other.appearance is not None
    assert not torch.equal(other.appearance, other.photo)
