"""Whole files of every kind that is read, to be damaged."""

import json
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from posegen_runtime.generator import SHIPPED_BUNDLE
from tiny_bundle import write_tiny_bundle

SIZE = 48


def images() -> list[bytes]:
    """Masks and photos in every format and pixel type, small ones and the shipped golden ones."""
    grey = np.zeros((SIZE, SIZE + 16), np.uint8)
    cv2.ellipse(grey, (30, 22), (18, 10), 20, 0, 360, 255, -1)
    ids = (grey // 85).astype(np.uint8)
    rgb = np.dstack([grey, grey.T.copy().reshape(grey.shape), 255 - grey])
    wide = grey.astype(np.uint16) * 257
    pictures = {
        "L": Image.fromarray(grey),
        "1": Image.fromarray(grey).convert("1"),
        "P": _palette(ids),
        "RGB": Image.fromarray(rgb),
        "RGBA": Image.fromarray(np.dstack([rgb, grey])),
        "LA": Image.fromarray(np.dstack([grey, grey])),
        "I;16": Image.fromarray(wide),
        "CMYK": Image.fromarray(rgb).convert("CMYK"),
    }
    turned = Image.Exif()
    turned[0x0112] = 6
    found = [
        *(_saved(pictures[mode], "PNG") for mode in ("L", "1", "P", "RGB", "RGBA", "LA", "I;16")),
        _saved(pictures["P"], "PNG", exif=turned),
        _saved(pictures["RGB"], "PNG", exif=turned),
        *(_saved(pictures[mode], "JPEG") for mode in ("L", "RGB", "CMYK")),
        _saved(pictures["RGB"], "JPEG", exif=turned, progressive=True),
        *(_saved(pictures[mode], "BMP") for mode in ("L", "1", "P", "RGB")),
        *(_saved(pictures[mode], "TIFF") for mode in ("L", "1", "P", "RGB", "RGBA", "I;16")),
        _saved(pictures["L"], "TIFF", save_all=True, append_images=[pictures["L"]] * 3),
        *(
            _saved(pictures["RGB"], "TIFF", compression=how)
            for how in ("tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg")
        ),
        _saved(pictures["1"], "TIFF", compression="group4"),
        *(_saved(pictures[mode], "WEBP") for mode in ("RGB", "RGBA")),
        _saved(pictures["RGBA"], "WEBP", lossless=True),
        _saved(pictures["RGB"], "WEBP", exif=turned),
        _saved(pictures["RGB"], "WEBP", save_all=True, append_images=[pictures["RGBA"]]),
        cv2.imencode(".tiff", grey.astype(np.float32))[1].tobytes(),
    ]
    golden = SHIPPED_BUNDLE / "golden"
    names = ("mask_00.png", "mask_05.png", "image_00.png", "appearance_1.png")
    return [*found, *((golden / name).read_bytes() for name in names)]


def _palette(ids: np.ndarray) -> Image.Image:
    image = Image.fromarray(ids, "P")
    image.putpalette([0, 0, 0, 200, 0, 0, 0, 90, 0, 9, 9, 9])
    return image


def _saved(image: Image.Image, how: str, **options: object) -> bytes:
    file = BytesIO()
    image.save(file, how, **options)
    return file.getvalue()


def mask(path: Path) -> Path:
    """A good mask, written to `path`."""
    grey = np.zeros((SIZE, SIZE), np.uint8)
    cv2.ellipse(grey, (24, 24), (14, 9), 20, 0, 360, 255, -1)
    cv2.imwrite(str(path), grey)
    return path


def pose_lines(path: Path) -> Path:
    """A poses.jsonl of three lines, written to `path`."""
    lines = [
        {
            "mask": f"{number}.png",
            "category": "car",
            "R_m2c": [1, 0, 0, 0, 0, -1, 0, 1, 0],
            "t_m2c": [0.1, -0.2, 12.5],
            "t_unit": "m",
            "cam_K": [700, 0, 319.5, 0, 700, 239.5, 0, 0, 1],
            "image_size": [SIZE, SIZE],
            "camera_frame": "opencv",
            "pixel_center": "integer",
            "dims_hwl_m": [1.5, 1.8, 4.4],
            "ambiguity": 0.4,
        }
        for number in range(3)
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def bop_scene(scene: Path) -> Path:
    """A BOP scene of two images with a mask each, written to `scene`."""
    (scene / "mask").mkdir(parents=True)
    pose = {"cam_R_m2c": [1, 0, 0, 0, 0, -1, 0, 1, 0], "cam_t_m2c": [9, -7, 1250.5], "obj_id": 4}
    camera = {"cam_K": [700, 0, 319.5, 0, 700, 239.5, 0, 0, 1], "depth_scale": 1.0}
    for name, entry in (("scene_gt", [pose]), ("scene_camera", camera)):
        (scene / f"{name}.json").write_text(json.dumps({"0": entry, "12": entry}))
    for image in (0, 12):
        mask(scene / f"mask/{image:06d}_000000.png")
    return scene


def bundle(root: Path) -> Path:
    """A bundle that takes all inputs, written to `root`."""
    return write_tiny_bundle(root, golden=2, viewpoint=True)
