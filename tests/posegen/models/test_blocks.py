import pytest
import torch
from torch import nn

from posegen.models.blocks import (
    DownBlock,
    UpBlock,
    fold_spectral_norm,
    normalised_conv,
    normalised_linear,
)


@pytest.mark.parametrize("first", [True, False])
def test_down_block_halves(first: bool) -> None:
    assert DownBlock(3, 8, first)(torch.zeros(2, 3, 16, 16)).shape == (2, 8, 8, 8)


def test_up_block_doubles() -> None:
    assert UpBlock(8, 4)(torch.zeros(2, 8, 4, 4)).shape == (2, 4, 8, 8)


def test_weights_have_spectral_norm_one() -> None:
    torch.manual_seed(0)
    linear = normalised_linear(16, 8)
    with torch.no_grad():
        linear.parametrizations.weight.original.mul_(7)  # type: ignore[union-attr]
        for _ in range(50):
            linear(torch.zeros(1, 16))
    assert torch.linalg.matrix_norm(linear.eval().weight, 2).item() == pytest.approx(1, abs=1e-3)


def test_folding_keeps_the_outputs_and_leaves_plain_layers() -> None:
    torch.manual_seed(0)
    module = nn.Sequential(normalised_conv(3, 4, 3, 1.0), nn.Flatten(), normalised_linear(64, 2))
    module(torch.randn(2, 3, 4, 4))
    module.eval()
    x = torch.randn(2, 3, 4, 4)
    expected = module(x)
    fold_spectral_norm(module)
    assert torch.equal(module(x), expected)
    assert sorted(module.state_dict()) == ["0.bias", "0.weight", "2.bias", "2.weight"]
