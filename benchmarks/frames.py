"""Several generated objects in whole full-HD frames, from a made mesh to checked labels.

    python benchmarks/frames.py --out runs/frames

Paints streets, stands two or three cars of one made mesh in each, writes their silhouettes and
poses with `posegen data masks`, runs `posegen-run --paste` on them and checks what comes out:
nothing changed outside the crops, masks and visible parts agree, no seam on the crops' borders.
--out keeps everything: backgrounds/, masks/, poses.jsonl, run/, and frames to look at in look/.
"""

import csv
import json
import shutil
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import cv2
import numpy as np
import typer
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO

from posegen.cli import app as posegen
from posegen.render.bop import ply
from posegen.render.camera import View, intrinsics, orbit, span
from posegen.render.canvas import rotation
from posegen.render.car_shapes import draw_car
from posegen.render.cars import build_car
from posegen.render.model import Floats, Model
from posegen.render.scenery import backdrop
from posegen.render.sensor import Sensor
from posegen.render.street import draw_street
from posegen_runtime.cli import app as posegen_run
from posegen_runtime.console import run_app
from posegen_runtime.images import read_rgb, write_png
from posegen_runtime.poses import Pose, write_poses

SIZE = 1920, 1080
SEED = 7
FOV = 45.0
APART = 5.5
"""Metres between two cars."""
LOOK = 8

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command()
def main(
    out: Annotated[Path, typer.Option(help="New folder for inputs, outputs and pictures.")],
    masks: Annotated[int, typer.Option(min=2, help="Silhouettes, two or three a frame.")] = 200,
    labels: Annotated[str, typer.Option(help="As of posegen-run.")] = "coco,yolo,bop,kitti",
    workers: Annotated[int, typer.Option(min=0, help="As of posegen-run.")] = 0,
) -> None:
    """Make the scenes, run, check, and print what was found."""
    rng = np.random.default_rng(SEED)
    model = build_car(draw_car(rng))
    scenes = out / "scenes"
    if not (scenes / "poses.jsonl").exists():
        make_scenes(rng, model, scenes, masks)
    silhouettes = out / "silhouettes"
    if not silhouettes.exists():
        command = ["data", "masks", "--mesh", scenes / "car.ply", "--mesh-unit", "mm"]
        command += ["--poses", scenes / "poses.jsonl", "--out", silhouettes]
        run_app(posegen, [str(word) for word in command])
    shutil.rmtree(out / "run", ignore_errors=True)
    command = ["--masks", silhouettes / "masks", "--poses", silhouettes / "poses.jsonl"]
    command += ["--background", scenes / "backgrounds", "--pairs", scenes / "pairs.csv"]
    command += ["--background-labels", scenes / "backgrounds.json"]
    command += ["--paste", "--labels", labels, "--out", out / "run", "--workers", workers]
    start = time.perf_counter()
    code = run_app(posegen_run, [str(word) for word in command])
    seconds = time.perf_counter() - start
    report = check(out)
    print(f"exit code {code}, {seconds:.1f} s, {report['objects'] / seconds:.2f} objects/s")
    for name, value in report.items():
        print(f"{name}: {value}")
    (out / "report.json").write_text(json.dumps(report, indent=2) + "\n")


def make_scenes(rng: np.random.Generator, model: Model, out: Path, masks: int) -> None:
    """backgrounds/NNNNNN.jpg, poses.jsonl with the frame of each pose, pairs.csv, car.ply."""
    (out / "backgrounds").mkdir(parents=True)
    (out / "car.ply").write_bytes(ply(model.whole))
    poses: list[Pose] = []
    images, roads = [], []
    frame = 0
    while len(poses) < masks:
        wanted = min(int(rng.integers(2, 4)), masks - len(poses))
        street = replace(draw_street(rng), angle=0.0)
        # Only `Stage` draws these, and the ground their shadows.
        street = replace(street, cars=(None,) * len(street.cars))
        view = draw_view(rng)
        found = list(draw_cars(rng, view, model, wanted))
        if len(found) < wanted:
            continue
        name = f"{frame:06}"
        for number, (R, t) in enumerate(found):
            poses.append(
                Pose(
                    mask=f"{name}/{number}.png",
                    category="car",
                    R_m2c=tuple((view.R @ R).ravel().tolist()),
                    t_m2c=tuple((1000 * (view.R @ t + view.t)).tolist()),
                    t_unit="mm",
                    cam_K=tuple(view.K.ravel().tolist()),
                    image_size=SIZE,
                    camera_frame="opencv",
                    pixel_center="integer",
                    dims_hwl_m=tuple((model.size[[2, 1, 0]]).tolist()),
                    frame=name,
                )
            )
        painted = backdrop(street, view, 1.0, 1)
        lens = Sensor(noise=(1.0, 3.0), blur=(0.5, 1.0)).draw(rng)
        photo = cv2.cvtColor(lens.take(painted, rng), cv2.COLOR_RGB2BGR)
        cv2.imwrite(str(out / "backgrounds" / f"{name}.jpg"), photo)
        frame += 1
        width, height = SIZE
        images.append({"id": frame, "file_name": f"{name}.jpg", "width": width, "height": height})
        roads.append(road_of(view, frame))
    roads_found = {
        "images": images,
        "annotations": roads,
        "categories": [{"id": 1, "name": "road"}],
    }
    (out / "backgrounds.json").write_text(json.dumps(roads_found))
    with (out / "pairs.csv").open("w", newline="") as file:
        rows = [(f"{n:06}", f"{n:06}.jpg") for n in range(frame)]
        csv.writer(file).writerows([("mask", "background"), *rows])
    write_poses(out / "poses.jsonl", poses)


def road_of(view: View, image: int) -> dict[str, Any]:
    """A COCO annotation of the strip that cars stand on, as somebody would have labelled it."""
    across = 4.5
    edge = np.linspace(-4, 60, 20)
    points = np.array(
        [(x, -across, 0.0) for x in edge] + [(x, across, 0.0) for x in edge[::-1]], np.float64
    )
    points = points[view.to_camera(points)[:, 2] > 1]
    corners = np.clip(view.project(points) + 0.5, 0, SIZE)
    (x0, y0), (x1, y1) = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
    area = float(cv2.contourArea(corners.astype(np.float32)))
    return {
        "id": image,
        "image_id": image,
        "category_id": 1,
        "segmentation": [corners.ravel().tolist()],
        "area": area,
        "bbox": [x0, y0, x1 - x0, y1 - y0],
        "iscrowd": 0,
    }


def draw_view(rng: np.random.Generator) -> View:
    """A camera on a car's roof or a pole that looks along the street, all but level: KITTI's boxes
    turn about the camera's vertical axis only."""
    down, distance, height = (
        np.radians(rng.uniform(0, 2.5)),
        rng.uniform(10, 18),
        rng.uniform(1.4, 4),
    )
    target = np.array([0, 0, height - distance * np.sin(down)])
    R, t = orbit(target, np.pi + rng.normal(0, 0.15), down, distance)
    return View(R, t, intrinsics(*SIZE, FOV), *SIZE)


def draw_cars(
    rng: np.random.Generator, view: View, model: Model, count: int
) -> Iterator[tuple[Floats, Floats]]:
    """(R, t), model to world, of up to `count` cars that stand apart and inside the image."""
    taken: list[Floats] = []
    for _ in range(200):
        place = np.array([rng.uniform(-7, 24), rng.uniform(-4, 4)])
        if any(np.hypot(*(place - other)) < APART for other in taken):
            continue
        turn = rotation(rng.choice([0, np.pi]) + rng.normal(0, 0.35))
        t = np.array([*place, model.size[2] / 2])
        points = model.whole.vertices @ turn.T + t
        if view.to_camera(points)[:, 2].min() < 2:
            continue
        x0, y0, x1, y1 = span(view, points)
        if min(x0, y0) < 2 or x1 > SIZE[0] - 3 or y1 > SIZE[1] - 3:
            continue
        taken.append(place)
        yield turn, t
        if len(taken) == count:
            return


def check(out: Path) -> dict[str, Any]:
    """Figures of a finished run, from its files alone."""
    run = out / "run"
    rows = [json.loads(line) for line in (run / "manifest.jsonl").open()]
    frames: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        if row["state"] == "done":
            frames[row["image"]].append(row)
    changed_outside = wrong_visible = hidden = 0
    seams: list[tuple[float, float]] = []
    untouched: list[tuple[float, float]] = []
    coco = COCO(run / "labels" / "coco" / "instances.json")
    road = coco.getCatIds(catNms=["road"])
    carried = wrong_carried = 0
    cars = coco.getCatIds(catNms=["car"])
    ids = {image["file_name"]: number for number, image in coco.imgs.items()}
    for name, objects in frames.items():
        image = read_rgb(run / name)
        before = read_rgb(out / "scenes" / "backgrounds" / objects[0]["background"])
        outside = np.ones(image.shape[:2], bool)
        windows = [
            (max(0, x0), max(0, y0), x1, y1)
            for x0, y0, x1, y1 in (row["crop"]["window"] for row in objects)
        ]
        for x0, y0, x1, y1 in windows:
            outside[y0:y1, x0:x1] = False
        changed_outside += int((image != before)[outside].any(axis=-1).sum())
        seams += [seam(image, window, windows) for window in windows]
        untouched += [seam(before, window, windows) for window in windows]
        whole = [read_mask(run / row["mask_file"]) for row in objects]
        shown = coco.getAnnIds(imgIds=[ids[name.removeprefix("images/")]], catIds=cars)
        annotations = coco.loadAnns(shown)
        visible = [coco_mask.decode(a["segmentation"]) > 0 for a in annotations]
        union = np.any(visible, axis=0)
        apart = int(np.sum(visible)) == int(union.sum())
        wrong_visible += not apart or not np.array_equal(union, np.any(whole, axis=0))
        roads = coco.loadAnns(
            coco.getAnnIds(imgIds=[ids[name.removeprefix("images/")]], catIds=road)
        )
        carried += len(roads)
        wrong_carried += any((coco_mask.decode(a["segmentation"]) > 0)[union].any() for a in roads)
        hidden += sum(row.get("visible_fraction", 1.0) < 1 for row in objects)
    border, around = np.sum(seams, axis=0)
    border_before, around_before = np.sum(untouched, axis=0)
    pictures = out / "look"
    shutil.rmtree(pictures, ignore_errors=True)
    pictures.mkdir()
    for name in list(frames)[:: max(1, len(frames) // LOOK)][:LOOK]:
        small = cv2.resize(read_rgb(run / name), (1280, 720), interpolation=cv2.INTER_AREA)
        write_png(pictures / f"{Path(name).stem}.png", small)
    return {
        "frames": len(frames),
        "objects": len(rows),
        "objects done": sum(map(len, frames.values())),
        "objects partly hidden": hidden,
        "objects in BOP": in_bop(run),
        "objects in KITTI": in_kitti(run),
        "annotations carried over": carried,
        "of them on new objects": wrong_carried,
        "pixels changed outside the crops": changed_outside,
        "frames whose visible parts are not the whole masks' union": wrong_visible,
        "gradient on the crops' borders over that around them": round(border / around, 4),
        "the same in the frames before": round(border_before / around_before, 4),
    }


def in_bop(run: Path) -> int:
    """How many objects its scenes have."""
    files = (run / "labels" / "bop").rglob("scene_gt.json")
    return sum(len(objects) for file in files for objects in json.loads(file.read_text()).values())


def in_kitti(run: Path) -> int:
    """How many objects its label files have."""
    files = (run / "labels" / "kitti").rglob("label_2/*.txt")
    lines = [line for file in files for line in file.read_text().splitlines()]
    return sum(not line.startswith("DontCare") for line in lines)


def read_mask(path: Path) -> np.ndarray:
    """bool [H, W]."""
    mask = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    assert mask is not None, path
    return np.asarray(mask > 127)


def seam(
    image: np.ndarray, window: list[int], windows: list[list[int]], reach: int = 6
) -> tuple[float, float]:
    """(sum of gradients across the window's border, that of as many places within `reach` pixels
    of it), over what lies in no other crop."""
    grey = image.astype(np.float32).mean(axis=2)
    x0, y0, x1, y1 = window
    alone = np.ones(grey.shape, bool)
    for a, b, c, d in windows:
        if [a, b, c, d] != window:
            alone[max(0, b - reach) : d + reach, max(0, a - reach) : c + reach] = False
    border = around = 0.0
    for values, lines, (first, last), kept in (
        (grey, (y0, y1), (x0, x1), alone),
        (grey.T, (x0, x1), (y0, y1), alone.T),
    ):
        for line in lines:
            if line <= reach or line >= values.shape[0] - reach:
                continue
            part = values[line - reach - 1 : line + reach + 1, first:last]
            steps = np.abs(np.diff(part, axis=0))[:, kept[line, first:last]]
            border += float(steps[reach].sum())
            around += float(np.delete(steps, reach, axis=0).mean(axis=0).sum())
    return border, around


if __name__ == "__main__":
    app()
