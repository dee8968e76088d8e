import pytest
import torch

from posegen.models.encoder import Encoder


@pytest.mark.parametrize(("size", "strides"), [(32, [2, 4, 8, 16]), (64, [2, 4, 8, 16, 32])])
def test_features_come_by_stride(size: int, strides: list[int]) -> None:
    z, features = Encoder(ndf=64, n_z=10, image_size=size)(torch.zeros(2, 3, size, size))
    assert z.shape == (2, 10)
    assert list(features) == strides
    for stride, feature in features.items():
        side = size // stride
        assert feature.shape == (2, 64 * 2 // side, side, side)
