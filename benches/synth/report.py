"""The results as Markdown."""

import datetime
import os
import platform


def markdown(cases, growth, rounds, versions):
    lines = [
        "# `stackgen synth` beside its peers",
        "",
        "Written by `benches/synth/run`; run it again for figures of your own machine.",
        "",
        f"{datetime.date.today():%Y-%m-%d}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}; "
        f"{', '.join(versions)}.",
        "",
        f"Whole processes, warm: median of {rounds} interleaved runs, with the middle half in brackets. Peak is the largest"
        " resident set of any process involved. \"Times ours\" is the median over stackgen's.",
        "",
        "CDK is given its best case: its CLI is started directly, not by way of npx, and 20 stacks are one app, while"
        " stackgen runs 20 times. `node app.js` writes the same templates without the CLI. `CDK_VALIDATION=false`"
        " turns off the checks that aws-cdk-lib runs on what it synthesised. The SAM translator starts from SAM, so it"
        " only translates functions; its input was rendered by stackgen and is not counted.",
    ]
    for name, subjects, made in cases:
        lines += case_table(name, subjects, made)
    return "\n".join(lines + growth_table(growth)) + "\n"


def case_table(name, subjects, made):
    ours = subjects[0]
    counts = ", ".join(f"{tool} {count}" for tool, count in made.items())
    lines = ["", f"## {name}", "", f"Resources: {counts}.", "", "| | time | peak | times ours |", "|---|---:|---:|---:|"]
    for subject in subjects:
        low, high = subject.spread
        time = f"{duration(subject.median)} ({duration(low)} to {duration(high)})"
        lines.append(f"| {subject.name} | {time} | {mebibytes(subject.peak_kib)} | {subject.median / ours.median:,.0f} |")
    return lines


def growth_table(growth):
    lines = [
        "", "## Cost over resources", "", "stackgen alone, one stack of growing size.", "",
        "| resources | time | peak |", "|---:|---:|---:|",
    ]
    for resources, subject in growth:
        lines.append(f"| {resources} | {duration(subject.median)} | {mebibytes(subject.peak_kib)} |")
    start, slope, share = line_through([(resources, subject.median) for resources, subject in growth])
    lines += [
        "",
        f"A straight line through them: {duration(start)} and {slope * 1e6:.1f} µs a resource; it explains {share:.1%} of"
        " the differences.",
    ]
    return lines


def line_through(points):
    """Returns intercept, slope and R² by least squares."""
    count = len(points)
    mean_x = sum(x for x, _ in points) / count
    mean_y = sum(y for _, y in points) / count
    slope = sum((x - mean_x) * (y - mean_y) for x, y in points) / sum((x - mean_x) ** 2 for x, _ in points)
    start = mean_y - slope * mean_x
    residual = sum((y - start - slope * x) ** 2 for x, y in points)
    return start, slope, 1 - residual / sum((y - mean_y) ** 2 for _, y in points)


def duration(seconds):
    return f"{seconds:.2f} s" if seconds >= 0.5 else f"{seconds * 1e3:.1f} ms"


def mebibytes(kib):
    return f"{kib / 1024:.1f} MiB"
