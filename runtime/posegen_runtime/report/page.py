"""The report as HTML, section by section. Everything that comes from a run is escaped."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from posegen_runtime.report import charts, pictures, sections, text
from posegen_runtime.report.facts import facts
from posegen_runtime.report.gallery import Gallery
from posegen_runtime.report.rates import Rates, mean_rate
from posegen_runtime.report.reasons import Reasons
from posegen_runtime.report.rows import STATES
from posegen_runtime.report.style import CSS
from posegen_runtime.report.tally import Tally
from posegen_runtime.report.timings import Timings

MAX_REASONS = 25
MAX_WARNINGS = 20
SOURCES = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
"""A browser that is told so loads nothing from elsewhere, whatever a name contains."""

HINTS = {
    "done": "· written with labels",
    "rejected": "· made, but not as labelled",
    "failed": "· could not be made",
    "pending": "· not made yet",
}


class Galleries(msgspec.Struct, frozen=True):
    """Pictures of a fair sample, of the lowest IoUs, and of the largest heading errors."""

    sample: Gallery
    worst: Gallery
    turned: Gallery


def page(tally: Tally, galleries: Galleries, run: Mapping[str, Any]) -> str:
    """The whole document. `run` is the content of `run.json`; what it lacks is left out."""
    bundle = run.get("bundle")
    name = bundle.get("name") if isinstance(bundle, Mapping) else None
    title = f"PoseGen run with {text.escape(str(name))}" if name else "PoseGen run"
    parts = [
        _head(title, tally, run),
        _warnings(run),
        _throughput(tally.rates, tally.noun),
        _timings(tally.timings, tally.noun),
        _reasons(tally.reasons, tally.noun),
        pictures.switch() if galleries.sample.pictures or galleries.worst.pictures else "",
        sections.verified(tally.verified, galleries.worst, galleries.turned, run),
        sections.labels(tally.labels),
        _gallery(galleries.sample, tally.images),
        facts(run),
    ]
    return document(title, parts)


def document(title: str, parts: Iterable[str]) -> str:
    """Sections of HTML as one page that loads nothing; empty ones are left out. `title` is HTML."""
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{SOURCES}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{CSS}</style></head>\n<body>\n"
        + "\n".join(part for part in parts if part)
        + "\n</body></html>\n"
    )


def _head(title: str, tally: Tally, run: Mapping[str, Any]) -> str:
    counts, planned = tally.counts, tally.planned
    bars = "".join(
        f'<i class="{state}" style="width:{100 * counts[state] / planned:.3f}%"></i>'
        for state in STATES
        if counts[state]
    )
    unit = ""
    if tally.noun != "image":
        done, images = text.plural(counts["done"], tally.noun), text.plural(tally.images, "image")
        unit = f'<p class="dim">Counts are of {tally.noun}s: {done} in {images} done.</p>'
    tiles = "".join(
        f'<div><dt><i class="{state}"></i>{state}</dt><dd>{text.count(counts[state])} '
        f"<small>{text.share(counts[state], planned)} {HINTS[state]}</small></dd></div>"
        for state in STATES
    )
    tiles = (
        f"<div><dt>planned</dt><dd>{text.count(planned)} "
        f"<small>done + rejected + failed + pending</small></dd></div>{tiles}"
    )
    return (
        f"<header><h1>{title}</h1>{_state(tally, run)}{_when(tally.rates)}{unit}</header>"
        f'<div class="bar" aria-hidden="true">{bars}</div><dl class="tiles">{tiles}</dl>'
    )


def _state(tally: Tally, run: Mapping[str, Any]) -> str:
    left, failed = tally.counts["pending"], tally.counts["failed"]
    state = str(run.get("state", ""))
    pending = text.plural(left, f"pending {tally.noun}")
    go_on = f"The same command makes the {pending}." if left else ""
    word, kind, line = {
        "finished": ("finished", "part" if failed or left else "good", go_on),
        "interrupted": ("interrupted", "part", f"Stopped by hand before the end. {go_on}"),
        "stopped": ("stopped", "bad", f"An error ended the run: see the warnings. {go_on}"),
    }.get(state, ("not ended", "part", f"The run still works, or was killed. {go_on}"))
    if failed:
        line += f" {text.plural(failed, tally.noun)} failed; the reasons are below."
    elif tally.planned and tally.planned == tally.counts["done"]:
        line += f" Every {tally.noun} is done."
    return f'<p><span class="state {kind}">{word}</span> {line}</p>'


def _when(rates: Rates) -> str:
    if rates.first is None or rates.last is None:
        return '<p class="dim">No image was made.</p>'
    start, end = text.clock(rates.first), text.clock(rates.last)
    if start == end:
        return f'<p class="dim">Made at {start}.</p>'
    return f'<p class="dim">First image {start}, last image {end}.</p>'


def _warnings(run: Mapping[str, Any]) -> str:
    warnings = run.get("warnings")
    if not isinstance(warnings, list) or not warnings:
        return ""
    lines = "".join(f"<li>{text.escape(str(line), 400)}</li>" for line in warnings[:MAX_WARNINGS])
    more = len(warnings) - MAX_WARNINGS
    lines += f"<li>and {more} more, in run.json</li>" if more > 0 else ""
    return f"<h2>Warnings</h2><ul>{lines}</ul>"


def _throughput(rates: Rates, noun: str) -> str:
    if rates.first is None:
        return ""
    segments = rates.segments()
    if not segments:
        return "<h2>Throughput</h2><p>The run was too short to tell its speed.</p>"
    low, high = charts.spread(segments)
    pauses = charts.pauses(segments)
    cut = f" {text.plural(len(pauses), 'pause')} cut out of the time axis." if pauses else ""
    points = sum(len(segment.rates) for segment in segments)
    seconds = sum(segment.seconds for segment in segments)
    between = f", between {text.figure(low)} and {text.figure(high)}" if points > 1 else ""
    frames = charts.WIDE, charts.NARROW
    drawings = "".join(charts.throughput(segments, frame, noun) for frame in frames)
    return (
        f"<h2>Throughput, {noun}s a second</h2><p><b>{text.figure(mean_rate(segments))} {noun}s a "
        f"second</b> on average (dotted line){between}. Each point is the mean over about "
        f'{text.duration(seconds / points)}.{cut}</p><div class="chart">{drawings}</div>'
    )


def _timings(timings: Timings, noun: str) -> str:
    total = timings.total
    if not total:
        return "<h2>Where the time went</h2><p>No timings are recorded.</p>"
    rows = "".join(
        f'<tr><td>{text.escape(name, 24)}</td><td class="track">'
        f'<i style="width:{100 * stage.total / total:.2f}%"></i></td>'
        f'<td class="n">{text.share(stage.total, total)}</td>'
        f'<td class="n">{text.duration(stage.quantile(0.5))}</td>'
        f'<td class="n">{text.duration(stage.quantile(0.95))}</td></tr>'
        for name, stage in timings.stages()
    )
    return (
        "<h2>Where the time went</h2><p>Seconds of work, summed over all " + noun + "s: "
        f"{text.duration(total)}. Stages of different {noun}s run at the same time, so this is "
        "not time by the clock. Median and 95% are for one " + noun + ".</p>"
        '<table class="stages"><thead><tr><th>stage</th>'
        '<th class="track" colspan="2">share of the work</th><th class="n">median</th>'
        f'<th class="n">95% within</th></tr></thead><tbody>{rows}</tbody></table>'
    )


def _reasons(reasons: Reasons, noun: str) -> str:
    groups = reasons.groups()
    if not groups:
        return "<h2>Failures and rejections</h2><p>None.</p>"
    rows = "".join(
        f'<tr><td class="n">{text.count(group.count)}</td><td>{group.state}</td>'
        f"<td>{text.escape(group.reason, 300)}</td><td>{text.escape(group.example)}</td></tr>"
        for group in groups[:MAX_REASONS]
    )
    hidden = groups[MAX_REASONS:]
    if hidden:
        made = text.plural(sum(group.count for group in hidden), noun)
        rows += (
            f'<tr><td class="n">{made}</td><td></td>'
            f"<td>{text.plural(len(hidden), 'more reason')}</td><td></td></tr>"
        )
    return (
        '<h2>Failures and rejections</h2><table class="reasons"><thead><tr>'
        f'<th class="n">{noun}s</th><th>state</th><th>reason</th><th>for example</th></tr></thead>'
        f"<tbody>{rows}</tbody></table>"
    )


def _gallery(gallery: Gallery, done: int) -> str:
    shown, missing = gallery.pictures, gallery.missing
    gone = f" {text.plural(missing, 'drawn image')} could not be read." if missing else ""
    if not shown:
        return f"<h2>Images</h2><p>None to show.{gone}</p>"
    which = "All" if len(shown) == done else f"{len(shown)} drawn at random of all"
    return (
        f"<h2>Images</h2><p>{which} {text.plural(done, 'image')} done.{gone}</p>"
        f"{pictures.gallery(shown)}"
    )
