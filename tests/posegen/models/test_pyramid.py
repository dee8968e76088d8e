import pytest
import torch

from posegen.models.pyramid import AppearanceEncoder, ConvNorm, Pyramid


@pytest.mark.parametrize(("kernel", "stride", "side"), [(3, 1, 16), (4, 2, 8), (8, 4, 4)])
def test_convolution_keeps_the_grid(kernel: int, stride: int, side: int) -> None:
    assert ConvNorm(2, 5, kernel, stride)(torch.zeros(1, 2, 16, 16)).shape == (1, 5, side, side)


def test_pyramid_gives_a_level_for_each_stride() -> None:
    features = Pyramid(3, 4, (5, 6, 7), (4, 8, 16))(torch.zeros(2, 3, 32, 32))
    assert {k: tuple(v.shape) for k, v in features.items()} == {
        4: (2, 5, 8, 8),
        8: (2, 6, 4, 4),
        16: (2, 7, 2, 2),
    }


def test_the_palette_holds_the_colour_that_attention_finds() -> None:
    """Attention that follows one cell gives that cell's colour, unmixed with the scene's."""
    torch.manual_seed(0)
    encoder = AppearanceEncoder((4, 6, 6, 6), palette=1, style=5).eval()
    image = torch.full((1, 3, 64, 64), -1.0)
    red = torch.tensor([0.8, -0.6, -0.7])
    image[0, :, 16:24, 40:48] = red[:, None, None]

    def look_at_the_cell(module: object, inputs: object, output: torch.Tensor) -> torch.Tensor:
        weights = torch.zeros_like(output)
        weights[..., 2, 5] = 100
        return weights

    encoder.attention.register_forward_hook(look_at_the_cell)
    style = encoder(image)
    assert style.shape == (1, encoder.width)
    assert torch.allclose(style[0, -3:], red, atol=1e-5)
