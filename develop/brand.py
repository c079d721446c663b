#!/usr/bin/env python3
"""Draws the brand images into custom_components/amps_ai/brand.

The mark is a roof that is also the A of ampere, with a bolt under it. All is
drawn from the shapes below, eight times as large as it is stored.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import cos, hypot, pi, sin
from typing import Final

from PIL import Image, ImageDraw

from develop import ROOT

FOLDER: Final = ROOT / "custom_components/amps_ai/brand"
OVERSAMPLING: Final = 8

type Point = tuple[float, float]
type Path2D = Sequence[Point]
type Colour = tuple[int, int, int]


@dataclass(frozen=True, kw_only=True)
class Palette:
    """The colours of the images, for a light or a dark ground."""

    top: Colour
    bottom: Colour
    word: Colour
    accent: Colour


WHITE: Final[Colour] = (255, 255, 255)
BOLT: Final[Colour] = (255, 212, 59)

LIGHT: Final = Palette(
    top=(0, 176, 155), bottom=(0, 92, 128), word=(13, 42, 61), accent=(0, 131, 135)
)
DARK: Final = Palette(
    top=(16, 200, 172), bottom=(0, 116, 156), word=WHITE, accent=(52, 211, 184)
)


def _curve(*points: Point) -> list[Point]:
    """Return a chain of cubic Bézier curves: a point, then three for each."""
    path = [points[0]]
    for first in range(0, len(points) - 1, 3):
        ends = points[first : first + 4]
        for step in range(1, 33):
            t = step / 32
            weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3)
            path.append(
                (
                    sum(w * x for w, (x, _) in zip(weights, ends, strict=True)),
                    sum(w * y for w, (_, y) in zip(weights, ends, strict=True)),
                )
            )
    return path


def _arc(centre: Point, radius: float, start: float, end: float) -> list[Point]:
    """Return an arc, in degrees from the right, counter-clockwise with y upwards."""
    x, y = centre
    angles = [(start + (end - start) * step / 64) * pi / 180 for step in range(65)]
    return [(x + radius * cos(angle), y + radius * sin(angle)) for angle in angles]


# The mark, in a square of 100 with y downwards.

_TILE: Final = [
    (
        50 + 50 * abs(cos(angle)) ** 0.4 * (1 if cos(angle) >= 0 else -1),
        50 + 50 * abs(sin(angle)) ** 0.4 * (1 if sin(angle) >= 0 else -1),
    )
    for angle in (pi * step / 720 for step in range(1440))
]
_ROOF: Final = ((18.5, 77), (50, 20.5), (81.5, 77))
_ROOF_WIDTH: Final = 12.0
_BOLT: Final = (
    *((51.5, 46.5), (38, 70), (47.8, 70), (45.8, 86.5)),
    *((60.8, 62.5), (51.3, 62.5)),
)
_BOLT_ROUNDING: Final = 2.6

# The letters, with y upwards from the baseline; the pen is round.

_PEN: Final = 11.0
_CAP: Final = 70.0
_X: Final = 49.0
_ARCH: Final = 15.5
_BOWL: Final = _X / 2


@dataclass(frozen=True)
class Letter:
    """A letter: its strokes, and how far the pen goes to the right."""

    width: float
    strokes: tuple[Path2D, ...]


_CAPITAL_A: Final = Letter(
    58, (((0, 0), (29, _CAP), (58, 0)), ((10.5, 22), (47.5, 22)))
)
_CAPITAL_I: Final = Letter(0, (((0, 0), (0, _CAP)),))
_M: Final = Letter(
    4 * _ARCH,
    (
        ((0, 0), (0, _X)),
        (*_arc((_ARCH, _X - _ARCH), _ARCH, 180, 0), (2 * _ARCH, 0)),
        (*_arc((3 * _ARCH, _X - _ARCH), _ARCH, 180, 0), (4 * _ARCH, 0)),
    ),
)
_P: Final = Letter(
    2 * _BOWL, (((0, _X), (0, -21)), _arc((_BOWL, _BOWL), _BOWL, 0, 360))
)
_S: Final = Letter(
    33,
    (
        _curve(
            *((31.5, 39.5), (29, 45.5), (23.5, _X), (16.5, _X)),
            *((8, _X), (1.5, 44.2), (1.5, 37)),
            *((1.5, 21.5), (33, 28.5), (33, 12.5)),
            *((33, 5), (26, 0), (17, 0)),
            *((8.5, 0), (2.2, 4), (0, 10.5)),
        ),
    ),
)

# Letters with the gap before each, and whether they stand out.
_WORD: Final = (
    (_CAPITAL_A, 0, False),
    (_M, 20, False),
    (_P, 23, False),
    (_S, 20, False),
    (_CAPITAL_A, 37, True),
    (_CAPITAL_I, 20, True),
)


class Mask:
    """A shape in the making, oversampled."""

    def __init__(self, size: tuple[int, int]) -> None:
        """Start with nothing."""
        self._size = size
        self._image = Image.new("L", (size[0] * OVERSAMPLING, size[1] * OVERSAMPLING))
        self._draw = ImageDraw.Draw(self._image)

    def fill(self, path: Path2D, scale: float) -> None:
        """Add the inside of a path."""
        self._draw.polygon(_scaled(path, scale), fill=255)

    def stroke(
        self, path: Path2D, width: float, scale: float, *, closed: bool = False
    ) -> None:
        """Add what a round pen leaves that goes along a path."""
        points = _scaled([*path, path[0]] if closed else path, scale)
        radius = width * scale * OVERSAMPLING / 2
        for x, y in points:
            self._draw.ellipse((x - radius, y - radius, x + radius, y + radius), 255)
        for (x0, y0), (x1, y1) in pairwise(points):
            if length := hypot(x1 - x0, y1 - y0):
                dx, dy = (y0 - y1) / length * radius, (x1 - x0) / length * radius
                self._draw.polygon(
                    [
                        (x0 + dx, y0 + dy),
                        (x1 + dx, y1 + dy),
                        (x1 - dx, y1 - dy),
                        (x0 - dx, y0 - dy),
                    ],
                    fill=255,
                )

    def image(self) -> Image.Image:
        """Return the shape in the size in which it is stored."""
        return self._image.resize(self._size, Image.Resampling.LANCZOS)


def _scaled(path: Path2D, scale: float) -> list[Point]:
    factor = scale * OVERSAMPLING
    return [(x * factor, y * factor) for x, y in path]


def _gradient(size: int, palette: Palette) -> Image.Image:
    """Return a square that goes from the top left to the bottom right."""
    middle = tuple(
        (a + b) // 2 for a, b in zip(palette.top, palette.bottom, strict=True)
    )
    corners = Image.new("RGB", (2, 2), middle)
    corners.putpixel((0, 0), palette.top)
    corners.putpixel((1, 1), palette.bottom)
    return corners.transform(
        (size, size),
        Image.Transform.EXTENT,
        (0.5, 0.5, 1.5, 1.5),
        Image.Resampling.BILINEAR,
    )


def draw_icon(size: int, palette: Palette) -> Image.Image:
    """Return the mark."""
    scale = size / 100
    tile, roof, bolt = (Mask((size, size)) for _ in range(3))
    tile.fill(_TILE, scale)
    roof.stroke(_ROOF, _ROOF_WIDTH, scale)
    bolt.fill(_BOLT, scale)
    bolt.stroke(_BOLT, _BOLT_ROUNDING, scale, closed=True)

    icon = _gradient(size, palette)
    icon.paste(WHITE, mask=roof.image())
    icon.paste(BOLT, mask=bolt.image())
    icon.putalpha(tile.image())
    return icon


def draw_logo(height: int, palette: Palette) -> Image.Image:
    """Return the mark with the name beside it."""
    scale = height / 100 * 0.74
    baseline = (height / scale + _CAP) / 2
    left = height / scale * 1.17 + _PEN / 2
    advance = sum(gap + letter.width for letter, gap, _ in _WORD)
    width = round((left + advance + _PEN / 2) * scale)

    plain, accent = Mask((width, height)), Mask((width, height))
    x = left
    for letter, gap, stands_out in _WORD:
        x += gap
        for stroke in letter.strokes:
            path = [(x + dx, baseline - dy) for dx, dy in stroke]
            (accent if stands_out else plain).stroke(path, _PEN, scale)
        x += letter.width

    logo = Image.new("RGBA", (width, height), (*palette.word, 0))
    for mask, colour in ((plain, palette.word), (accent, palette.accent)):
        layer = Image.new("RGBA", logo.size, colour)
        layer.putalpha(mask.image())
        logo.alpha_composite(layer)
    logo.alpha_composite(draw_icon(height, palette))
    return logo


def main() -> None:
    """Draw all images."""
    FOLDER.mkdir(exist_ok=True)
    for prefix, palette in (("", LIGHT), ("dark_", DARK)):
        for suffix, factor in (("", 1), ("@2x", 2)):
            for name, image in (
                ("icon", draw_icon(256 * factor, palette)),
                ("logo", draw_logo(192 * factor, palette)),
            ):
                path = FOLDER / f"{prefix}{name}{suffix}.png"
                image.save(path, optimize=True)
                print(f"{path.name}: {image.width}x{image.height}")


if __name__ == "__main__":
    main()
