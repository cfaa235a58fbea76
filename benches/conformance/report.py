#!/usr/bin/env python3
"""Writes docs/reference/conformance.md from results.json and our tests.

    benches/conformance/report.py [--check]

With --check nothing is written: it fails if the page is stale, or if a row of sections 1 to 5 has no test of ours.
"""

import json
import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
RESULTS = HERE / "results.json"
PAGE = ROOT / "docs/reference/conformance.md"
REFERENCE = ROOT / "docs/reference/api-gateway-websocket.md"
TARGETS = {"stackgen": "ours", "serverless-offline": "serverless-offline", "ministack": "ministack"}
MARKS = {"yes": "✓", "no": "✗", "partly": "◐", "cannot": "–", "not probed": "?"}
SECTIONS = {"C": "Handshake and `$connect`", "A": "Authorization", "M": "Messages and close codes",
            "E": "Events that functions receive", "K": "@connections", "D": "Deployments and stages"}


def main():
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {"versions": {}, "probes": []}
    tests = row_tests()
    page = markdown(results, tests)
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(page)
        return 0
    wrong = [f"row {row} has no test: name one `row_{row.lower()}_…`" for row in rows() if row not in tests]
    if not PAGE.exists() or PAGE.read_text() != page:
        wrong.append(f"{PAGE.relative_to(ROOT)} is stale: run benches/conformance/report.py")
    print("\n".join(wrong) or f"{PAGE.relative_to(ROOT)} matches the results and {sum(map(len, tests.values()))} tests")
    return 1 if wrong else 0


def rows():
    """Returns the rows of sections 1 to 5, in order."""
    text = REFERENCE.read_text()
    part = text[text.index("## 1."):text.index("## 6.")]
    return re.findall(r"^\| (?:<a[^>]*></a>)?([CAMEKD]\d+)\b", part, re.M)


def row_tests():
    """Returns our tests by row: functions named `row_c1_…`, `row_c1_and_c2_…`."""
    found = {}
    for file in sorted([*ROOT.glob("generator/**/*.rs"), *ROOT.glob("handlers/**/*.rs")]):
        if "target" in file.relative_to(ROOT).parts:
            continue
        for name in re.findall(r"\bfn (rows?_\w+)", file.read_text()):
            for row in named(name):
                found.setdefault(row, []).append((name, file.relative_to(ROOT)))
    return found


def named(test):
    """Returns the rows at the beginning of a test's name."""
    lead = re.match(r"row(?:s)?((?:_(?:and_)?[a-z]\d+)+)", test)
    return [row.upper() for row in re.findall(r"[a-z]\d+", lead[1])] if lead else []


def markdown(results, tests):
    return "\n".join([*head(results), *tables(results), *test_table(tests)]) + "\n"


def head(results):
    versions = ", ".join(f"{name} {version}" for name, version in results["versions"].items())
    return [
        "# Conformance", "",
        "Each row of [how API Gateway behaves](api-gateway-websocket.md), and the behavior of three local gateways in the same"
        " probe, over a real socket. `benches/conformance/run` runs the probes, and `benches/conformance/report.py` writes this"
        " page.", "",
        f"Probed: {versions}." if versions else "Nothing was probed yet.", "",
        "✓ as the row says, ✗ otherwise, ◐ in part, – the tool cannot do it, ? not probed. The text is the observation. All"
        " targets run the same function, which follows the probe's commands. A row with several observations has several lines."
        " Our gateway was built from these rows, so its column shows that it implements them and not that the rows are right;"
        " rows with weak or contradictory sources are tagged in the reference. The tools have different aims:"
        " serverless-offline runs a serverless.yml and has no control plane; ministack has the control planes of many services,"
        " of which API Gateway is one.", "",
        *summary(results),
    ]


def summary(results):
    if not results["probes"]:
        return []
    lines = ["| | ✓ | ◐ | ✗ | – | ? |", "|---|---:|---:|---:|---:|---:|"]
    for target, title in TARGETS.items():
        verdicts = [probe["targets"].get(target, {"as row": "not probed"})["as row"] for probe in results["probes"]]
        counts = [str(verdicts.count(verdict)) for verdict in ("yes", "partly", "no", "cannot", "not probed")]
        lines.append(f"| {title} | {' | '.join(counts)} |")
    return [*lines, ""]


def tables(results):
    lines = []
    for letter, title in SECTIONS.items():
        lines += [f"## {title}", "", "| row | API Gateway | " + " | ".join(TARGETS.values()) + " |", "|---|---|---|---|---|"]
        for probe in results["probes"]:
            if probe["row"][0] == letter:
                cells = [cell(probe["targets"].get(target)) for target in TARGETS]
                lines.append(f"| {probe['row']} | {escaped(probe['expects'])} | {' | '.join(cells)} |")
        lines.append("")
    return lines


def cell(found):
    if found is None:
        return MARKS["not probed"]
    return f"{MARKS[found['as row']]} {escaped(found['seen'])}"


def test_table(tests):
    lines = ["## Tests", "", "Our tests of each row, which `make test` runs.", "", "| row | tests |", "|---|---|"]
    for row in rows():
        names = [f"`{name}`" for name, _ in tests.get(row, [])]
        lines.append(f"| {row} | {'<br>'.join(names) or 'none'} |")
    return lines


def escaped(text):
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.exit(main())
