"""A network with the interface of torch-fidelity's Inception, small enough to run in tests, its
weights in a file of the same format; and torch-fidelity's own, with weights drawn at random."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from torch_fidelity.feature_extractor_base import FeatureExtractorBase
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
from torch_fidelity.registry import FEATURE_EXTRACTORS_REGISTRY

from posegen.metrics import inception

WIDTH, CLASSES = 24, 12


class SmallInception(FeatureExtractorBase):
    def __init__(
        self,
        name: str,
        features_list: list[str],
        feature_extractor_weights_path: str | None = None,
        **_: object,
    ) -> None:
        super().__init__(name, features_list)
        self.conv = nn.Conv2d(3, WIDTH, 3, stride=2)
        self.fc = nn.Linear(WIDTH, CLASSES)
        if feature_extractor_weights_path is not None:
            self.load_state_dict(torch.load(feature_extractor_weights_path, weights_only=False))

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, ...]:
        pool = torch.relu(self.conv(images.float() / 64 - 2)).mean((2, 3))
        found = {"2048": pool, "logits_unbiased": 3 * pool @ self.fc.weight.T}
        return tuple(found[name] for name in self.features_list)

    @staticmethod
    def get_provided_features_list() -> tuple[str, ...]:
        return "2048", "logits_unbiased"

    @staticmethod
    def get_default_feature_layer_for_metric(metric: str) -> str:
        return FeatureExtractorInceptionV3.get_default_feature_layer_for_metric(metric)


def use_small_inception(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Path:
    """Make torch-fidelity and posegen take the small network for Inception; its weights' file."""
    torch.manual_seed(0)
    file = folder / inception.FILE
    torch.save(SmallInception("x", ["2048"]).state_dict(), file)
    monkeypatch.setitem(FEATURE_EXTRACTORS_REGISTRY, inception.NETWORK, SmallInception)
    monkeypatch.setattr(inception, "SHA256", inception._sha256(file))
    return file


def write_random_inception(file: Path) -> Path:
    """Weights of the real network's shapes, drawn so that activations keep their variance."""
    generator = torch.Generator().manual_seed(0)
    network: Any = FeatureExtractorInceptionV3.__new__(FeatureExtractorInceptionV3)
    with pytest.MonkeyPatch.context() as patch:
        module = "torch_fidelity.feature_extractor_inceptionv3.load_state_dict_from_url"
        patch.setattr(module, lambda *_, **__: {})
        patch.setattr(FeatureExtractorInceptionV3, "load_state_dict", lambda *_, **__: None)
        network = FeatureExtractorInceptionV3("x", ["2048"])
    weights = network.state_dict()
    for tensor in weights.values():
        if tensor.ndim == 4:
            deviation = (2 / tensor[0].numel()) ** 0.5
            tensor.copy_(torch.randn(tensor.shape, generator=generator) * deviation)
    torch.save(weights, file)
    return file


def write_tiles(
    folder: Path, count: int, seed: int, side: int = 48, red: int = 0, ending: str = "png"
) -> Path:
    """Images of coloured tiles, the redder the larger `red` is."""
    generator = np.random.default_rng(seed)
    folder.mkdir(parents=True)
    for number in range(count):
        tiles = generator.integers(0, 256, (6, 6, 3), dtype=np.uint8)
        tiles[..., 0] = np.minimum(tiles[..., 0].astype(int) + red, 255)
        pixels = np.repeat(np.repeat(tiles, side // 6, 0), side // 6, 1)
        Image.fromarray(pixels).save(folder / f"{number:03d}.{ending}")
    return folder
