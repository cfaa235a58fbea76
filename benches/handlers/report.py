"""The results as Markdown."""

import datetime
import os
import platform
import statistics

# Aims for the functions.
AIM_FIRST_NEXT = 0.010
AIM_MEMORY_KIB = 20 * 1024
AIM_TIMES_FASTER = 10
AIM_TIMES_SMALLER = 5


def markdown(sections, versions):
    return "\n".join([
        "# The flagship's functions",
        "",
        "Written by `benches/handlers/run`. Run it again for the figures of your machine.",
        "",
        f"{datetime.date.today():%Y-%m-%d}, {os.cpu_count()} cores, {processor()}, {platform.system()} {platform.machine()};"
        f" {', '.join(versions)}.",
        "",
        "Everything runs on loopback and nothing on AWS: without TLS, network and the boot of a microVM, and with a full CPU."
        " The figures show the cost of our code, and not the latency that a caller sees.",
        "",
        "The audio handler posts to one listener every 100 µs (AUDIO_POSTS_PER_SECOND=10000): of its time for 250 listeners, 25 ms"
        " are this spreading. The first answer to `POST /sessions` includes some 20 ms of CPU time in which AWS-LC's random number"
        " generator collects entropy, once per process. The other events here need no random bytes. TLS, which is not measured, uses"
        " the same generator.",
        *sections,
    ]) + "\n"


def starts(lines, sizes):
    cases = {}
    for line in lines:
        cases.setdefault((line["function"], line["event"]), {"start": []})
        if line["kind"] == "start":
            cases[line["function"], line["event"]]["start"].append(line)
        else:
            cases[line["function"], line["event"]]["steady"] = line
    runs = len(next(iter(cases.values()))["start"])
    events = next(iter(cases.values()))["steady"]["events"]
    return [*start_table(cases, runs), *memory_table(cases, sizes, events)]


def start_table(cases, runs):
    lines = [
        "", "## Cold start", "",
        f"Time from spawning the process: median of {runs} interleaved runs, with the 95th percentile in brackets. An event is"
        " available when the function first asks for one. The function reaches DynamoDB (dynoxide, in memory), the issuer and"
        " the management endpoint over new connections; the token is signed with RS256. Release builds. The functions in Python"
        " do less than ours. AWS's awslambdaric runs them, with compiled files in the page cache.",
        "", "| function | event | first `next` | first answer |", "|---|---|---:|---:|",
    ]
    slow = set()
    for (function, event), case in cases.items():
        first_next = [line["first_next"] for line in case["start"]]
        first_answer = [line["first_answer"] for line in case["start"]]
        lines.append(f"| {title(function)} | {event} | {spread(first_next)} | {spread(first_answer)} |")
        if not function.startswith("python-") and statistics.median(first_next) > AIM_FIRST_NEXT:
            slow.add(function)
    return lines + ["", f"Aim: first `next` within {AIM_FIRST_NEXT * 1e3:.0f} ms. {kept(slow)}"]


def memory_table(cases, sizes, events):
    lines = [
        "", "## Size, memory, and cost per event", "",
        f"The stripped binary; the process's resident set, with its peak in brackets, after the first answer (median) and"
        f" after {events:,} events, one after the other; the time per event (median, 95th percentile), with the test's"
        " Runtime API, and the process's CPU time per event.",
        "", "| function | event | binary | after 1 | after all | per event | CPU |", "|---|---|---:|---:|---:|---:|---:|",
    ]
    large = set()
    for (function, event), case in cases.items():
        steady = case["steady"]
        first = {key: statistics.median(line[key] for line in case["start"]) for key in ("resident_kib", "peak_kib")}
        size = mebibytes(sizes[function] / 1024) if function in sizes else ""
        cpu = duration(steady["cpu_seconds"] / events)
        lines.append(f"| {title(function)} | {event} | {size} | {resident(first)} | {resident(steady)} |"
                     f" {spread(steady['seconds'])} | {cpu} |")
        if not function.startswith("python-") and steady["peak_kib"] > AIM_MEMORY_KIB:
            large.add(f"{function} ({event})")
    return lines + ["", f"Aim: at most {AIM_MEMORY_KIB / 1024:.0f} MiB. {kept(large)}"]


def authorizer(verified, events):
    lines = [
        "", "## Authorizer with cached keys", "",
        f"Medians of {len(verified) // 2} rounds, with the middle half in brackets. The library's verifier in one thread,"
        " and the whole binary with one event after the other, as on Lambda. The time includes the test's Runtime API between"
        " two events; the CPU time does not.",
        "", "| | verifications/s, in process | events/s, binary | CPU per event |", "|---|---:|---:|---:|",
    ]
    for algorithm in ["RS256", "ES256"]:
        in_process = [line["per_second"] for line in verified if line["algorithm"] == algorithm]
        whole = [line for line in events if line["algorithm"] == algorithm]
        cpu = statistics.median(line["cpu_seconds"] for line in whole)
        lines.append(f"| {algorithm} | {middle(in_process)} | {middle([line['per_second'] for line in whole])} |"
                     f" {duration(cpu)} |")
    return lines


def fan_out(comparisons):
    lines = [
        "", "## Fan-out to 500 listeners", "",
        "One chunk of audio (1,600 bytes, 2.2 KB as a message) to 500 connections, over persistent connections. Ours is the"
        " library's `fan_out` with the management API's client. boto3's is the same loop, one post after the other or through a"
        " pool of 32 threads with a connection each, without retries. Every client is a separate process, and all post to the"
        " same endpoint in turn: median of interleaved rounds, with the middle half in brackets. CPU is the client's, peak its"
        " largest resident set, and private its memory after all rounds that is not mapped from files. The first round opens the"
        " connections, and does not count. The audio handler has 128 posts in flight at its default of 2,000 posts per second. With"
        " AUDIO_POSTS_PER_SECOND=10000, the quota of an account in most Regions, it posts to one listener every 100 µs and has up to"
        " 512 posts in flight.",
    ]
    for comparison in comparisons:
        lines += comparison_table(comparison)
    return lines


def comparison_table(comparison):
    ours, threads, *_ = comparison.clients
    lines = [
        "", f"### The endpoint answers after {comparison.delay} ms", "",
        f"One connection gets its answers after {duration(comparison.answer)}. The endpoint's limit is"
        f" {comparison.ceiling:,.0f} posts/s for 128 connections of a minimal client; it used at most"
        f" {comparison.busy:.0%} of a core.",
        "", "| | a chunk to all | first chunk | posts/s | CPU per post | peak | private | times boto3's 32 threads |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for client in comparison.clients:
        rate = 500 / statistics.median(client.seconds)
        times = statistics.median(threads.seconds) / statistics.median(client.seconds)
        cpu = client.cpu / len(client.seconds) / 500
        lines.append(f"| {client.name} | {middle(client.seconds, duration)} | {duration(client.first)} | {rate:,.0f} |"
                     f" {cpu * 1e6:,.0f} µs | {mebibytes(client.peak_kib)} | {mebibytes(client.private_kib)} | {times:.1f} |")
    faster = statistics.median(threads.seconds) / statistics.median(ours.seconds)
    smaller = threads.peak_kib / ours.peak_kib
    return lines + [
        "",
        f"Aim: {AIM_TIMES_FASTER} times the threads' throughput in a fifth of their memory. Ours has {faster:.1f} times"
        f" ({met(faster >= AIM_TIMES_FASTER)}) in 1/{smaller:.1f} ({met(smaller >= AIM_TIMES_SMALLER)}).",
    ]


def title(function):
    return f"{function.removeprefix('python-')} in Python" if function.startswith("python-") else function


def kept(broken):
    return "All meet it." if not broken else f"Not met by {', '.join(sorted(broken))}."


def met(is_so):
    return "met" if is_so else "not met"


def spread(seconds):
    ninety_fifth = statistics.quantiles(seconds, n=20, method="inclusive")[-1]
    return f"{duration(statistics.median(seconds))} ({duration(ninety_fifth)})"


def middle(values, unit="{:,.0f}".format):
    low, median, high = statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else values * 3
    return f"{unit(median)} ({unit(low)} to {unit(high)})"


def resident(memory):
    return f"{mebibytes(memory['resident_kib'])} ({mebibytes(memory['peak_kib'])})"


def duration(seconds):
    if seconds >= 0.5:
        return f"{seconds:.2f} s"
    return f"{seconds * 1e3:.1f} ms" if seconds >= 0.001 else f"{seconds * 1e6:.0f} µs"


def mebibytes(kib):
    return f"{kib / 1024:.1f} MiB"


def processor():
    with open("/proc/cpuinfo") as lines:
        names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else "an unnamed processor"
