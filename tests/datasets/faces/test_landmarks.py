"""Pose proxies from face points: known answers, and what must not matter."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets.faces.landmarks import five, lips_apart, mouth_darkness, pose

FACE = np.array([[-30.0, 0], [30, 0], [0, 35], [-20, 60], [20, 60]])


def turned(points: np.ndarray, degrees: float) -> np.ndarray:
    angle = np.radians(degrees)
    spin = [[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]
    return points @ np.array(spin)


@given(st.floats(-80, 80), st.floats(0.1, 10), st.floats(-500, 500), st.floats(-20, 20))
def test_yaw_and_pitch_do_not_depend_on_place_size_or_roll(roll, size, place, nose):
    face = FACE.copy()
    face[2, 0] += nose
    found = pose(size * turned(face, roll) + place)
    assert found["roll"] == pytest.approx(roll, abs=1e-4)
    assert found["yaw"] == pytest.approx(nose / 60, abs=1e-6)
    assert found["pitch"] == pytest.approx(35 / 60, abs=1e-6)


def test_many_faces_at_once():
    faces = np.stack([FACE, turned(FACE, 10)])
    assert pose(faces)["roll"] == pytest.approx([0, 10])


def test_missing_points_stay_missing():
    assert all(np.isnan(v).all() for v in pose(np.full((3, 5, 2), np.nan)).values())
    assert np.isnan(lips_apart(np.full((3, 68, 2), np.nan))).all()


def sixty_eight(gap: float) -> np.ndarray:
    points = np.zeros((68, 2))
    points[36:42], points[42:48], points[30] = FACE[0], FACE[1], FACE[2]
    points[48], points[54] = FACE[3], FACE[4]
    points[62], points[66] = [0, 60 - gap / 2], [0, 60 + gap / 2]
    return points


@given(st.floats(0, 30))
def test_the_gap_between_the_lips(gap: float):
    points = sixty_eight(gap)
    assert np.allclose(five(points), FACE)
    assert lips_apart(points) == pytest.approx(gap / 60)


def test_an_open_mouth_is_dark():
    y, x = np.mgrid[:200, :200]

    def face(gap: float) -> np.ndarray:
        image = np.full((200, 200, 3), 180, np.uint8)
        if gap:
            image[((x - 100) / 18) ** 2 + ((y - 126) / gap) ** 2 < 1] = 20
        return image

    points = FACE + np.array([100, 60])
    found = [mouth_darkness(face(gap), points) for gap in (0, 2, 5, 10, 15)]
    assert found[0] < 0.01
    assert (np.diff(found) > 0.01).all()
    assert mouth_darkness(face(10) // 3, points) == pytest.approx(found[3], abs=0.02)
    assert np.isnan(mouth_darkness(face(1), np.full((5, 2), np.nan)))
