"""Whole runs: what they leave, that they resume bit for bit, and that a loss would be seen."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from posegen.checkpoint import load_checkpoint
from posegen.config import Arch, LossConfig, SamplerName, TrainPrecision, Variant
from posegen.data.samplers import PairedSampler
from posegen.training import loop as loop_module
from posegen.training import run as run_module
from posegen.training import step as step_module
from posegen.training.interrupt import Interrupt
from posegen_runtime.errors import PoseGenError
from synthetic_dataset import write_dataset
from tiny_training import replaced, tiny_config, train


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_dataset(tmp_path_factory.mktemp("data"))


def stop_at(step: int, data: Path, out: Path, config: Any, patch: pytest.MonkeyPatch) -> int:
    """Train and have the signal come in during step number `step`."""
    interrupt = Interrupt()

    def one_step(state: Any, *rest: Any) -> Any:
        if state.step + 1 == step:
            interrupt.received = 2
        return step_module.train_step(state, *rest)

    with patch.context() as context:
        context.setattr(loop_module, "train_step", one_step)
        return train(data, out, config, interrupt)


def resume_file(out: Path) -> dict[str, Any]:
    return dict(torch.load(out / "resume.pt", weights_only=True))


def flat(values: Any, prefix: str = "") -> dict[str, Any]:
    items = values.items() if isinstance(values, dict) else enumerate(values)
    result: dict[str, Any] = {}
    for name, value in items:
        nested = isinstance(value, (dict, list, tuple))
        result |= flat(value, f"{prefix}{name}.") if nested else {f"{prefix}{name}": value}
    return result


def differences(one: Path, two: Path) -> list[str]:
    first, second = flat(resume_file(one)), flat(resume_file(two))
    assert first.keys() == second.keys()
    return [
        name
        for name, value in first.items()
        if not (
            torch.equal(value, second[name])
            if isinstance(value, torch.Tensor)
            else value == second[name]
        )
    ]


NO_LOSS = LossConfig(lambda_gan=0, lambda_background=0, lambda_object=0)
CONFIGS = {
    "spatial": tiny_config(),
    "independent": tiny_config(sampler=SamplerName.INDEPENDENT),
    "bottleneck with a random latent": tiny_config(
        arch=Arch.BOTTLENECK, variant=Variant.UNCONDITIONAL, image_size=16
    ),
    "autoencoder": tiny_config(arch=Arch.BOTTLENECK, variant=Variant.AUTOENCODER, image_size=16),
    "rough and cropped": tiny_config(rough_masks=0.5, crops=0.5),
    "covered": tiny_config(rough_masks=0.5, covered=0.5),
    "bfloat16": tiny_config(precision=TrainPrecision.BFLOAT16),
}


@pytest.mark.parametrize("name", CONFIGS)
def test_a_stopped_run_resumes_bit_for_bit(
    name: str, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = CONFIGS[name]
    assert train(data, tmp_path / "straight", config) == 0
    assert stop_at(5, data, tmp_path / "stopped", config, monkeypatch) == 130
    assert resume_file(tmp_path / "stopped")["step"] == 5
    assert train(data, tmp_path / "stopped", config) == 0
    assert differences(tmp_path / "straight", tmp_path / "stopped") == []
    for file in ("last", "best"):
        name = f"{file}.safetensors"
        assert (tmp_path / "straight" / name).read_bytes() == (
            tmp_path / "stopped" / name
        ).read_bytes()


class FromTheStart(PairedSampler):
    """A data order that a resume begins anew."""

    def batch(self, step: int) -> Any:
        return super().batch(step % 4)


LOSSES = {
    "Adam's moments": lambda c, _: c["generator_optimizer"]["state"][0]["exp_avg_sq"].zero_(),
    "the spectral norm's vectors": lambda c, _: [
        v.copy_(torch.roll(v, 1)) for n, v in c["discriminator"].items() if n.endswith("._v")
    ],
    "the average": lambda c, _: c["ema"].update(c["generator"]),
    "the step": lambda c, _: c.update(step=3),
    "the data order": lambda _, patch: patch.setattr(
        run_module,
        "build_sampler",
        lambda c, s, r, w: FromTheStart(s, c.batch_size, c.seed, r, w),
    ),
    "the random numbers": lambda _, patch: patch.setattr(
        step_module, "seed_step", lambda *_: torch.manual_seed(0)
    ),
}


@pytest.mark.parametrize("name", LOSSES)
def test_a_resume_that_loses_anything_is_seen(
    name: str, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tiny_config()
    if name == "the random numbers":
        config = CONFIGS["bottleneck with a random latent"]
    train(data, tmp_path / "straight", config)
    stop_at(4, data, tmp_path / "resumed", config, monkeypatch)
    content = resume_file(tmp_path / "resumed")
    LOSSES[name](content, monkeypatch)
    torch.save(content, tmp_path / "resumed" / "resume.pt")
    train(data, tmp_path / "resumed", config)
    assert differences(tmp_path / "straight", tmp_path / "resumed") != []


def test_what_a_run_leaves(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    train(data, out, sample_every=4)
    assert {p.name for p in out.iterdir()} == {
        "best.safetensors",
        "config.json",
        "last.safetensors",
        "resume.pt",
        "samples",
        "tensorboard",
    }
    assert sorted(p.name for p in (out / "samples").iterdir()) == [
        "step_0000004.png",
        "step_0000008.png",
    ]
    assert json.loads((out / "config.json").read_text())["model"]["arch"] == "spatial"
    info = load_checkpoint(out / "last.safetensors").info
    assert info.step == 8
    assert info.train_config == tiny_config()
    description = json.loads((data / "dataset.json").read_text())
    assert info.lineage.dataset == {
        "name": "ellipses",
        "sha256": description["sha256"],
        "licence": "CC0-1.0",
        "images": 12,
    }
    assert info.lineage.mask_range.keys() == {"area", "center_x", "center_y", "aspect"}
    assert info.metrics["val_error"] == pytest.approx(
        info.metrics["val_object"] + info.metrics["val_background"]
    )


def test_best_is_the_smallest_validation_error(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    figures = iter([0.5, 0.2, 0.3, 0.4])
    monkeypatch.setattr("posegen.training.loop.evaluate", lambda *_: {"val_error": next(figures)})
    train(data, tmp_path / "run", tiny_config(evaluate_every=2))
    assert load_checkpoint(tmp_path / "run").info.step == 4
    assert load_checkpoint(tmp_path / "run").info.metrics == {"val_error": 0.2}
    assert load_checkpoint(tmp_path / "run" / "last.safetensors").info.step == 8


def test_training_lowers_the_error_on_what_it_saw(data: Path, tmp_path: Path) -> None:
    """On the training objects: two colours cannot teach the colours of others."""
    seen = write_dataset(tmp_path / "data", train=8, val=0, objects=1)
    config = tiny_config(steps=80, evaluate_every=80, learning_rate=4e-3)
    train(seen, tmp_path / "short", replaced(config, steps=2))
    train(seen, tmp_path / "long", config)
    before, after = (
        load_checkpoint(tmp_path / name).info.metrics["val_object"] for name in ("short", "long")
    )
    assert after < before / 2


def test_a_finished_run_stays_as_it_is(data: Path, tmp_path: Path) -> None:
    train(data, tmp_path / "run")
    before = (tmp_path / "run" / "last.safetensors").stat().st_mtime_ns
    assert train(data, tmp_path / "run") == 0
    assert (tmp_path / "run" / "last.safetensors").stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("changes", "option"),
    [
        ({"learning_rate": 1e-4}, "--learning-rate is 0.0001, the run was started with 0.0002"),
        ({"steps": 9}, "--steps is 9"),
        ({"image_size": 64}, "--image-size is 64"),
        ({"variant": Variant.POSE}, "--variant is pose, "),
        ({"seed": 1}, "--seed is 1"),
        ({"precision": TrainPrecision.BFLOAT16}, "--precision is bf16-mixed"),
    ],
)
def test_another_configuration_is_refused_by_name(
    changes: dict[str, Any], option: str, data: Path, tmp_path: Path
) -> None:
    large = write_dataset(tmp_path / "data", size=64)
    train(large, tmp_path / "run")
    with pytest.raises(PoseGenError, match=option):
        train(large, tmp_path / "run", tiny_config(**changes))


def test_a_run_of_an_earlier_version_goes_on(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whose resume file does not know an option yet; its value then is the default's."""
    train(data, tmp_path / "straight")
    stop_at(5, data, tmp_path / "old", tiny_config(), monkeypatch)
    content = resume_file(tmp_path / "old")
    stored = json.loads(content["config"])
    del stored["covered"]
    content["config"] = json.dumps(stored)
    torch.save(content, tmp_path / "old" / "resume.pt")
    with pytest.raises(PoseGenError, match=r"--covered is 0\.5, the run was started with 0\.0"):
        train(data, tmp_path / "old", tiny_config(covered=0.5))
    assert train(data, tmp_path / "old") == 0
    assert differences(tmp_path / "straight", tmp_path / "old") == []


def test_an_option_that_this_version_does_not_know_is_refused(data: Path, tmp_path: Path) -> None:
    train(data, tmp_path / "run")
    content = resume_file(tmp_path / "run")
    content["config"] = json.dumps(json.loads(content["config"]) | {"warmth": 3})
    torch.save(content, tmp_path / "run" / "resume.pt")
    with pytest.raises(PoseGenError, match="--warmth is None, the run was started with 3"):
        train(data, tmp_path / "run")


def test_covering_changes_what_is_learnt(data: Path, tmp_path: Path) -> None:
    for name, share in (("plain", 0.0), ("covered", 1.0)):
        train(data, tmp_path / name, tiny_config(covered=share))
    plain, other = (load_checkpoint(tmp_path / name) for name in ("plain", "covered"))
    assert any(not torch.equal(v, other.generator[n]) for n, v in plain.generator.items())


def test_a_run_killed_after_its_first_figures_goes_on(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before any step that --save-every names: there are best weights, so there is a way on."""

    def killed(state: Any, *rest: Any) -> Any:
        if state.step == 5:
            raise KeyboardInterrupt
        return step_module.train_step(state, *rest)

    with monkeypatch.context() as context:
        context.setattr(loop_module, "train_step", killed)
        with pytest.raises(KeyboardInterrupt):
            train(data, tmp_path / "killed", save_every=100)
    assert (tmp_path / "killed" / "best.safetensors").is_file()
    assert resume_file(tmp_path / "killed")["step"] == 4
    train(data, tmp_path / "killed", save_every=100)
    train(data, tmp_path / "straight", save_every=100)
    assert differences(tmp_path / "straight", tmp_path / "killed") == []


def test_another_data_set_is_refused(data: Path, tmp_path: Path) -> None:
    train(data, tmp_path / "run")
    other = write_dataset(tmp_path / "other", seed=1)
    with pytest.raises(
        PoseGenError, match=r"--data: another data set than the run was started with"
    ):
        train(other, tmp_path / "run")


def test_a_damaged_resume_file(data: Path, tmp_path: Path) -> None:
    train(data, tmp_path / "run")
    file = tmp_path / "run" / "resume.pt"
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(PoseGenError, match=r"resume\.pt: unreadable resume file"):
        train(data, tmp_path / "run")


def test_checkpoints_without_a_resume_file_are_not_overwritten(data: Path, tmp_path: Path) -> None:
    train(data, tmp_path / "run")
    (tmp_path / "run" / "resume.pt").unlink()
    with pytest.raises(PoseGenError, match="would be overwritten"):
        train(data, tmp_path / "run")


def test_a_run_folder_that_cannot_be_made(data: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(PoseGenError, match="cannot be written"):
        train(data, tmp_path / "file" / "run")


@pytest.mark.parametrize("variant", [Variant.POSE, Variant.POSE_APPEARANCE])
def test_independent_needs_a_background(variant: Variant, data: Path, tmp_path: Path) -> None:
    with pytest.raises(PoseGenError, match="--sampler independent: without a background"):
        train(data, tmp_path, tiny_config(sampler=SamplerName.INDEPENDENT, variant=variant))


def test_a_configuration_is_checked_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(PoseGenError, match="no loss is left"):
        train(tmp_path / "no data", tmp_path, tiny_config(loss=NO_LOSS))


def test_an_empty_train_split(tmp_path: Path) -> None:
    empty = write_dataset(tmp_path / "data", train=0)
    with pytest.raises(PoseGenError, match="the train split is empty"):
        train(empty, tmp_path / "run")


@pytest.mark.parametrize("planted", ["discriminator", "generator"])
def test_a_loss_that_turns_nan_stops_and_keeps_the_last_good_weights(
    planted: str, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from posegen import losses
    from posegen.training.loop import TrainingDiverged

    name = f"hinge_{planted}"
    calls = 0
    real = getattr(losses, name)

    def plant(*logits: torch.Tensor) -> torch.Tensor:
        nonlocal calls
        calls += 1
        return real(*logits) * (float("nan") if calls == 6 else 1)

    monkeypatch.setattr(losses, name, plant)
    with pytest.raises(TrainingDiverged, match=r"at step 6; .*last\.safetensors is the last good"):
        train(data, tmp_path / "run")
    checkpoint = load_checkpoint(tmp_path / "run" / "last.safetensors")
    assert checkpoint.info.step == 4
    (tmp_path / "run" / "last.safetensors").unlink()
    calls = 4  # the run goes on at step 4, and step 6 is planted again
    with pytest.raises(TrainingDiverged, match=r"at step 6; .*best\.safetensors is the last good"):
        train(data, tmp_path / "run")
    assert resume_file(tmp_path / "run")["step"] == 4
    for weights in (checkpoint.generator, checkpoint.discriminator):
        assert all(np.isfinite(t.numpy()).all() for t in weights.values())
