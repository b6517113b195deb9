"""Line plots as SVG text, readable on light and dark pages. Standard library only."""

from __future__ import annotations

import math
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import NamedTuple

WIDTH, HEIGHT = 720, 420
LEFT, RIGHT, TOP, BOTTOM = 70, 24, 44, 96
COLOURS = ("#c0392b", "#e59866", "#1f618d", "#5dade2")
DASHES = ("none", "6 4", "none", "6 4")


class Series(NamedTuple):
    """One line: its title, and its points in order."""

    title: str
    points: list[tuple[float, float]]


def line_plot(
    path: Path, title: str, x_title: str, y_title: str, series: list[Series], *, log_y: bool = True, floor: float = 0.0
) -> None:
    """Write a plot with a logarithmic x axis. ``floor``: where a logarithmic y axis draws 0."""
    xs = sorted({x for line in series for x, _ in line.points})
    ys = [max(y, floor) for line in series for _, y in line.points]
    low_x, high_x = math.log(xs[0]), math.log(xs[-1])
    low_y, high_y = 0.0, 0.0
    if log_y:
        low_y, high_y = math.log10(floor), float(math.ceil(math.log10(max(ys))))
        ticks = [10.0**power for power in range(math.ceil(low_y), round(high_y) + 1)]
    else:
        step = _step(max(ys))
        high_y = math.ceil(max(ys) / step) * step
        ticks = [step * number for number in range(round(high_y / step) + 1)]

    def at_x(x: float) -> float:
        return LEFT + (math.log(x) - low_x) / ((high_x - low_x) or 1.0) * (WIDTH - LEFT - RIGHT)

    def at_y(y: float) -> float:
        value = math.log10(max(y, floor)) if log_y else y
        return HEIGHT - BOTTOM - (value - low_y) / (high_y - low_y) * (HEIGHT - TOP - BOTTOM)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        f'<text x="{WIDTH / 2}" y="24" text-anchor="middle" font-size="16">{escape(title)}</text>',
        *_axes(xs, ticks, at_x, at_y, x_title, y_title),
        *_lines(series, at_x, at_y),
        "</svg>",
    ]
    path.write_text("\n".join(parts) + "\n")


def _step(highest: float) -> float:
    """A round distance of ticks that makes about six of them."""
    size = 10.0 ** math.floor(math.log10(highest / 6))
    return next(size * factor for factor in (1, 2, 5, 10) if size * factor >= highest / 6)


def _axes(
    xs: list[float], ticks: list[float], at_x: Callable[[float], float], at_y: Callable[[float], float], x_title: str,
    y_title: str,
) -> list[str]:  # fmt: skip
    bottom, middle = HEIGHT - BOTTOM, (TOP + HEIGHT - BOTTOM) / 2
    parts = []
    for tick in ticks:
        y = at_y(tick)
        parts.append(f'<line x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}" stroke="#dddddd"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{tick:,g}</text>')
    for x in xs:
        parts.append(f'<text x="{at_x(x):.1f}" y="{bottom + 18}" text-anchor="middle">{x:g}</text>')
    parts.append(f'<path d="M{LEFT},{TOP}V{bottom}H{WIDTH - RIGHT}" fill="none" stroke="#333333"/>')
    parts.append(f'<text x="{WIDTH / 2}" y="{bottom + 38}" text-anchor="middle">{escape(x_title)}</text>')
    parts.append(
        f'<text transform="translate(16 {middle:.0f}) rotate(-90)" text-anchor="middle">{escape(y_title)}</text>'
    )
    return parts


def _lines(series: list[Series], at_x: Callable[[float], float], at_y: Callable[[float], float]) -> list[str]:
    parts = []
    for number, line in enumerate(series):
        style = f'stroke="{COLOURS[number % 4]}" stroke-dasharray="{DASHES[number % 4]}"'
        points = " ".join(f"{at_x(x):.1f},{at_y(y):.1f}" for x, y in line.points)
        parts.append(f'<polyline points="{points}" fill="none" stroke-width="2" {style}/>')
        x, y = LEFT + (number % 2) * (WIDTH - LEFT - RIGHT) / 2, HEIGHT - 36 + (number // 2) * 18
        parts.append(f'<line x1="{x}" y1="{y - 4}" x2="{x + 28}" y2="{y - 4}" stroke-width="2" {style}/>')
        parts.append(f'<text x="{x + 34}" y="{y}">{escape(line.title)}</text>')
    return parts
