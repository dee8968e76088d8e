"""torch-fidelity's Inception, which FID, KID, IS and I_sim are defined by, with its own weights."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from posegen.data.prepared import Pixels
from posegen.metrics.features import Features
from posegen_runtime.errors import PoseGenError

FILE = "weights-inception-2015-12-05-6726825d.pth"
URL = f"https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/{FILE}"
SHA256 = "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"
NETWORK = "inception-v3-compat"
"""torch-fidelity's name of the network of 2015, ported from TensorFlow with its resize to 299."""
POOL, LOGITS = "2048", "logits_unbiased"
"""torch-fidelity's names of the layers of FID, KID and I_sim, and of IS."""
_PIECE = 1 << 20


class Inception:
    """A network registered in torch-fidelity, with the weights in `weights`, in float32.

    Raises `PoseGenError` when the file holds weights of another network.
    """

    genuine = True

    def __init__(self, weights: Path, device: str = "auto", network: str = NETWORK) -> None:
        import torch
        from torch_fidelity.utils import create_feature_extractor

        self.name = network
        cuda = device != "cpu" and torch.cuda.is_available()
        if device == "cuda" and not cuda:
            raise PoseGenError("--device cuda: this machine has no CUDA device; use --device cpu")
        self._device = torch.device("cuda" if cuda else "cpu")
        try:
            self._network: Any = create_feature_extractor(
                network,
                [POOL, LOGITS],
                cuda=cuda,
                feature_extractor_weights_path=str(weights),
                verbose=False,
            )
        except Exception as error:  # torch raises of many kinds, and their text is long
            raise PoseGenError(
                f"{weights}: holds no weights of {network} ({type(error).__name__}); put {FILE} "
                "there"
            ) from error

    def features(self, images: Pixels) -> Features:
        import torch

        with torch.no_grad():
            tensor = torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))
            pool, logits = self._network(tensor.to(self._device))
        return Features(pool.cpu().numpy(), logits.cpu().numpy())


def find_weights(named: Path | None) -> Path | None:
    """The checked file: the one that was named, or the one in torch's cache; None without one.

    Raises `PoseGenError` when the named one is missing, and when the sha256 is another.
    """
    if named is not None and not named.is_file():
        raise PoseGenError(f"--weights {named}: no such file; get {URL} and name where it lies")
    file = named or default_place()
    if not file.is_file():
        return None
    digest = _sha256(file)
    if digest != SHA256:
        raise PoseGenError(
            f"{file}: its sha256 is {digest[:12]}…, that of {FILE} is {SHA256[:12]}…, and other "
            f"weights give other figures; get {URL} again"
        )
    return file


def default_place() -> Path:
    """Where torch-fidelity itself keeps the file."""
    import torch

    return Path(torch.hub.get_dir()) / "checkpoints" / FILE


def unavailable() -> str:
    """The one line that says what is missing and where to put it."""
    return (
        f"FID, KID, IS and I_sim are unavailable: get {URL} and put it at {default_place()}, "
        "or name it with --weights"
    )


def _sha256(file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as opened:
        while piece := opened.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()
