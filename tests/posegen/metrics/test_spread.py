import numpy as np
import pytest

from posegen.metrics.spread import frechet_estimate, kernel_estimate, set_estimate


def test_intervals_hold_the_spread_of_new_samples() -> None:
    """Bootstrap from one sample says how much other samples of that size differ."""
    generator = np.random.default_rng(0)

    def sample(shift: float) -> np.ndarray:
        return (generator.standard_normal((80, 4)) + shift).astype(np.float32)

    for estimated in (frechet_estimate, kernel_estimate):
        values = [estimated(sample(0), sample(0.5), 0) for _ in range(25)]
        widths = [found.high - found.low for found in values if found.low and found.high]
        spread = 2 * 1.96 * np.std([found.value for found in values])
        assert len(widths) == 25
        assert 0.6 < np.median(widths) / spread < 1.7, estimated.__name__


def test_the_same_seed_gives_the_same_interval() -> None:
    features = np.random.default_rng(0).random((20, 3)).astype(np.float32)
    first, second, other = (
        set_estimate(lambda x: float(x.mean()), features, seed) for seed in (1, 1, 2)
    )
    assert first == second != other
    assert first.value == pytest.approx(features.mean())


@pytest.mark.filterwarnings("error")
def test_draws_of_one_image_alone_are_left_out() -> None:
    features = np.random.default_rng(0).random((3, 4)).astype(np.float32)
    found = kernel_estimate(features, features[::-1] + 1, 0)
    assert found.value is not None
    assert found.low is not None
    assert found.low < found.value
