"""Small charts as inline SVG: axes, lines, bars and points. They need no library, scale with the page, and read aloud.

Text is escaped here, once; numbers are rounded, so that the same run gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup, escape

INK, FAINT = "#1b1f24", "#d0d7de"
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 12, 12, 44
Point = tuple[float, float]
Range = tuple[float, float]


@dataclass
class Plot:
    """One chart, drawn part by part.

    Parameters
    ----------
    title
        What it shows, in a sentence, for those who can't see it.
    x, y
        What the axes are.
    xs, ys
        From where to where they go.
    width, height
        In units of the picture; on the page it is as wide as there is room.
    """

    title: str
    x: str
    y: str
    xs: Range = (0.0, 1.0)
    ys: Range = (0.0, 1.0)
    width: int = 420
    height: int = 300
    _parts: list[Markup] = field(default_factory=list, init=False)

    def grid(self, x_ticks: Sequence[float], y_ticks: Sequence[float], digits: tuple[int, int] = (1, 1)) -> None:
        """Draw lines and numbers at some places of the axes."""
        low, high = self._at((self.xs[0], self.ys[0])), self._at((self.xs[1], self.ys[1]))
        for value in x_ticks:
            at = self._at((value, self.ys[0]))[0]
            self._line((at, low[1]), (at, high[1]), FAINT, 1)
            self._text((at, low[1] + 16), f"{value:.{digits[0]}f}", "middle")
        for value in y_ticks:
            at = self._at((self.xs[0], value))[1]
            self._line((low[0], at), (high[0], at), FAINT, 1)
            self._text((low[0] - 6, at + 4), f"{value:.{digits[1]}f}", "end")

    def line(self, points: Iterable[Point], color: str, dashed: bool = False) -> None:
        """Draw a line through points."""
        places = " ".join(f"{x:.1f},{y:.1f}" for x, y in map(self._at, points))
        dash = Markup(' stroke-dasharray="5 4"') if dashed else Markup("")
        self._parts.append(
            Markup('<polyline points="{}" fill="none" stroke="{}" stroke-width="2"{}/>').format(places, color, dash)
        )

    def dot(self, point: Point, color: str, low: float, high: float, hint: str = "") -> None:
        """Draw a point with its interval; `hint` is shown where the mouse rests on it."""
        x, y = self._at(point)
        self._line(self._at((point[0], low)), self._at((point[0], high)), color, 1.5)
        self._parts.append(
            Markup('<circle cx="{}" cy="{}" r="4" fill="{}"><title>{}</title></circle>').format(
                f"{x:.1f}", f"{y:.1f}", color, hint
            )
        )

    def bar(self, start: float, end: float, low: float, high: float, color: str) -> None:
        """Draw a bar from `start` to `end` on the x axis, from `low` to `high` on the other."""
        left, bottom = self._at((start, low))
        right, top = self._at((end, high))
        self._parts.append(
            Markup('<rect x="{}" y="{}" width="{}" height="{}" fill="{}"/>').format(
                f"{left + 0.5:.1f}", f"{top:.1f}", f"{right - left - 1:.1f}", f"{bottom - top:.1f}", color
            )
        )

    def markup(self) -> Markup:
        """Return the chart as SVG."""
        across, down = (_LEFT + self.width - _RIGHT) / 2, (_TOP + self.height - _BOTTOM) / 2
        self._text((across, self.height - 8), self.x, "middle")
        turned = Markup('<text transform="translate(13 {}) rotate(-90)" text-anchor="middle">{}</text>')
        self._parts.append(turned.format(f"{down:.0f}", self.y))
        head = Markup('<svg viewBox="0 0 {} {}" role="img" aria-label="{}" class="plot"><title>{}</title>')
        inside = Markup("").join(self._parts)
        return head.format(self.width, self.height, self.title, self.title) + inside + Markup("</svg>")

    def _at(self, point: Point) -> Point:
        """Return where a value lies in the picture; values beyond an axis lie on its end."""
        across = _share(point[0], self.xs)
        up = _share(point[1], self.ys)
        return (
            _LEFT + across * (self.width - _LEFT - _RIGHT),
            self.height - _BOTTOM - up * (self.height - _TOP - _BOTTOM),
        )

    def _line(self, start: Point, end: Point, color: str, width: float) -> None:
        places = [f"{value:.1f}" for value in (*start, *end)]
        self._parts.append(
            Markup('<line x1="{}" y1="{}" x2="{}" y2="{}" stroke="{}" stroke-width="{}"/>').format(
                *places, color, width
            )
        )

    def _text(self, at: Point, text: str, anchor: str) -> None:
        self._parts.append(
            Markup('<text x="{}" y="{}" text-anchor="{}">{}</text>').format(
                f"{at[0]:.1f}", f"{at[1]:.1f}", anchor, escape(text)
            )
        )


def ticks(low: float, high: float, count: int = 5) -> tuple[float, ...]:
    """Return round numbers from `low` to `high`, about `count` of them."""
    import math

    rough = max(high - low, 1e-9) / max(count, 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    return tuple(n * step for n in range(first, math.floor(high / step + 1e-9) + 1))


def _share(value: float, ends: Range) -> float:
    span = ends[1] - ends[0]
    return min(max((value - ends[0]) / span if span else 0.0, 0.0), 1.0)
