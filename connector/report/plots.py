"""The plots of a report: each an SVG that stands in a page, drawn by matplotlib, with a text that says what it shows.

Must not be imported where no report is drawn: matplotlib takes a second to load. Invariants: no state of matplotlib's is changed for
others; the same figures give the same bytes; colours are the page's own, so that a plot can be read in light and in dark.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import StringIO

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from connector.core.money import digits
from connector.core.reconciliation import Reconciliation
from connector.core.tally import Share
from connector.core.words import ArrearsStatus
from connector.report import words

WIDTH = 5.0
"""Inches of 72 points: as wide as a phone, so that the text of a plot is no smaller there than the page's."""
PANELS = 3
"""Currencies that get a plot of their own; the table beside it has them all."""
_INK, _SOFT, _BAR, _LINE = "#010203", "#010204", "#010205", "#010206"
_COLOURS = {_INK: "var(--ink)", _SOFT: "var(--soft)", _BAR: "var(--bar)", _LINE: "var(--line)"}
_ID = re.compile(r'\b(id="|xlink:href="#|url\(#)')


@dataclass(frozen=True, slots=True)
class Plot:
    """A drawing, and the same in words."""

    name: str
    svg: str
    says: str


def status(one: Reconciliation) -> Plot | None:
    """Payers who are not Clear, by status."""
    bars = {name.value: one.tally.statuses.get(name, Share()).payers for name in words.STATUSES if name is not ArrearsStatus.CLEAR}
    return _bars("status", "Payers by status, Clear left out", {"": bars})


def age(one: Reconciliation) -> Plot | None:
    """Open amounts by age, a panel for each currency."""
    shares = one.tally.ageing
    totals: dict[str, int] = {}
    for share in shares.values():
        for currency, minor in share.amounts.items():
            totals[currency] = totals.get(currency, 0) + minor
    chosen = sorted(totals, key=lambda currency: (-totals[currency] / 10 ** digits(currency), currency))[:PANELS]
    panels = {
        currency: {label: shares.get(name, Share()).amounts.get(currency, 0) for name, label in words.AGES.items()} for currency in chosen
    }
    return _bars("age", "Open amounts by days past due", panels)


def reason(one: Reconciliation) -> Plot | None:
    """Open installments by why they failed last."""
    found = sorted(one.tally.reasons.items(), key=lambda one: (-one[1].installments, one[0]))
    bars = {words.REASONS.get(name, words.word(name)): share.installments for name, share in found}
    return _bars("reason", "Open installments by reason", {"": bars})


def trend(one: Reconciliation) -> Plot | None:
    """Payers in arrears and what is overdue, pass by pass; None for a first pass."""
    points = one.trend
    if len(points) < 2:
        return None
    latest = points[-1].overdue
    currency = max(latest, key=lambda name: (latest[name] / 10 ** digits(name), name), default=None)
    courses: dict[str, list[float]] = {"Payers in arrears": [float(point.in_arrears) for point in points]}
    if currency:
        courses[f"Overdue, {currency}"] = [point.overdue.get(currency, 0) / 10 ** digits(currency) for point in points]
    days = [words.day(point.at.astimezone(one.started_at.tzinfo)) for point in points]
    with _drawn(len(courses) * 1.5 + 0.3) as figure:
        for row, (title, course) in enumerate(courses.items(), 1):
            _course(figure.add_subplot(len(courses), 1, row), title, course, days)
        figure.tight_layout()
        says = "; ".join(f"{title}: from {course[0]:,.0f} to {course[-1]:,.0f}" for title, course in courses.items())
        return Plot("trend", _svg(figure, "trend"), f"The last {len(points)} passes, {days[0]} to {days[-1]}. {says}.")


def _bars(name: str, title: str, panels: Mapping[str, Mapping[str, int]]) -> Plot | None:
    """Bars that lie, one panel under the other: of counts, or of amounts where a panel is named by its currency; None where every bar is nought."""
    panels = {panel: bars for panel, bars in panels.items() if any(bars.values())}
    if not panels:
        return None
    texts = {
        panel: [words.amount(value, panel) if panel else words.number(value) for value in bars.values()] for panel, bars in panels.items()
    }
    heights = [len(bars) for bars in panels.values()]
    with _drawn(sum(heights) * 0.29 + 0.35 * len(panels) * (len(panels) > 1) + 0.1) as figure:
        grid = figure.add_gridspec(len(panels), 1, height_ratios=heights)
        for row, (panel, bars) in enumerate(panels.items()):
            _panel(figure.add_subplot(grid[row]), panel if len(panels) > 1 else "", bars, texts[panel])
        figure.tight_layout(pad=0.2, h_pad=0.8)
        said = "; ".join(f"{bar} {text}" for panel, bars in panels.items() for bar, text in zip(bars, texts[panel], strict=True))
        return Plot(name, _svg(figure, name), f"{title}. {said}.")


def _panel(axes: Axes, title: str, bars: Mapping[str, int], texts: Sequence[str]) -> None:
    places = range(len(bars))
    drawn = axes.barh(places, list(bars.values()), color=_BAR, height=0.68)
    axes.bar_label(drawn, labels=[text if value else "" for text, value in zip(texts, bars.values(), strict=True)], padding=4, color=_INK)
    axes.set_yticks(places, list(bars))
    axes.invert_yaxis()
    axes.set_xlim(0, max(bars.values()) * 1.45)
    axes.tick_params(length=0)
    axes.set_xticks([])
    if title:
        axes.set_title(title)
    for side in ("top", "right", "bottom"):
        axes.spines[side].set_visible(False)


def _course(axes: Axes, title: str, course: Sequence[float], days: Sequence[str]) -> None:
    axes.plot(range(len(course)), course, color=_BAR, linewidth=2, marker="o", markersize=3.5)
    axes.set_title(title)
    axes.set_ylim(0, max(*course, 1) * 1.15)
    axes.yaxis.set_major_locator(MaxNLocator(3, integer=True))
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    shown = sorted({0, len(days) // 2, len(days) - 1})
    axes.set_xticks(shown, [days[one] for one in shown])
    axes.grid(axis="y", color=_LINE, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(length=0)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)


@contextmanager
def _drawn(height: float) -> Iterator[Figure]:
    """Give an empty figure under our style; matplotlib's own settings are as before afterwards."""
    style = rc_context({
        "svg.fonttype": "none", "svg.hashsalt": "dunwell", "text.parse_math": False, "font.size": 10.5, "axes.titlesize": 10.5, "axes.titlelocation": "left",
        "text.color": _INK, "axes.labelcolor": _INK, "axes.edgecolor": _LINE, "xtick.color": _SOFT, "ytick.color": _INK, "figure.facecolor": "none",
        "axes.facecolor": "none",
    })  # fmt: skip
    with style:
        yield Figure(figsize=(WIDTH, height))


def _svg(figure: Figure, name: str) -> str:
    """Give a figure as markup that stands in a page: ids of its own, colours of the page's, no prolog, no namespaces."""
    page = StringIO()
    figure.savefig(page, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    drawing = page.getvalue()
    inner = drawing[drawing.index(">", drawing.index("<svg")) + 1 :]
    inner = _ID.sub(rf"\g<1>{name}-", inner).replace("xlink:href", "href")
    for stand_in, colour in _COLOURS.items():
        inner = inner.replace(stand_in, colour)
    width, height = (round(float(inches) * 72, 2) for inches in figure.get_size_inches())
    labels = f'role="img" aria-labelledby="{name}-says"'
    return f'<svg viewBox="0 0 {width:g} {height:g}" {labels}>{inner}'.strip()
