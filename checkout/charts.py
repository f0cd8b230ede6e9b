"""Bars for a drawing of 3000 by 1000: whole numbers, so nothing needs a style.

The policy of the pages forbids inline styles; a bar's place and size are attributes
of its SVG element, and its colour a class.
"""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH = 3000
HEIGHT = 1000


@dataclass(frozen=True)
class Bar:
    """A rectangle and what it says; `part` is the height of its darker part."""

    x: int
    width: int
    height: int
    part: int
    label: str

    @property
    def y(self) -> int:
        return HEIGHT - self.height

    @property
    def part_y(self) -> int:
        return HEIGHT - self.part


@dataclass(frozen=True)
class Chart:
    """Bars side by side and the number at the top of the scale."""

    bars: list[Bar]
    top: int


def bars(
    values: Sequence[int], labels: Sequence[str], *, parts: Sequence[int] = ()
) -> Chart:
    """Return a bar for each value, the largest as high as the drawing.

    `parts` are shares of the values, drawn inside them from the bottom.
    """
    top = max([*values, *parts, 1])
    step = WIDTH // len(values)
    inside = parts or [0] * len(values)
    return Chart(
        bars=[
            Bar(
                x=number * step + step // 7,
                width=step * 5 // 7,
                height=HEIGHT * value // top,
                part=HEIGHT * part // top,
                label=label,
            )
            for number, (value, part, label) in enumerate(
                zip(values, inside, labels, strict=True)
            )
        ],
        top=max([*values, *parts]) if values else 0,
    )
