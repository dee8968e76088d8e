"""The real command: signals, kills, several devices, each in processes of its own; its help."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from posegen.checkpoint import load_checkpoint
from posegen.cli import app
from posegen.config import Arch, ModelConfig, TrainConfig, Variant
from posegen.training.processes import free_port
from posegen.training.run import RunOptions
from posegen_runtime.console import run_app
from synthetic_dataset import write_dataset

COMMAND = [str(Path(sys.executable).with_name("posegen"))]
TINY = ["--preset", "tiny", "--image-size", "32", "--batch-size", "4", "--device", "cpu"]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_dataset(tmp_path_factory.mktemp("data"))


def start(
    data: Path,
    out: Path,
    *options: str,
    command: list[str] = COMMAND,
    environ: Mapping[str, str] = os.environ,
) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [*command, "train", "--data", str(data), "--out", str(out), *TINY, *options],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environ, "OMP_NUM_THREADS": "1"},
    )


def finish(process: "subprocess.Popen[str]", code: int) -> str:
    _, errors = process.communicate(timeout=300)
    assert process.returncode == code, errors
    return errors


def wait_for(file: Path, process: "subprocess.Popen[str]") -> None:
    while not file.exists():
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)


def weights(run: Path) -> list[bytes]:
    return [(run / name).read_bytes() for name in ("last.safetensors", "best.safetensors")]


@pytest.mark.slow
def test_200_steps_equal_100_kill_100(data: Path, tmp_path: Path) -> None:
    options = ("--steps", "200", "--save-every", "100", "--evaluate-every", "100")
    straight, killed = tmp_path / "straight", tmp_path / "killed"
    whole = start(data, straight, *options)
    first = start(data, killed, *options)
    wait_for(killed / "resume.pt", first)
    time.sleep(0.3)  # into the second hundred
    first.send_signal(signal.SIGKILL)
    finish(first, -signal.SIGKILL)
    assert "going on at step 100" in finish(start(data, killed, *options), 0)
    finish(whole, 0)
    assert weights(straight) == weights(killed)


@pytest.mark.slow
def test_signals_save_and_leave_and_the_run_goes_on_exactly(data: Path, tmp_path: Path) -> None:
    options = ("--steps", "120", "--save-every", "20", "--evaluate-every", "60")
    whole = start(data, tmp_path / "straight", *options)
    for sent, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        process = start(data, tmp_path / "stopped", *options)
        resume = tmp_path / "stopped" / "resume.pt"
        wait_for(resume, process)
        before = resume.stat().st_mtime_ns
        while resume.stat().st_mtime_ns == before:
            assert process.poll() is None, process.communicate()
            time.sleep(0.02)
        process.send_signal(sent)
        errors = finish(process, code)
        assert "stopped at step" in errors
        assert "Traceback" not in errors
    finish(start(data, tmp_path / "stopped", *options), 0)
    finish(whole, 0)
    assert weights(tmp_path / "straight") == weights(tmp_path / "stopped")


TORCHRUN = [
    str(Path(sys.executable).with_name("torchrun")),
    *("--nproc-per-node", "2", "--no-python", *COMMAND),
]


@pytest.mark.slow
@pytest.mark.parametrize("command", [[*COMMAND], TORCHRUN], ids=["alone", "torchrun"])
def test_two_devices_share_a_batch(command: list[str], data: Path, tmp_path: Path) -> None:
    options = ["--devices", "2", "--steps", "6", "--save-every", "3"]
    errors = finish(start(data, tmp_path / "run", *options, command=command), 0)
    assert errors.count("2 × cpu") == 1
    assert "Initializing" not in errors
    assert load_checkpoint(tmp_path / "run" / "last.safetensors").info.step == 6


@pytest.mark.slow
def test_a_signal_to_the_command_stops_two_devices_and_they_go_on(
    data: Path, tmp_path: Path
) -> None:
    options = ("--devices", "2", "--steps", "60", "--save-every", "2", "--evaluate-every", "60")
    for sent, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        process = start(data, tmp_path / "run", *options)
        resume = tmp_path / "run" / "resume.pt"
        wait_for(resume, process)
        before = resume.stat().st_mtime_ns
        while resume.stat().st_mtime_ns == before:
            assert process.poll() is None, process.communicate()
            time.sleep(0.02)
        process.send_signal(sent)
        errors = finish(process, code)
        assert errors.count("stopped at step") == 1
        assert "Traceback" not in errors


@pytest.mark.slow
def test_an_error_of_two_devices_is_one_line(data: Path, tmp_path: Path) -> None:
    errors = finish(start(tmp_path, tmp_path / "run", "--devices", "2"), 2)
    assert errors.startswith(f"error: {tmp_path}: no data set")
    assert errors.count("\n") == 1
    errors = finish(start(data, tmp_path / "run", "--devices", "3", command=TORCHRUN), 1)
    assert errors.count("error: --devices 3: torchrun started 2 processes") == 1


@pytest.mark.slow
def test_what_waits_for_a_peer_says_so_and_a_signal_ends_it(data: Path, tmp_path: Path) -> None:
    alone = {"RANK": "0", "WORLD_SIZE": "2", "LOCAL_RANK": "0", "LOCAL_WORLD_SIZE": "1"}
    started = {}
    for sent in (signal.SIGINT, signal.SIGTERM):
        port = str(free_port())
        meeting = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
        process = start(data, tmp_path / "run", environ=alone | meeting)
        started[sent] = process, f"waiting for 2 processes at 127.0.0.1:{port}\n"
    for sent, (process, told) in started.items():
        assert process.stderr is not None
        assert process.stderr.readline() == told
        time.sleep(1)  # until it waits
        process.send_signal(sent)
        try:
            assert process.wait(timeout=20) == -sent
        finally:
            process.kill()


def test_help_needs_no_torch() -> None:
    code = "import sys; import posegen.cli; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    shown = subprocess.run([*COMMAND, "--help"], capture_output=True, text=True, check=True)
    assert "train" in shown.stdout
    assert "data" in shown.stdout


@pytest.mark.parametrize("arch", [None, *Arch])
def test_the_defaults_are_those_of_the_configuration(
    arch: Arch | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[tuple[TrainConfig, RunOptions]] = []

    def note(config: TrainConfig, options: RunOptions, _: object) -> int:
        given.append((config, options))
        return 0

    monkeypatch.setattr("posegen.training.run.run_training", note)
    options = [] if arch is None else ["--arch", arch.value]
    data, out = tmp_path / "data", tmp_path / "run"
    assert run_app(app, ["train", "--data", str(data), "--out", str(out), *options]) == 0
    model = ModelConfig(
        arch=arch or Arch.SPATIAL,
        preset="paper" if arch is Arch.BOTTLENECK else "edge",
        variant=Variant.POSE_APPEARANCE_BACKGROUND,
    )
    assert given == [(TrainConfig(model=model), RunOptions(data, out))]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--sampler", "both"], "--sampler"),
        (["--learning-rate", "0"], "--learning-rate"),
        (["--steps", "0"], "--steps"),
        (["--precision", "64"], "--precision"),
        (["--covered", "1.5"], "--covered"),
        (["--devices", "0"], "--devices"),
        (["--nodes", "2"], "torchrun --nnodes 2 --nproc-per-node 1"),
        (["--devices", "3"], "--batch-size 64: cannot be shared out evenly among 1 × 3 devices"),
    ],
)
def test_options_out_of_bounds(
    options: list[str], message: str, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["train", "--data", str(data), "--out", str(tmp_path / "run"), *options]
    assert run_app(app, arguments) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--preset", "huge"], "preset huge: spatial has no such preset"),
        (
            ["--batch-size", "3", "--devices", "2"],
            "--batch-size 3: cannot be shared out evenly among 1 × 2 devices",
        ),
        (["--precision", "16-mixed"], "--precision 16-mixed: needs CUDA"),
        (["--image-size", "48"], "image size 48: spatial takes multiples of 32"),
        (["--init", "nowhere"], "nowhere: no checkpoint there"),
        (["--sampler", "independent", "--variant", "pose"], "--sampler independent: without a"),
        (["--covered", "0.5", "--variant", "pose"], "--covered 0.5: variant pose takes no"),
    ],
)
def test_unusable_input_is_one_line(
    options: list[str], message: str, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["--data", str(data), "--out", str(tmp_path / "run"), *TINY, *options]
    assert run_app(app, ["train", *given]) == 2
    errors = [line for line in capsys.readouterr().err.splitlines() if line]
    assert len(errors) == 1
    assert errors[0].startswith(f"error: {message}") or f" {message}" in errors[0]


def test_what_changes_the_samples_is_written_into_the_checkpoint(
    data: Path, tmp_path: Path
) -> None:
    given = ["--data", str(data), "--out", str(tmp_path / "run"), *TINY, "--steps", "2"]
    changes = ["--covered", "0.75", "--rough-masks", "0.5", "--crops", "0.25"]
    assert run_app(app, ["train", *given, *changes]) == 0
    config = load_checkpoint(tmp_path / "run").info.train_config
    assert (config.covered, config.rough_masks, config.crops) == (0.75, 0.5, 0.25)


def test_divergence_is_exit_code_1(
    data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("posegen.losses.hinge_generator", lambda logits: logits[0].mean() / 0)
    given = ["--data", str(data), "--out", str(tmp_path / "run"), *TINY, "--steps", "3"]
    assert run_app(app, ["train", *given]) == 1
    assert (
        "error: training diverged: loss adversarial is NaN or infinite at step 1; no checkpoint"
        in capsys.readouterr().err
    )


def test_no_help_is_taken_for_markup() -> None:
    """What stands in brackets would not be printed."""

    def texts(command: Any) -> Iterator[str]:
        yield from (option.help or "" for option in command.params if hasattr(option, "help"))
        for below in getattr(command, "commands", {}).values():
            yield from texts(below)

    found = list(texts(get_command(app)))
    assert len(found) > 50
    assert not [text for text in found if "[" in text]
