import pytest

from posegen_calibration.ranges import Method
from posegen_calibration.sampling import Sampling
from posegen_export.int8_ranges import cache_key
from posegen_runtime.bundle import Bundle
from tiny_bundle import example_mask, write_tiny_bundle


@pytest.mark.parametrize(
    ("constant", "value"),
    [
        ("apart.TRIAL", 12),
        ("apart.HELD_OUT", 32),
        ("apart.SHARE", 0.25),
        ("apart.ENOUGH", 4),
        ("samples.BINS", (2, 2, 2)),
        ("samples.SECTORS", 4),
        ("ranges.PERCENTILE", 99.9),
    ],
)
def test_ranges_of_another_choice_are_stale(tmp_path, monkeypatch, constant, value):
    import cv2

    bundle = Bundle.load(write_tiny_bundle(tmp_path / "bundle"))
    (tmp_path / "masks").mkdir()
    cv2.imwrite(str(tmp_path / "masks/0.png"), example_mask(0))
    sampling = Sampling(masks=tmp_path / "masks")
    before = cache_key(bundle, sampling, Method.MINMAX)
    assert cache_key(bundle, sampling, Method.MINMAX) == before
    monkeypatch.setattr(f"posegen_calibration.{constant}", value)
    after = cache_key(bundle, sampling, Method.MINMAX)
    assert {name for name in after if after[name] != before[name]} == {constant.partition(".")[2]}
