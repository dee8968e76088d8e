import numpy as np

from posegen.evaluation.heading import azimuth, elevation, heading_error


def test_azimuth_and_elevation_of_the_object_frame() -> None:
    """x forward, y left, z up: in front, at the left, behind and above, at the right."""
    half = np.sqrt(0.5)
    viewpoints = np.array([[1, 0, 0], [0, 1, 0], [-half, 0, half], [0, -1, 0]], np.float32)
    np.testing.assert_allclose(np.degrees(azimuth(viewpoints)), [0, 90, 180, -90], atol=1e-4)
    np.testing.assert_allclose(elevation(viewpoints), [0, 0, 45, 0], atol=1e-4)


def test_an_unknown_viewpoint_has_neither() -> None:
    unknown = np.zeros((1, 3), np.float32)
    assert np.isnan(azimuth(unknown)).all()
    assert np.isnan(elevation(unknown)).all()


def test_differences_go_the_short_way_round() -> None:
    found = np.radians([170.0, -170.0, 0.0, 10.0, 350.0, 90.0])
    true = np.radians([-170.0, 170.0, 180.0, 350.0, 10.0, 30.0])
    np.testing.assert_allclose(heading_error(found, true), [20, 20, 180, 20, 20, 60])


def test_without_a_true_heading_there_is_no_error() -> None:
    assert np.isnan(heading_error(np.array([1.0]), np.array([np.nan]))).all()
