"""The results as Markdown."""

import datetime
import os
import platform


def markdown(cases, growth, rounds, versions):
    lines = [
        "# `stackgen synth` and its peers",
        "",
        "Written by `benches/synth/run`. Run it again for the figures of your machine.",
        "",
        f"{datetime.date.today():%Y-%m-%d}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}; "
        f"{', '.join(versions)}.",
        "",
        f"Whole processes, warm: median of {rounds} interleaved runs, with the middle half in brackets. Peak is the largest"
        " resident set of any process involved. \"Times ours\" is the median over stackgen's.",
        "",
        "CDK's CLI is started directly and not with npx. Twenty stacks are one app of CDK and one run of `stackgen synth --file"
        " A B …`. `node app.js` writes the same templates without the CLI. `CDK_VALIDATION=false` turns off aws-cdk-lib's"
        " checks of the synthesized templates. The SAM translator starts from SAM, so it only translates functions; stackgen"
        " rendered its input, which does not count.",
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
        "", "## Cost by number of resources", "", "stackgen alone, with one growing stack.", "",
        "| resources | time | peak |", "|---:|---:|---:|",
    ]
    for resources, subject in growth:
        lines.append(f"| {resources} | {duration(subject.median)} | {mebibytes(subject.peak_kib)} |")
    start, slope, share = line_through([(resources, subject.median) for resources, subject in growth])
    lines += [
        "",
        f"Linear fit: {duration(start)} and {slope * 1e6:.1f} µs per resource; R² is {share:.1%}.",
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
