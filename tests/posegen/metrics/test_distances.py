import numpy as np
import pytest
import torch

from posegen.metrics import distances
from posegen.metrics.distances import cosine, frechet, inception_score, kernel, kernel_subsets
from posegen.metrics.features import Floats
from posegen_runtime.errors import PoseGenError


def drawn(images: int, width: int, seed: int, shift: float = 0.0) -> Floats:
    generator = np.random.default_rng(seed)
    mixing = generator.standard_normal((width, width)) / np.sqrt(width)
    return (generator.standard_normal((images, width)) @ mixing + shift).astype(np.float32)


@pytest.mark.parametrize(("a", "b", "width"), [(30, 25, 60), (90, 25, 40), (80, 90, 16)])
def test_frechet_is_torch_fidelitys(a: int, b: int, width: int) -> None:
    from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric

    x, y = drawn(a, width, 0), drawn(b, width, 1, 0.3)
    statistics = [fid_features_to_statistics(torch.from_numpy(each)) for each in (x, y)]
    theirs = fid_statistics_to_metric(*statistics, False)["frechet_inception_distance"]
    assert frechet(x, y) == pytest.approx(theirs, rel=1e-4)


def test_frechet_of_known_gaussians() -> None:
    # One dimension: (μa − μb)² + (σa − σb)².
    x = np.array([[-1], [1], [-1], [1]], np.float32) * np.sqrt(3 / 4)
    assert frechet(x, 3 * x + 2) == pytest.approx(4 + 4, rel=1e-6)
    assert frechet(x, x) == pytest.approx(0, abs=1e-9)


def test_kernel_is_torch_fidelitys_over_the_whole_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = drawn(40, 12, 0), drawn(40, 12, 1, 0.3)
    whole = kernel(x, y)
    assert whole.shape == (1,)
    assert whole[0] == pytest.approx(kernel_subsets(x, y, 40), rel=1e-4)
    monkeypatch.setattr(distances, "_BLOCK", 7)
    assert kernel(x, y)[0] == pytest.approx(whole[0], rel=1e-12)


def test_kernel_of_draws_is_that_of_the_repeated_images() -> None:
    x, y = drawn(4, 3, 0), drawn(3, 3, 1)
    counts = np.array([[2.0, 1, 0, 1]]), np.array([[0.0, 2, 1]])

    def k(a: np.ndarray, b: np.ndarray) -> float:
        return (float(a.astype(np.float64) @ b) / 3 + 1) ** 3

    # Images 0, 0, 1, 3 and 1, 1, 2; pairs of an image with itself are left out.
    within_x = 4 * (k(x[0], x[1]) + k(x[0], x[3])) + 2 * k(x[1], x[3])
    within_y = 4 * k(y[1], y[2])
    across = sum(k(x[i], y[j]) for i in (0, 0, 1, 3) for j in (1, 1, 2))
    expected = within_x / 10 + within_y / 4 - 2 * across / 12
    assert kernel(x, y, counts)[0] == pytest.approx(expected, rel=1e-12)


def test_fewer_images_than_a_subset() -> None:
    with pytest.raises(PoseGenError) as error:
        kernel_subsets(drawn(148, 4, 0), drawn(1200, 4, 1))
    assert "148 images are fewer than a KID subset of 1000" in str(error.value)
    assert "--kid-subset-size 148 or less" in str(error.value)


def test_inception_score_of_certain_and_of_equal_images() -> None:
    certain = 50 * np.tile(np.eye(4, dtype=np.float32), (250, 1))
    assert inception_score(certain) == pytest.approx(4, rel=0.05)
    assert inception_score(np.zeros((40, 5), np.float32)) == pytest.approx(1)


def test_cosine() -> None:
    a = np.array([[1, 0], [1, 1], [2, 0], [0, 0]], np.float32)
    b = np.array([[3, 0], [1, -1], [-1, 0], [1, 0]], np.float32)
    np.testing.assert_allclose(cosine(a, b), [1, 0, -1, np.nan], atol=1e-12)
