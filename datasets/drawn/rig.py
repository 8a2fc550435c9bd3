"""A little figure's joints and tools in each of the 178 cells of a sprite sheet.

Coordinates are pixels of a 64x64 cell, x to the right, y down; points are complex
numbers x + iy, so that turning a limb is one multiplication. The figure faces the
viewer ("front"), turns its back, or looks left; looking right is the mirror image.
"""

import cmath
import math
from typing import NamedTuple

from datasets.sheets import ACTIONS, Cell

Point = complex
WOOD, STEEL, STRING = (150, 98, 52), (205, 214, 224), (235, 235, 220)
GLOW, SPARK = (190, 70, 255), (245, 225, 255)
STAR = (255, 226, 70)


class Shape(NamedTuple):
    """A tool: a polyline of some width, or a disc where it has one point."""

    points: tuple[Point, ...]
    width: float
    colour: tuple[int, int, int]


class Figure(NamedTuple):
    """Joints of one pose; pairs are (left, right) as seen, from aside (near, far)."""

    view: str
    head: Point
    neck: Point
    waist: Point
    shoulders: tuple[Point, Point]
    hands: tuple[Point, Point]
    hips: tuple[Point, Point]
    feet: tuple[Point, Point]
    tools: tuple[Shape, ...] = ()
    turn: complex = 1  # how far the figure has fallen over: a unit complex number
    hurt: bool = False
    tools_behind: bool = False


def unit(degrees: float) -> complex:
    """Return the direction at an angle: 0 down, 90 to the left, 180 up."""
    return 1j * cmath.exp(1j * math.radians(degrees))


def pose(cell: Cell) -> Figure:
    """Return the figure of a cell which does not look right."""
    figure = _stand(cell.direction)
    figure = figure._replace(tools_behind=figure.view == "back")
    return _MOVES[cell.action](figure, cell.step)


def _stand(direction: str) -> Figure:
    if direction == "left":
        return Figure(
            "left", 31 + 24j, 32 + 34j, 32 + 46j,
            (33 + 37j, 31 + 37j), (34 + 48j, 30 + 48j),
            (33 + 47j, 31 + 47j), (33 + 59j, 30 + 59j),
        )  # fmt: skip
    return Figure(
        direction, 32 + 24j, 32 + 34j, 32 + 46j,
        (25 + 37j, 39 + 37j), (22 + 48j, 42 + 48j),
        (28 + 47j, 36 + 47j), (28 + 59j, 36 + 59j),
    )  # fmt: skip


def _bend(figure: Figure, left: complex, right: complex) -> Figure:
    """Place the hands relative to the shoulders."""
    first, second = figure.shoulders
    return figure._replace(hands=(first + left, second + right))


def _walk(figure: Figure, step: int) -> Figure:
    if step == 0:
        return figure
    turn = cmath.exp(2j * math.pi * (step - 1) / 8)
    lifts = (3.5 * max(0, turn.imag), 3.5 * max(0, -turn.imag))
    if figure.view == "left":
        swing = 7 * turn.real
        feet = (32 - swing - 1j * lifts[0], 32 + swing - 1j * lifts[1])
        hands = (11j + swing * 0.9, 11j - swing * 0.9)
    else:
        swing = 2.5 * turn.real
        feet = (-1j * (lifts[0] - swing), -1j * (lifts[1] + swing))
        feet = (28 + feet[0], 36 + feet[1])
        hands = (-3 + 1j * (10 - swing), 3 + 1j * (10 + swing))
    feet = (
        feet[0].real + 1j * (59 + feet[0].imag),
        feet[1].real + 1j * (59 + feet[1].imag),
    )
    bob = -1j * abs(turn.imag)
    return _bend(figure._replace(feet=feet, head=figure.head + bob), *hands)


def _spellcast(figure: Figure, step: int) -> Figure:
    angle = (15, 45, 75, 105, 135, 165, 100)[step]
    reach = 13 * unit(angle)
    far = reach if figure.view == "left" else -reach.conjugate()
    figure = _bend(figure, reach, far * (0.8 if figure.view == "left" else 1))
    size = (6, 7, 8, 9, 10, 11, 14)[step]
    tools = []
    for hand in figure.hands:
        tip = hand + 3 * unit(angle) if figure.view == "left" else hand
        tools += [Shape((tip,), size, GLOW), Shape((tip,), size / 2, SPARK)]
    return figure._replace(tools=tuple(tools), tools_behind=False)


def _thrust(figure: Figure, step: int) -> Figure:
    push = (0, -3, -6, 3, 8, 12, 6, 0)[step]
    dip = (0, 0, 0, 0, 0, 0, 3, 5)[step]
    if figure.view == "left":
        grip, way = 27 - push + 1j * (42 + dip), -1 + 0j
    elif figure.view == "front":
        grip, way = 22 + dip + 1j * (42 + 0.7 * push), -0.35 + 0.94j
    else:
        grip, way = 44 - dip + 1j * (36 - 0.9 * push), 0.35 - 0.94j
    shaft = Shape((grip - 14 * way, grip + 14 * way), 2, WOOD)
    point = Shape((grip + 13 * way, grip + 19 * way), 4, STEEL)
    hands = (grip + 3 * way, grip - 4 * way)
    if figure.view == "back":
        hands = (hands[1], hands[0])
    return figure._replace(hands=hands, tools=(shaft, point))


def _slash(figure: Figure, step: int) -> Figure:
    angle = (225, 190, 150, 110, 70, 30)[step]
    way = unit(angle)
    blade = unit(angle - 20 + 8 * step)
    if figure.view == "back":
        way, blade = -way.conjugate(), -blade.conjugate()
    arm = 1 if figure.view == "back" else 0
    hand = figure.shoulders[arm] + 11 * way
    rest = 10j - 2 if arm else (10j + 2)
    hands = (hand, figure.shoulders[1] + rest)
    if arm:
        hands = (figure.shoulders[0] + rest, hand)
    guard = Shape(
        (hand + 3j * blade + 2 * blade, hand - 3j * blade + 2 * blade), 2, STAR
    )
    sword = Shape((hand, hand + 19 * blade), 3, STEEL)
    behind = figure.tools_behind and step > 1  # first it is swung back, over the head
    return figure._replace(hands=hands, tools=(sword, guard), tools_behind=behind)


def _shoot(figure: Figure, step: int) -> Figure:
    raised = (0, 0.25, 0.5, 0.75, 1, 1, 1, 1, 1, 1, 0.7, 0.4, 0.15)[step]
    drawn = (0, 0, 0, 0, 1.5, 4, 6.5, 9, 12, 0, 0, 0, 0)[step]
    side = 1 if figure.view == "back" else -1
    centre = 32 + side * 15 + 1j * (49 - 10 * raised)
    lean = cmath.exp(1j * side * (1 - raised))
    tips = (centre - lean * (side * 4 + 12j), centre - lean * (side * 4 - 12j))
    nock = (tips[0] + tips[1]) / 2 - side * drawn
    limb = Shape((tips[0], centre - 6j * lean, centre + 6j * lean, tips[1]), 2.6, WOOD)
    tools = [limb, Shape((tips[0], nock, tips[1]), 1, STRING)]
    flight = 9 if step == 9 else 0
    if step <= 9:
        start = nock + side * flight
        tools.append(Shape((start, start + side * 17 * lean), 1.6, STEEL))
    hands = (centre, nock) if side < 0 else (nock, centre)
    return figure._replace(hands=hands, tools=tuple(tools))


def _hurt(figure: Figure, step: int) -> Figure:
    fallen = math.radians((0, 10, 30, 55, 78, 90)[step])
    figure = _bend(
        figure, 11 * unit(60 + 20 * step), -11 * unit(60 + 20 * step).conjugate()
    )
    orbit = cmath.exp(1j * step)
    stars = tuple(
        Shape((32 + 8j + (9 * turn).real + 0.3j * (9 * turn).imag,), 3, STAR)
        for turn in (orbit, orbit * unit(120), orbit * unit(240))
    )
    return _tip_over(figure._replace(tools=stars, hurt=True), fallen)


def _tip_over(figure: Figure, angle: float) -> Figure:
    """Turn the whole figure about its middle and let it sink to the ground."""
    turn = cmath.exp(1j * angle)
    sink = 1j * 13 * math.sin(angle)

    def moved(point: Point) -> Point:
        return 32 + 38j + (point - 32 - 38j) * turn + sink

    def pair(points: tuple[Point, Point]) -> tuple[Point, Point]:
        return moved(points[0]), moved(points[1])

    return figure._replace(
        head=moved(figure.head),
        neck=moved(figure.neck),
        waist=moved(figure.waist),
        shoulders=pair(figure.shoulders),
        hands=pair(figure.hands),
        hips=pair(figure.hips),
        feet=pair(figure.feet),
        tools=tuple(
            s._replace(points=tuple(moved(p) for p in s.points)) for s in figure.tools
        ),
        turn=turn,
    )


_MOVES = {
    "spellcast": _spellcast,
    "thrust": _thrust,
    "walk": _walk,
    "slash": _slash,
    "shoot": _shoot,
    "hurt": _hurt,
}
assert list(_MOVES) == list(ACTIONS)
