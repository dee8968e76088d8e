"""How long `edge` takes beside the paper's pose-only model, on ONNX Runtime's CPU provider.

    python benchmarks/edge_time.py [--json FILE]

One thread a session, as in each lane of `posegen-run`; with two the paper's larger convolutions
gain more from the second one, see `--threads`. Both are exported here as a bundle holds them:
folded weights, uint8 images at the graph's edges. The graphs take turns, one image each, so that
whatever else the machine does hits them alike. Within a round each graph's fastest run counts,
since noise only ever adds; the ratio is the median over the rounds. Exit code 1 when a bound is
missed.
"""

import json
import statistics
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer

CACHED_BOUND = 0.4
"""Share of the paper's time with appearance and background encoded once."""
FULL_BOUND = 0.65
"""Share of the paper's time with another appearance and background for every mask."""
BOUNDS = {"cached": CACHED_BOUND, "full": FULL_BOUND}

Runner = Any
"""A session and its inputs."""


def build_runners(threads: int, size: int = 256) -> dict[str, Runner]:
    """The paper's pose-only model and both graphs of `edge`, ready to run on one random image."""
    import torch

    from posegen.config import Arch, ModelConfig, Variant
    from posegen.models import build_generator
    from posegen_export.graph import CachedGraph, GeneratorGraph, to_network

    def generator(arch: Arch, preset: str, variant: Variant) -> Any:
        config = ModelConfig(arch=arch, preset=preset, variant=variant, image_size=size)
        return build_generator(config).folded()

    torch.manual_seed(0)
    paper = generator(Arch.BOTTLENECK, "paper", Variant.POSE)
    edge = generator(Arch.SPATIAL, "edge", Variant.POSE_APPEARANCE_BACKGROUND)
    mask = torch.randint(0, 256, (2, size, size), dtype=torch.uint8)
    image = torch.randint(0, 256, (2, size, size, 3), dtype=torch.uint8)
    with torch.no_grad():
        conditions = edge.encode(to_network(image[:1]), to_network(image[1:]))
    cached = CachedGraph(edge, tuple(conditions))
    return {
        "paper": _session(GeneratorGraph(paper), {"mask": mask}, threads),
        "cached": _session(cached, {"mask": mask, **conditions}, threads),
        "full": _session(
            GeneratorGraph(edge), {"mask": mask, "appearance": image, "background": image}, threads
        ),
    }


def _session(graph: Any, example: dict[str, Any], threads: int) -> Runner:
    import onnxruntime

    from posegen_export.onnx import to_onnx

    model = to_onnx(graph, tuple(example.values()), tuple(example), ("image",), {})
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    # Threads that spin after a run would take the core from the next graph's.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return session, {name: value[:1].numpy() for name, value in example.items()}


def measure(runners: dict[str, Runner], rounds: int, turns: int) -> dict[str, Any]:
    """Milliseconds of each graph and, against "paper", the ratio: medians over the rounds."""
    best: dict[str, list[float]] = {name: [] for name in runners}
    for _ in range(rounds):
        times: dict[str, list[float]] = {name: [] for name in runners}
        for _ in range(turns):
            for name, (session, feeds) in runners.items():
                start = time.perf_counter()
                session.run(None, feeds)
                times[name].append(time.perf_counter() - start)
        for name, seconds in times.items():
            best[name].append(min(seconds))
    return {
        "milliseconds": {name: 1e3 * statistics.median(best[name]) for name in runners},
        "ratio": {
            name: statistics.median(
                ours / paper for ours, paper in zip(best[name], best["paper"], strict=True)
            )
            for name in BOUNDS
        },
    }


def main(
    threads: Annotated[
        int, typer.Option(min=0, help="Threads of each session; 0 leaves it to ONNX Runtime.")
    ] = 1,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds; their median counts.")] = 7,
    turns: Annotated[int, typer.Option(min=1, help="Runs of each graph in a round.")] = 10,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the figures to this file as well.")
    ] = None,
) -> None:
    """Time `edge` against the paper's pose-only model and hold it to its bounds."""
    figures = measure(build_runners(threads), rounds, turns)
    for name, milliseconds in figures["milliseconds"].items():
        line = f"{name:7}{milliseconds:8.1f} ms"
        if name in BOUNDS:
            line += f"   {figures['ratio'][name]:.3f} of the paper's, at most {BOUNDS[name]}"
        print(line)
    if json_file is not None:
        json_file.write_text(json.dumps({**figures, "bound": BOUNDS}, indent=2) + "\n")
    if any(figures["ratio"][name] > bound for name, bound in BOUNDS.items()):
        sys.exit(1)


if __name__ == "__main__":
    typer.run(main)
