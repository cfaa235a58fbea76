"""The page with the results, and what is missing in verdicts.json."""

from collections import Counter, defaultdict

VERDICTS = ["true", "arguable", "false"]


def unjudged(results, verdicts):
    """Returns the problems of the verdicts: findings and failures without one, and verdicts without a finding or failure."""
    findings = Counter((one["project"]["name"], f["rule"], f["resource"]) for one in results for f in one["findings"])
    judged = Counter((one["project"], one["rule"], one["resource"]) for one in verdicts["findings"])
    problems = [f"no verdict: {' '.join(key)}" for key in sorted((findings - judged).elements())]
    problems += [f"no such finding: {' '.join(key)}" for key in sorted((judged - findings).elements())]
    problems += [f"{one['project']}: {one['reader_a']} is no verdict" for one in verdicts["findings"] if one["reader_a"] not in VERDICTS]
    failed = {one["project"]["name"] for one in results if one["run"] and not one["run"]["works"]}
    explained = verdicts["runs"]
    problems += [f"no cause: {name}" for name in sorted(failed - explained.keys())]
    problems += [f"a cause, but no failure: {name}" for name in sorted(explained.keys() - failed)]
    for one in results:
        text = explained.get(one["project"]["name"], {}).get("said")
        if text and not (one["run"] and any(text in said for said in one["run"]["said"])):
            problems.append(f"{one['project']['name']}: the start does not say `{text}`")
    known = {one["cause"] for one in verdicts["causes"]}
    problems += [f"{name}: unknown cause {one['cause']}" for name, one in sorted(explained.items()) if one["cause"] not in known]
    return problems


def page(document, results, verdicts):
    firsts = verdicts.get("first")
    head = [*summary(document, results), *counted(results, verdicts), *(first_results(firsts, results) if firsts else []), *steps(results)]
    return "\n".join([*head, *runs(results, verdicts), *causes(verdicts), *findings(results, verdicts)]) + "\n"


def first_results(firsts, results):
    """States what the first run of projects did that nobody had tried before."""
    counts = [sum(one[at] == "x" for one in firsts["runs"].values()) for at in range(3)]
    ready = sum(one["run"] is not None for one in results)
    return [
        f"Before anything was changed because of them, {counts[0]} of these {ready} started, {counts[1]} accepted a connection and {counts[2]} did",
        f"what their README says. {firsts['lint']}",
        "",
    ]


def summary(document, results):
    ready = [one for one in results if one["run"]]
    missing = document.get("wanted", len(results)) - len(results)
    lines = [
        document["title"],
        "",
        *document.get("introduction", []),
        f"Written by `benches/projects/run{document.get('flags', '')}`. Each project is as its repository has it, in the commit of `{document.get('file', 'projects.json')}`. Templates that a",
        "tool renders were rendered before, with the steps below. Clients connect with TLS and send the messages that the README",
        "shows, or, where it shows none, messages that the code handles. *Works* means that the answers arrived that the README or",
        "the code promises; without answers, that the gateway reports no problem.",
        "",
        "The rule for taking projects:",
        "",
        *(f"- {line}" for line in document["rule"]),
        "",
        f"{len(results)} projects" + (f" ({missing} are missing)" if missing > 0 else "") + f": {len(ready)} have a template here, the others need",
        "a tool that renders one. Of these "
        + f"{sum(one['run']['started'] for one in ready)} start, "
        + f"{sum(one['run']['connected'] for one in ready)} accept a connection and "
        + f"{sum(one['run']['works'] for one in ready)} do what their README says.",
        "",
    ]
    return lines


def counted(results, verdicts):
    """States how many projects do what their READMEs say if one counts as the aim does."""
    explained = verdicts["runs"]
    named = {one["project"]["name"] for one in results}
    works = [one["project"]["name"] for one in results if one["run"] and one["run"]["works"]]
    said = sorted(name for name, one in explained.items() if "said" in one and name in named)
    outside = sorted(name for name, one in explained.items() if one.get("outside") and name in named)
    total, done = len(results) - len(outside), len(works) + len(said)
    lines = [f"- Of all {len(results)} projects, {len(works)} do what their README says."]
    if said:
        lines.append(f"- Functions in Java, .NET and Go do not run here. {len(said)} more projects have such functions, and the start of `dev` says so: {', '.join(said)}.")
    if outside:
        lines.append(f"- {len(outside)} projects need services that exist neither here nor in the emulator: {', '.join(outside)}.")
    counted = {(True, True): "With the former counted and without the latter", (True, False): "With them counted", (False, True): "Without them"}
    if said or outside:
        lines.append(f"- {counted[bool(said), bool(outside)]}, {done} of {total} do.")
    return [*lines, ""]


def steps(results):
    """Lists what was done by hand in the checkouts, and the resources that `dev` created in the emulator."""
    lines = ["## Steps", "", "Nothing was created in the emulator by hand.", ""]
    lines += ["| project | template | steps in the checkout | created by `dev --services` |", "|---|---|---|---|"]
    for one in results:
        project, run = one["project"], one["run"]
        services = project.get("services", False)
        if run is None or not (project.get("steps") or services):
            continue
        counts = Counter(kind.removeprefix("AWS::") for kind in run["emulated"])
        created = ", ".join(kind if count == 1 else f"{count} {kind}" for kind, count in sorted(counts.items())) or "nothing"
        lines.append(
            f"| {project['name']} | `{project['template']}` | {', '.join(project.get('steps', []))} | {created if services else ''} |"
        )
    return [*lines, ""]


def runs(results, verdicts):
    firsts = verdicts.get("first", {}).get("runs")
    before = " before |" if firsts else ""
    lines = ["## Runs", ""]
    if firsts:
        lines += ["*Before* is the first run: started, connected, works.", ""]
    lines += [f"| project | tool |{before} started | connected | works | cause | reported by `dev` |", "|---|---|---|---|---|---|---|" + ("---|" if firsts else "")]
    for one in results:
        project, run = one["project"], one["run"]
        start = f"| [{project['name']}]({address(project)}) | {project['tool']} |"
        if firsts:
            start += f" {', '.join('yes' if mark == 'x' else 'no' for mark in firsts.get(project['name'], ''))} |"
        if run is None:
            lines.append(f"{start} needs {project['tool']} | | | | {cell(project.get('notRendered', ''))} |")
            continue
        marks = " | ".join("yes" if run[key] else "no" for key in ["started", "connected", "works"])
        cause = verdicts["runs"].get(project["name"], {}).get("cause", "")
        reported = "<br>".join(cell(text) for text in one["lint"] + run["problems"][:4])
        lines.append(f"{start} {marks} | {cause} | {reported} |")
    return [*lines, ""]


def causes(verdicts):
    """Lists the causes of failures, the most frequent one first."""
    counts = Counter(one["cause"] for one in verdicts["runs"].values())
    lines = ["## Causes", "", "| projects | cause | lies with | |", "|---|---|---|---|"]
    for one in sorted(verdicts["causes"], key=lambda one: (-counts[one["cause"]], one["cause"])):
        lines.append(f"| {counts[one['cause']]} | {one['cause']} | {one['lies_with']} | {one['why']} |")
    further = [f"- {name}: {one['also']}" for name, one in sorted(verdicts["runs"].items()) if "also" in one]
    return [*lines, "", "What stands in the way after that:", "", *further, ""] if further else [*lines, ""]


def agreed(verdict):
    """Returns the verdict of both readers; `false` if they disagree. What only one reader judged true is `arguable`."""
    first = verdict["reader_a"]
    if "reader_b" not in verdict:
        return "arguable" if first == "true" else first
    return first if verdict["reader_b"] == first else "false"


def findings(results, verdicts):
    counts = Counter((one["rule"], agreed(one)) for one in verdicts["findings"])
    total = Counter(agreed(one) for one in verdicts["findings"])
    alone = sum("reader_b" not in one for one in verdicts["findings"])
    lines = [
        "## Findings",
        "",
        "Every warning and error was judged with the template at hand. *True*: the template is wrong or lax at that location.",
        "*Arguable*: the finding is correct, but may be intended by the author. *False*: nothing is wrong. Two readers judged, and",
        "neither saw the verdicts of the other. Where they disagree, the finding counts as false.",
        *(["What only one of them judged true counts as arguable."] if alone else []),
        "",
        f"{sum(total.values())} findings: " + ", ".join(f"{total[verdict]} {verdict}" for verdict in VERDICTS)
        + (f". {alone} of them had one reader." if alone else "."),
        *(f"- {one['rule']} at `{one['resource']}` of {one['project']} is a note since: {one['reader_a']}, {cell(one['why'])}"
          + (f"; the second reader: {one['reader_b']}, {cell(one['why_b'])}" if "why_b" in one else "")
          for one in verdicts.get("notes", [])),
        "",
        "| rule | " + " | ".join(VERDICTS) + " |",
        "|---|---|---|---|",
    ]
    for rule in sorted({rule for rule, _ in counts}):
        lines.append(f"| {rule} | " + " | ".join(str(counts[rule, verdict]) for verdict in VERDICTS) + " |")
    lines += ["", "| project | findings |", "|---|---|"]
    # A rule can report a resource twice: its verdicts stand in the order of the lines.
    judged = defaultdict(list)
    for one in verdicts["findings"]:
        judged[one["project"], one["rule"], one["resource"]].append(one)
    for one in results:
        name = one["project"]["name"]
        cells = [judged_cell(f, first(judged[name, f["rule"], f["resource"]])) for f in one["findings"]]
        if one["run"]:
            lines.append(f"| {name} | {'<br>'.join(cells) or 'nothing'} |")
    return lines


def first(left):
    """Removes and returns the first verdict that is left."""
    return left.pop(0) if left else None


def judged_cell(finding, verdict):
    text = f"{finding['rule']} {finding['severity']} at `{finding['resource']}`"
    if not verdict:
        return f"{text}: not judged"
    second = verdict.get("reader_b", verdict["reader_a"])
    other = f"; the second reader: {second}, {cell(verdict['why_b'])}" if second != verdict["reader_a"] and "why_b" in verdict else ""
    other = other or (f"; the second reader: {second}" if second != verdict["reader_a"] else "")
    return f"{text}: {verdict['reader_a']}, {cell(verdict['why'])}{other}"


def address(project):
    return f"https://github.com/{project['repository']}/tree/{project['commit']}/{project['folder']}".rstrip("/")


def cell(text):
    return text.replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")
