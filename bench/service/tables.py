"""Measures as Markdown: medians of the rounds, Luna beside Redis, and the ratio; CPU of all rounds
together, as merges and rewrites come now and then and are paid for all the same."""

import math
import pathlib
import statistics

BEGIN = "<!-- service tables begin -->"
END = "<!-- service tables end -->"


def number(value):
    """Three significant digits, thousands separated."""
    if value < 100:
        return f"{value:.{3 if value < 1 else 2 if value < 10 else 1}f}"
    unit = 10 ** (math.floor(math.log10(value)) - 2)
    return f"{round(value / unit) * unit:,.0f}"


def duration(millis):
    return f"{number(millis * 1000)} µs" if millis < 1 else f"{number(millis)} ms"


def ratio(ours, theirs, smaller_is_better=False):
    if theirs <= 0:
        return "–"
    value = ours / theirs
    better = value <= 1 if smaller_is_better else value >= 1
    return f"**{value:.2f}**" if better else f"{value:.2f}"


def median(measures, figure):
    return statistics.median(figure(measure) for measure in measures)


def micros(measures, seconds):
    return sum(map(seconds, measures)) / sum(measure.requests for measure in measures) * 1e6


def throughput(measure):
    return measure.requests_per_second


def table(cells, results, left, right):
    """One row a cell; results: (cell, server name) → measures."""
    lines = [f"| | {left} req/s | {right} req/s | ratio | {left} p50 / p99 | {right} p50 / p99 | "
             f"p99 ratio | {left} CPU | {right} CPU | ratio | client CPU |",
             "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|"]
    for cell in cells:
        ours, theirs = results.get((cell, left), []), results.get((cell, right), [])
        if not ours or not theirs:
            lines.append(f"| {cell.name()} |" + " failed |" * 10)
            continue
        rates = [median(m, throughput) for m in (ours, theirs)]
        p50s = [median(m, lambda m: m.p50) for m in (ours, theirs)]
        p99s = [median(m, lambda m: m.p99) for m in (ours, theirs)]
        cpus = [micros(m, lambda m: m.server_cpu) for m in (ours, theirs)]
        clients = [micros(m, lambda m: m.client_cpu) for m in (ours, theirs)]
        lines.append(
            f"| {cell.name()} | {number(rates[0])} | {number(rates[1])} | {ratio(*rates)} "
            f"| {duration(p50s[0])} / {duration(p99s[0])} | {duration(p50s[1])} / "
            f"{duration(p99s[1])} | {ratio(*p99s, True)} | {number(cpus[0])} | {number(cpus[1])} "
            f"| {ratio(*cpus, True)} | {number(clients[0])} / {number(clients[1])} |")
    return "\n".join(lines)


def write_down(page, text):
    """Puts the text between the two markers of the page."""
    path = pathlib.Path(page)
    old = path.read_text()
    head, rest = old.split(BEGIN + "\n", 1)
    _, tail = rest.split(END, 1)
    unfinished = path.with_suffix(".part")
    unfinished.write_text(f"{head}{BEGIN}\n\n{text}\n{END}{tail}")
    unfinished.replace(path)
