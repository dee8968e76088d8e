"""Sends silhouettes to a Triton Inference Server and writes the images that come back.

    pip install 'tritonclient[http,grpc]' numpy pillow
    python client.py --model edge-cars --masks masks/ --out out \\
        --appearance car.png --background street.png

Needs nothing of PoseGen: bytes of images go in, bytes of images come out. Masks are taken as they
are, resized; `posegen-run` has what crops, pads and reads other kinds of masks.
"""

import argparse
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
from PIL import Image

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")
TYPES = {"UINT8": np.uint8, "FP32": np.float32}


class Server:
    """One model of a server, over HTTP or gRPC: the two clients differ in little."""

    def __init__(self, url: str, model: str, grpc: bool) -> None:
        self.client_library = import_module(f"tritonclient.{'grpc' if grpc else 'http'}")
        self.client = self.client_library.InferenceServerClient(url)
        self.model = model
        as_dict = {"as_json": True} if grpc else {}
        self.inputs = self.client.get_model_metadata(model, **as_dict)["inputs"]
        config = self.client.get_model_config(model, **as_dict)
        config = config.get("config", config)
        self.max_batch = int(config.get("max_batch_size", 0))

    @property
    def image_size(self) -> tuple[int, int]:
        """(height, width) of masks and images."""
        (shape,) = (tensor["shape"] for tensor in self.inputs if tensor["name"] == "mask")
        height, width = map(int, shape[1:])
        return height, width

    def takes(self, name: str) -> bool:
        return any(tensor["name"] == name for tensor in self.inputs)

    def infer(self, arrays: dict[str, np.ndarray]) -> np.ndarray:
        """Images uint8 [N, H, W, 3] of the model's inputs by name."""
        inputs = []
        for tensor in self.inputs:
            name, kind = tensor["name"], tensor["datatype"]
            array = np.ascontiguousarray(arrays[name], TYPES[kind])
            given = self.client_library.InferInput(name, array.shape, kind)
            given.set_data_from_numpy(array)
            inputs.append(given)
        output = self.client_library.InferRequestedOutput("image")
        return self.client.infer(self.model, inputs, outputs=[output]).as_numpy("image")


def read(path: Path, mode: str, size: tuple[int, int]) -> np.ndarray:
    """uint8 [H, W] for mode L, [H, W, 3] for RGB."""
    height, width = size
    how = Image.Resampling.NEAREST if mode == "L" else Image.Resampling.BILINEAR
    with Image.open(path) as image:
        return np.asarray(image.convert(mode).resize((width, height), how))


def generate(server: Server, masks: np.ndarray, conditions: dict[str, np.ndarray]) -> np.ndarray:
    """Images of `masks` uint8 [N, H, W] with one appearance and background, uint8 [H, W, 3]."""
    count = len(masks)
    # Where the server joins requests, each mask brings its own conditions; else one row serves all.
    rows = count if server.max_batch else 1
    arrays = {name: np.repeat(image[None], rows, axis=0) for name, image in conditions.items()}
    arrays["mask"] = masks
    # From where the object is seen: the unit vector towards the camera. Zeros: not known.
    arrays["viewpoint"] = np.zeros((count, 3), np.float32)
    return server.infer(arrays)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", help="HOST:PORT; default localhost:8000, with --grpc 8001")
    parser.add_argument("--grpc", action="store_true", help="gRPC instead of HTTP")
    parser.add_argument("--model", required=True)
    parser.add_argument("--masks", type=Path, required=True, help="folder; white is the object")
    parser.add_argument("--appearance", type=Path, help="photo of the object")
    parser.add_argument("--background", type=Path, help="photo of the scene without it")
    parser.add_argument("--batch", type=int, default=8, help="masks in a request")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()

    url = options.url or ("localhost:8001" if options.grpc else "localhost:8000")
    try:
        count = send(options, Server(url, options.model, options.grpc))
    except Exception as error:  # each client raises its own, and what its transport raises
        print(f"error: {options.model} at {url}: {error}", file=sys.stderr)
        return 2
    print(f"{options.out}: {count} images")
    return 0


def send(options: argparse.Namespace, server: Server) -> int:
    """The number of images written."""
    conditions = {}
    for name in ("appearance", "background"):
        if server.takes(name):
            path = getattr(options, name)
            if path is None:
                raise ValueError(f"takes a photo for {name}; name it with --{name}")
            conditions[name] = read(path, "RGB", server.image_size)
    files = sorted(file for file in options.masks.iterdir() if file.suffix.lower() in SUFFIXES)
    options.out.mkdir(parents=True, exist_ok=True)
    batch = max(1, min(options.batch, server.max_batch or options.batch))
    for start in range(0, len(files), batch):
        some = files[start : start + batch]
        masks = np.stack([read(file, "L", server.image_size) for file in some])
        for file, image in zip(some, generate(server, masks, conditions), strict=True):
            Image.fromarray(image).save(options.out / f"{file.stem}.png")
    return len(files)


if __name__ == "__main__":
    sys.exit(main())
