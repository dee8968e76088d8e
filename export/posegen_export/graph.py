"""The generator with its border: uint8 in, uint8 out, nothing left for a caller to get wrong.

The modules take their inputs by position, as a graph does: their number depends on the variant.
"""

import torch
from torch import Tensor, nn

from posegen.models import Generator


def working_type(generator: Generator) -> torch.dtype:
    """What the generator computes in, apart from its float32 islands: float32 or float16."""
    types = {parameter.dtype for parameter in generator.parameters()}
    return torch.float16 if torch.float16 in types else torch.float32


def silhouette(mask: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
    """mask uint8 [N, H, W] → p [N, 1, H, W] in {0, 1}: 1 where the mask is above 127."""
    # The cast comes first: TensorRT compares no uint8.
    return (mask.to(torch.float32) > 127).to(dtype).unsqueeze(1)


def to_network(image: Tensor) -> Tensor:
    """RGB uint8 [N, H, W, 3] → float32 [N, 3, H, W] in [-1, 1]."""
    return image.to(torch.float32).permute(0, 3, 1, 2) / 127.5 - 1


def to_levels(image: Tensor) -> Tensor:
    """float32 [N, 3, H, W] in [-1, 1] → RGB uint8 [N, H, W, 3], rounded."""
    levels = ((image + 1) * 127.5).clamp(0, 255).round()
    return levels.permute(0, 2, 3, 1).to(torch.uint8)


class GeneratorGraph(nn.Module):
    """mask, the images that the variant takes, viewpoint float32 [N, 3] if the model does → image;
    all others uint8."""

    def __init__(self, generator: Generator) -> None:
        super().__init__()
        self.generator = generator
        self.dtype = working_type(generator)
        self.names = generator.config.inputs

    def forward(self, *inputs: Tensor) -> Tensor:
        given = dict(zip(self.names, inputs, strict=True))
        mask = silhouette(given.pop("mask"), self.dtype)
        if "viewpoint" in given:
            given["viewpoint"] = given["viewpoint"].to(self.dtype)
        for name in self.generator.config.variant.inputs[1:]:
            given[name] = to_network(given[name]).to(self.dtype)
        return to_levels(self.generator(mask, **given))


class ConditionsGraph(nn.Module):
    """The images that the variant takes, uint8 → the generator's conditions, in its type.

    After a call, `outputs` holds the names of the conditions in their order.
    """

    outputs: tuple[str, ...] = ()

    def __init__(self, generator: Generator) -> None:
        super().__init__()
        self.generator = generator
        self.dtype = working_type(generator)
        self.images = generator.config.variant.inputs[1:]

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        named = zip(self.images, inputs, strict=True)
        conditions = self.generator.encode(**{k: to_network(v).to(self.dtype) for k, v in named})
        self.outputs = tuple(conditions)
        return tuple(conditions.values())


class CachedGraph(nn.Module):
    """mask uint8, conditions, named in the order of `names`, and viewpoint float32 [N, 3]
    if the model takes it → image uint8."""

    def __init__(self, generator: Generator, names: tuple[str, ...]) -> None:
        super().__init__()
        self.generator = generator
        self.dtype = working_type(generator)
        self.names = names

    def forward(self, *inputs: Tensor) -> Tensor:
        mask, *others = inputs
        viewpoint = others.pop().to(self.dtype) if self.generator.config.viewpoint else None
        conditions = dict(zip(self.names, others, strict=True))
        p = silhouette(mask, self.dtype)
        return to_levels(self.generator.decode(p, conditions, viewpoint=viewpoint))
