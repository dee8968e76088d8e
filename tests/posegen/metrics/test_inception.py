import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from posegen.metrics import inception
from posegen.metrics.distances import frechet, inception_score, kernel, kernel_subsets
from posegen.metrics.features import Features
from posegen.metrics.inception import Inception, default_place, find_weights, unavailable
from posegen.metrics.opening import open_extractors
from posegen_runtime.errors import PoseGenError
from small_inception import use_small_inception, write_random_inception, write_tiles


def features_of(network: Inception, folder: Path) -> Features:
    pictures = [np.asarray(Image.open(path)) for path in sorted(folder.glob("*.png"))]
    return network.features(np.stack(pictures))


def test_figures_are_torch_fidelitys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch_fidelity

    weights = use_small_inception(monkeypatch, tmp_path)
    folders = [write_tiles(tmp_path / "a", 60, 1, red=40), write_tiles(tmp_path / "b", 50, 2)]
    network = Inception(weights, "cpu")
    fake, real = (features_of(network, folder) for folder in folders)

    theirs = torch_fidelity.calculate_metrics(
        input1=str(folders[0]),
        input2=str(folders[1]),
        feature_extractor_weights_path=str(weights),
        isc=True,
        fid=True,
        kid=True,
        kid_subset_size=30,
        cuda=False,
        cache=False,
        save_cpu_ram=True,
        verbose=False,
    )
    assert fake.logits is not None
    ours = {
        "inception_score_mean": inception_score(fake.logits),
        "frechet_inception_distance": frechet(fake.pool, real.pool),
        "kernel_inception_distance_mean": kernel_subsets(fake.pool, real.pool, 30),
    }
    for name, value in ours.items():
        assert value == pytest.approx(theirs[name], rel=1e-3), name
    assert theirs["frechet_inception_distance"] > 0.1
    # The estimate over the whole sets lies among those of the subsets.
    whole = float(kernel(fake.pool, real.pool)[0])
    assert whole == pytest.approx(
        theirs["kernel_inception_distance_mean"],
        abs=theirs["kernel_inception_distance_std"],
    )


@pytest.mark.slow
def test_the_real_network_through_its_own_command(tmp_path: Path) -> None:
    weights = write_random_inception(tmp_path / "weights.pth")
    folders = [write_tiles(tmp_path / "a", 11, 1, red=90), write_tiles(tmp_path / "b", 10, 2)]
    command = [sys.executable, "-m", "torch_fidelity.fidelity", "--cpu", "--isc", "--fid", "--kid"]
    command += ["--input1", str(folders[0]), "--input2", str(folders[1]), "--no-cache", "--json"]
    command += ["--kid-subset-size", "8", "--save-cpu-ram", "--silent"]
    command += ["--feature-extractor-weights-path", str(weights)]
    theirs = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)

    network = Inception(weights, "cpu")
    fake, real = (features_of(network, folder) for folder in folders)
    assert fake.pool.shape == (11, 2048)
    assert fake.logits is not None
    ours = {
        "inception_score_mean": inception_score(fake.logits),
        "frechet_inception_distance": frechet(fake.pool, real.pool),
        "kernel_inception_distance_mean": kernel_subsets(fake.pool, real.pool, 8),
    }
    for name, value in ours.items():
        assert value == pytest.approx(theirs[name], rel=1e-3), name


def test_weights_of_another_hash(tmp_path: Path) -> None:
    file = tmp_path / "w.pth"
    file.write_bytes(b"other")
    with pytest.raises(PoseGenError) as error:
        find_weights(file)
    assert str(error.value).startswith(
        f"{file}: its sha256 is d9298a10d1b0…, that of {inception.FILE}"
    )
    assert inception.URL in str(error.value)


def test_weights_that_were_named_and_are_missing(tmp_path: Path) -> None:
    with pytest.raises(PoseGenError, match=r"no\.pth: no such file; get https://"):
        find_weights(tmp_path / "no.pth")


def test_without_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    assert find_weights(None) is None
    place = tmp_path / "checkpoints" / inception.FILE
    assert default_place() == place
    assert f"put it at {place}, or name it with --weights" in unavailable()
    assert open_extractors(None, surrogate=False) == ((), unavailable())
    (extractor,), _ = open_extractors(None, surrogate=True)
    assert not extractor.genuine

    place.parent.mkdir()
    weights = use_small_inception(monkeypatch, place.parent)
    assert find_weights(None) == weights == place
    extractors, notice = open_extractors(None, surrogate=False)
    assert [extractor.genuine for extractor in extractors] == [True]
    assert notice == ""


def test_weights_of_another_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = use_small_inception(monkeypatch, tmp_path)
    torch.save({"conv.weight": torch.zeros(3)}, weights)
    with pytest.raises(PoseGenError, match="holds no weights of inception-v3-compat"):
        Inception(weights, "cpu")


def test_the_hash_is_that_of_the_files_name() -> None:
    assert inception.FILE.removesuffix(".pth").endswith(f"-{inception.SHA256[:8]}")
