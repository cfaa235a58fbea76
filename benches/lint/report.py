"""The results as Markdown."""

import datetime
import math
import os
import platform
import sys
from pathlib import Path

sys.path.insert(1, str(Path(__file__).resolve().parent.parent / "synth"))


def head(rounds, versions):
    return [
        "# `stackgen lint` and its peers",
        "",
        "Written by `benches/lint/run`. Run it again for the figures of your machine.",
        "",
        f"{datetime.date.today():%Y-%m-%d}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}; {', '.join(versions)}.",
        "",
        f"Whole processes, warm: median of {rounds} interleaved runs, with the middle half in brackets. Peak is the largest"
        " resident set of any process involved. \"Times ours\" is the median over stackgen's. The peers check other"
        " properties, and more of them: every property of every resource (cfn-lint), security (checkov, cfn-guard). They are here"
        " because people run them on templates today.",
    ]


def one_template(name, file, subjects):
    lines = ["", f"## One template: {name}", "", f"`{file}`", "", "| | time | peak | times ours |", "|---|---:|---:|---:|"]
    ours = subjects[0].median
    for subject in subjects:
        low, high = subject.spread
        lines.append(f"| {subject.name} | {duration(subject.median)} ({duration(low)} to {duration(high)}) |"
                     f" {mebibytes(subject.peak_kib)} | {subject.median / ours:,.0f} |")
    return lines


def many_templates(count, few, size, ours, pairs):
    lines = [
        "", f"## {count:,} templates in one call", "",
        f"The flagship and the starters, with distinct names: {size / 1e6:.1f} MB. stackgen checks all of them. The peers check"
        f" one, and {few} in one call; their figures for {count:,} templates are extrapolated: one start, and {count:,} times"
        " the rest.", "",
        "| | one | " f"{few} | {count:,} | peak | times ours |", "|---|---:|---:|---:|---:|---:|",
        f"| {ours.name} | | | {duration(ours.median)} | {mebibytes(ours.peak_kib)} | 1 |",
    ]
    for one, some in pairs:
        each = (some.median - one.median) / (few - 1)
        all_of_them = one.median + (count - 1) * each
        lines.append(f"| {one.name} | {duration(one.median)} | {duration(some.median)} | about {duration(all_of_them)} |"
                     f" {mebibytes(some.peak_kib)} with {few} | {all_of_them / ours.median:,.0f} |")
    return lines


def growth(counts, table):
    lines = [
        "", "## Time over the template's length", "",
        "stackgen alone, on templates with about this many resources of one kind; CloudFormation's limit is 500 per stack. The"
        " slope is that of the logarithm of the time over the logarithm of the length in bytes, from 1,000 resources on, by least"
        " squares: 1 is proportional, 2 would be quadratic.", "",
        "| | " + " | ".join(f"{count:,}" for count in counts) + " | slope |", "|---|" + "---:|" * (len(counts) + 1),
    ]
    for kind, sizes, subjects in table:
        times = [subject.median for subject in subjects]
        points = [(math.log(size), math.log(time)) for count, size, time in zip(counts, sizes, times) if count >= 1_000]
        lines.append(f"| {kind} | " + " | ".join(map(duration, times)) + f" | {slope(points):.2f} |")
    return lines


def what_is_found(groups, noticed, told, on_good):
    names = list(noticed)
    lines = [
        "", "## Findings", "",
        "The fixtures of the linter's rules: templates with one mistake, each with a twin that differs only in the fix. A linter"
        " notices a mistake if it reports anything for the template that it does not report for the twin. Notes and"
        " recommendations count, and cfn-guard uses all of AWS's rules. In brackets: mistakes that it notices with a rule without"
        " findings in the twin; other rules report the same in both. Rules that compare two revisions are omitted, because the"
        " peers cannot do that, and so are rules about our own suppressions. The fixtures are ours, so stackgen finds all of their"
        " mistakes: the other columns are the result.", "",
        "| group | mistakes | " + " | ".join(names) + " |", "|---|---:|" + "---:|" * len(names),
    ]

    def row(title, files):
        cells = [f"{len(noticed[name] & files)} ({len(told[name] & files)})" for name in names]
        return f"| {title} | {len(files)} | " + " | ".join(cells) + " |"

    lines += [row(group, set(files)) for group, files in groups.items()]
    lines.append(row("all", {file for files in groups.values() for file in files}))
    count = sum(map(len, groups.values()))
    twins = ", ".join(f"{name} {said}" for name, said in on_good.items())
    lines += ["", f"Twins with findings, of {count}: {twins}.", "",
              "Mistakes that the peers notice with a rule without findings in the twin:", ""]
    for name in names[1:]:
        found = ", ".join(f"`{file.removesuffix('.yaml')}`" for file in sorted(told[name]))
        lines.append(f"- {name}: {found or 'nothing'}.")
    return lines


def slope(points):
    count = len(points)
    mean_x, mean_y = (sum(values) / count for values in zip(*points))
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / sum((x - mean_x) ** 2 for x, _ in points)


def duration(seconds):
    if seconds >= 120:
        return f"{seconds / 60:.0f} min"
    return f"{seconds:.2f} s" if seconds >= 0.5 else f"{seconds * 1e3:.1f} ms"


def mebibytes(kib):
    return f"{kib / 1024:.1f} MiB"
