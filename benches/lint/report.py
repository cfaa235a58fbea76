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
        "# `stackgen lint` beside its peers",
        "",
        "Written by `benches/lint/run`; run it again for figures of your own machine.",
        "",
        f"{datetime.date.today():%Y-%m-%d}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}; {', '.join(versions)}.",
        "",
        f"Whole processes, warm: median of {rounds} interleaved runs, with the middle half in brackets. Peak is the largest"
        " resident set of any process involved. \"Times ours\" is the median over stackgen's. The peers judge other things than"
        " ours, and more of them: every property of every resource (cfn-lint), security (checkov, cfn-guard). They are here"
        " because they are what people run on templates today.",
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
        f"The flagship and the starters, with names of their own: {size / 1e6:.1f} MB. stackgen judges all of them. The peers judge"
        f" one, and {few} in one call, and what {count:,} take is worked out from these two: once the start, and the rest"
        f" {count:,} times.", "",
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
        "stackgen alone, on templates of about so many resources of one kind; CloudFormation takes 500 in a stack. The slope is that"
        " of the logarithm of the time over that of the length in bytes, from 1,000 resources on, by least squares: 1 is"
        " proportional, 2 would be quadratic.", "",
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
        "", "## What is found", "",
        "The fixtures of the linter's rules: templates with one mistake, each with a twin that differs in the fix alone. A linter"
        " notices a mistake when it says something of the template that it does not say of the twin, whatever it is, even of"
        " another thing that the twin has not; notes and recommendations count, and cfn-guard has all of AWS's rules. In brackets:"
        " it does so by a rule that has nothing to say of the twin; other rules ask for the same thing in both. Rules that compare"
        " two revisions are left out, for a peer has no way to be asked, and so are rules about our own suppressions. The fixtures"
        " are ours, so it is no wonder that ours finds all of them: what counts is the other columns.", "",
        "| group | mistakes | " + " | ".join(names) + " |", "|---|---:|" + "---:|" * len(names),
    ]

    def row(title, files):
        cells = [f"{len(noticed[name] & files)} ({len(told[name] & files)})" for name in names]
        return f"| {title} | {len(files)} | " + " | ".join(cells) + " |"

    lines += [row(group, set(files)) for group, files in groups.items()]
    lines.append(row("all", {file for files in groups.values() for file in files}))
    count = sum(map(len, groups.values()))
    twins = ", ".join(f"{name} {said}" for name, said in on_good.items())
    lines += ["", f"Of the {count} twins, so many have something said of them: {twins}.", "",
              "What the peers notice by a rule that has nothing to say of the twin:", ""]
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
