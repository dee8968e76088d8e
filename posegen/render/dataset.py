"""`posegen data render`: a data set of rendered objects with exact silhouettes and poses.

Layout, below the output directory: BOP's (models/, camera.json, SPLIT/SCENE/rgb, mask, ...) with
background/ and appearance/ beside rgb/, and dataset.json. One scene an object; an object lies in
one split only. What a frame shows follows from (seed, object, frame), so the files are the same
for any number of processes.
"""

import hashlib
import json
import multiprocessing
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from posegen.render import worker
from posegen.render.camera import intrinsics
from posegen.render.outputs import claim_directory, write_hashed
from posegen.render.worker import Done, RenderPlan, Task
from posegen_runtime.errors import PoseGenError

SPLITS = ("train", "val", "test")
FRAMES_PER_TASK = 12
"""A process makes an object anew for each task; Ctrl-C waits for the running ones."""
LICENCE = "Rendered by posegen from parametric models: free of third-party rights"
MESH_LICENCE = "Rendered by posegen; rights in the user's own meshes stay with their owners"


def split_objects(count: int, seed: int) -> list[str]:
    """The split of each object: 80, 10 and 10 per cent, at least one object in each from three
    objects on; two objects give train and val, one gives train."""
    order = np.random.default_rng([seed, count]).permutation(count)
    held_out = max(1, round(count / 10))
    val = held_out if count > 1 else 0
    test = held_out if count > 2 else 0
    splits = ["train"] * count
    for place in order[:val]:
        splits[place] = "val"
    for place in order[val : val + test]:
        splits[place] = "test"
    return splits


def tasks(objects: int, samples: int, seed: int, meshes: int = 0) -> list[Task]:
    """Frames shared out evenly among the objects, in chunks.

    Objects that share one of three or more meshes share its split. Fewer meshes cannot be split:
    then the splits hold the same shapes in different paints.
    """
    result = []
    shapes = min(meshes, objects) if meshes >= 3 else objects
    splits = split_objects(shapes, seed)
    for number in range(objects):
        split = splits[number % shapes]
        frames = samples // objects + (number < samples % objects)
        for start in range(0, frames, FRAMES_PER_TASK):
            stop = min(start + FRAMES_PER_TASK, frames)
            result.append(Task(number, split, start, stop))
    return result


def claim_output(out: Path, objects: int, samples: int) -> None:
    """What `render_dataset` checks before it starts.

    Raises:
        PoseGenError: there are fewer samples than objects, or `out` is not empty or cannot be made.
    """
    if samples < objects:
        raise PoseGenError(f"--samples {samples}: at least one for each of the {objects} objects")
    claim_directory(out)


def render_dataset(
    plan: RenderPlan,
    objects: int,
    samples: int,
    workers: int,
    progress: Callable[[int], None] = lambda frames: None,
) -> dict[str, Any]:
    """Render the data set and return what dataset.json says.

    Args:
        progress: called with the number of frames that were finished.

    Raises:
        PoseGenError: the output directory is not empty or cannot be written, there are fewer
            samples than objects, or the renderer died.
    """
    claim_output(plan.out, objects, samples)
    planned = iter(tasks(objects, samples, plan.seed, len(plan.meshes)))
    finished: list[Done] = []
    context = multiprocessing.get_context("spawn")
    # Few tasks wait in the pool, so that Ctrl-C has little to wait for.
    with ProcessPoolExecutor(workers, context, worker.start, (plan,)) as pool:
        try:
            running = {pool.submit(worker.run, task) for task in islice(planned, 2 * workers)}
            while running:
                ready, running = wait(running, return_when=FIRST_COMPLETED)
                running |= {pool.submit(worker.run, task) for task in islice(planned, len(ready))}
                for done in (future.result() for future in ready):
                    finished.append(done)
                    progress(done.task.stop - done.task.start)
            index = _write_index(plan, finished)
        except BrokenProcessPool:
            raise PoseGenError(
                f"{plan.out}: a render process died; try --workers 1, and check free memory"
            ) from None
        except OSError as error:
            raise PoseGenError(
                f"{plan.out}: cannot be written ({error.strerror}); free space or name another "
                "directory"
            ) from None
    return index


def _write_index(plan: RenderPlan, finished: list[Done]) -> dict[str, Any]:
    """BOP's JSON files and dataset.json, in an order that the processes have no part in."""
    finished = sorted(finished, key=lambda done: (done.task.number, done.task.start))
    hashes: dict[str, str] = {}
    scenes: dict[str, dict[str, dict[str, Any]]] = {}
    counts = dict.fromkeys(SPLITS, 0)
    models = {}
    for done in finished:
        hashes.update(done.hashes)
        if done.model_info:
            models[str(done.task.number + 1)] = done.model_info
        counts[done.task.split] += done.task.stop - done.task.start
        scene = scenes.setdefault(f"{done.task.split}/{done.task.number:06d}", {})
        for name, entries in (
            ("scene_gt", done.gt),
            ("scene_camera", done.camera),
            ("scene_gt_info", done.info),
        ):
            scene.setdefault(name, {}).update(entries)
    for folder, files in scenes.items():
        for name, entries in files.items():
            write_hashed(plan.out, f"{folder}/{name}.json", _json(entries), hashes)
    write_hashed(plan.out, "models/models_info.json", _json(models), hashes)
    K = intrinsics(plan.width, plan.height, sum(plan.ranges.fov) / 2)
    camera = {"fx": K[0, 0], "fy": K[1, 1], "cx": K[0, 2], "cy": K[1, 2]}
    camera |= {"width": plan.width, "height": plan.height, "depth_scale": 1.0}
    write_hashed(plan.out, "camera.json", _json(camera), hashes)
    listing = "".join(f"{digest}  {name}\n" for name, digest in sorted(hashes.items()))
    index = {
        "schema": 1,
        "name": plan.name,
        "kind": "rendered",
        "seed": plan.seed,
        "image_size": [plan.height, plan.width],
        "splits": counts,
        "objects": len(models),
        "licence": MESH_LICENCE if plan.meshes else LICENCE,
        "rendering": {**asdict(plan.ranges), **asdict(plan.sensor)},
        "sha256": hashlib.sha256(listing.encode()).hexdigest(),
        "version": version("posegen"),
    }
    (plan.out / "dataset.json").write_text(json.dumps(index, indent=2) + "\n")
    return index


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=1) + "\n").encode()
