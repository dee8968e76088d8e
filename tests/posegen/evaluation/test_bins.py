import numpy as np
import pytest

from posegen.evaluation.bins import binned


def columns(**given: list[float]) -> dict[str, np.ndarray]:
    count = len(next(iter(given.values())))
    unknown = {name: [np.nan] * count for name in ("azimuth", "elevation")}
    rest = {"object": list(range(count)), "area": [0.1] * count, "sharpness": [1.0] * count}
    return {name: np.array(values) for name, values in ({**unknown, **rest} | given).items()}


def test_yaw_is_centred_on_the_front() -> None:
    azimuth = [-22.0, 0.0, 22.0, 23.0, 90.0, 179.0, -179.0, -90.0, -158.0]
    bins = binned(columns(azimuth=azimuth))["yaw"]
    counts = {row.label: row.images for row in bins}
    assert counts == {"0°": 3, "45°": 1, "90°": 1, "180°": 3, "270°": 1}


def test_elevation() -> None:
    bins = binned(columns(elevation=[-3.0, 9.9, 10.0, 19.9, 20.0, 60.0]))["elevation"]
    assert [(row.label, row.images) for row in bins] == [("< 10°", 2), ("10–20°", 2), ("≥ 20°", 2)]


def test_area_in_thirds() -> None:
    area = [0.3, 0.1, 0.2, 0.6, 0.5, 0.4]
    bins = binned(columns(area=area, sharpness=area))["area"]
    assert [row.label for row in bins] == ["≤ 20.0 %", "≤ 40.0 %", "≤ 60.0 %"]
    values = [row.figures["sharpness"].value for row in bins]
    assert values == pytest.approx([0.15, 0.35, 0.55])


def test_thirds_of_one_label_are_one_bin() -> None:
    area = [0.1001, 0.3, 0.0999, 0.1]
    bins = binned(columns(area=area, sharpness=[1.0, 8.0, 2.0, 6.0]))["area"]
    assert [(row.label, row.images) for row in bins] == [("≤ 10.0 %", 3), ("≤ 30.0 %", 1)]
    assert [row.figures["sharpness"].value for row in bins] == pytest.approx([3.0, 8.0])
    (only,) = binned(columns(area=[0.2] * 5))["area"]
    assert (only.label, only.images) == ("≤ 20.0 %", 5)


def test_without_viewpoints_there_are_no_bins_of_them() -> None:
    bins = binned(columns(area=[0.1, 0.2]))
    assert bins["yaw"] == bins["elevation"] == []
    assert [row.images for row in bins["area"]] == [1, 1]
