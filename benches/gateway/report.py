"""The results as Markdown."""

import datetime
import os
import platform
import statistics

# Aims for our gateway.
AIM_P50 = 0.0005
AIM_TIMES_PEER = 3
AIM_IDLE_KIB = 200 * 1024
AIM_START = 0.1
OURS, PEER, ECHO = "stackgen dev", "serverless-offline --useInProcess", "tokio-tungstenite echo"
AIM_SHARE, AIM_CONNECTION_KIB = 0.75, 8


def markdown(subjects, measured, alone, versions):
    rounds = len(next(iter(measured.values())))
    return "\n".join([
        "# The local gateway and its peers",
        "",
        "Written by `benches/gateway/run`. Run it again for the figures of your machine.",
        "",
        f"{datetime.date.today():%Y-%m-%d}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}; {', '.join(versions)}.",
        "",
        f"Medians of {rounds} rounds, in each of which every gateway is started, measured and stopped, with the lowest and the"
        " highest round in brackets. One client in Rust measures all of them, over loopback on the same machine. The first row"
        " is that client with an echo without gateway and function: the limit of the method. All gateways serve the same API: an"
        " authorizer on `$connect`, and a `$default` route whose function returns a message of 64 bytes. Functions run as each"
        " tool runs them: " + "; ".join(f"{subject.name}: {subject.note}" for subject in subjects)
        + ".",
        "",
        *round_trips(subjects, measured), *functions_alone(alone), *where_the_time_goes(measured, alone), *others(subjects, measured), *aims(measured, alone),
    ]) + "\n"


def round_trips(subjects, measured):
    lines = [
        "## Messages", "",
        "Round trips of one connection, one message after the other (1,000 per round, 200 with ministack); and messages per"
        " second of 20 connections with 20 messages each in flight.", "",
        "| | p50 | p99 | messages/s | in order |", "|---|---:|---:|---:|---|",
    ]
    for subject in subjects:
        rounds = measured[subject.name]
        order = answers([figures["pipelined"] for figures in rounds if figures["pipelined"]])
        lines.append(f"| {subject.name} | {middle(rounds, 'sequence', 'p50')} | {middle(rounds, 'sequence', 'p99')} |"
                     f" {middle(rounds, 'pipelined', 'per_second', '{:,.0f}'.format)} | {order} |")
    return [*lines, ""]


def functions_alone(alone):
    return [
        "Ten processes of our function alone, with a Runtime API that repeatedly hands out the same event, reach"
        f" {spread(alone, '{:,.0f}'.format)} invocations per second on this machine. No gateway whose functions are processes can"
        " be faster. A function in the gateway's own thread needs no switch to another process.", "",
    ]


def where_the_time_goes(measured, alone):
    """Compares the gateway with one that takes no time: the client, the functions and a Runtime API share the processors with it."""
    if not {OURS, ECHO} <= set(measured):
        return []
    cores, limit = os.cpu_count(), statistics.median(alone)
    rate = median(measured[OURS], "pipelined", "per_second")
    user, kernel = (median(measured[OURS], "processor", name) for name in ("user", "kernel"))
    function, client = cores / limit, cores / median(measured[ECHO], "pipelined", "per_second")
    most = cores / (function + client)
    return [
        "### Where the time goes", "",
        f"The {cores} processors have {duration(cores / rate)} for a message through `stackgen dev`, which takes {duration(user + kernel)} of them:"
        f" {duration(user)} in user mode and {duration(kernel)} in the kernel. The kernel's part is mostly three writes and three reads of sockets"
        " and the processes that they wake: the client's message, the event to the function, its answer and the request for the next event,"
        " and the frame to the client.",
        "",
        f"A function with its Runtime API alone takes {duration(function)}, and the client with an echo {duration(client)}. A gateway that"
        f" took no time beyond that would reach {most:,.0f} messages/s, {most / limit:.0%} of the functions' limit. `stackgen dev` reaches"
        f" {rate / limit:.0%} of the limit, and {rate / most:.0%} of what that leaves.",
        "",
    ]


def answers(rounds):
    """Describes the order of the answers on a connection."""
    if not rounds or any(figures["reordered"] is None for figures in rounds):
        return "not all answered within 20 s"
    errors = sum(figures["errors"] for figures in rounds)
    order = "no" if any(figures["reordered"] for figures in rounds) else "yes"
    return f"{order}, and {errors:,} error frames" if errors else order


def others(subjects, measured):
    lines = [
        "## Connections and start", "",
        "Connect, authorize, run `$connect` and close, one after the other. Memory is the total of all processes of the"
        " gateway (proportional set size): before, with the connections open, and the difference per connection. Start is the"
        " time from spawning the process until the API accepts connections. ministack's API is created through its control"
        " plane afterwards, which does not count.", "",
        "| | connect p50 | connect p99 | idle connections | memory before | with them | per connection | start |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for subject in subjects:
        rounds = measured[subject.name]
        idles = [figures["idle"] for figures in rounds if figures["idle"]]
        if idles:
            before, after = (statistics.median(idle[key] for idle in idles) for key in ("before_kib", "with_kib"))
            count = idles[0]["count"]
            memory = f"{count:,} | {mebibytes(before)} | {mebibytes(after)} | {(after - before) / count:.1f} KiB"
        else:
            memory = "failed | | | "
        lines.append(f"| {subject.name} | {middle(rounds, 'connects', 'p50')} | {middle(rounds, 'connects', 'p99')} | {memory} |"
                     f" {spread([figures['start'] for figures in rounds], duration)} |")
    return [*lines, ""]


def aims(measured, alone):
    if not {OURS, PEER} <= set(measured):
        return []

    ours = measured[OURS]
    rate, memory = median(ours, "pipelined", "per_second"), median(ours, "idle", "with_kib")
    p50 = median(ours, "sequence", "p50")
    times = rate / median(measured[PEER], "pipelined", "per_second")
    connection = (memory - median(ours, "idle", "before_kib")) / median(ours, "idle", "count")
    share = rate / statistics.median(alone)
    start = statistics.median(figures["start"] for figures in ours)
    return [
        "## Aims", "",
        f"- p50 under {duration(AIM_P50)}: {duration(p50)}, {met(p50 < AIM_P50)}.",
        f"- {AIM_TIMES_PEER} times the throughput of {PEER}: {times:.1f} times, {met(times >= AIM_TIMES_PEER)}.",
        f"- {AIM_SHARE:.0%} of the messages that functions alone reach: {share:.0%}, {met(share >= AIM_SHARE)}.",
        f"- {AIM_CONNECTION_KIB} KiB per idle connection: {connection:.1f} KiB, {met(connection <= AIM_CONNECTION_KIB)}.",
        f"- 10,000 idle connections in {mebibytes(AIM_IDLE_KIB)}: {mebibytes(memory)}, {met(memory <= AIM_IDLE_KIB)}.",
        f"- Ready within {duration(AIM_START)} of start: {duration(start)}, {met(start <= AIM_START)}.",
    ]


def median(rounds, what, key):
    return statistics.median(figures[what][key] for figures in rounds if figures[what])


def middle(rounds, what, key, unit=None):
    return spread([figures[what][key] for figures in rounds if figures[what]], unit or duration)


def spread(values, unit):
    if not values:
        return "failed"
    return f"{unit(statistics.median(values))} ({unit(min(values))} to {unit(max(values))})"


def met(is_so):
    return "met" if is_so else "not met"


def duration(seconds):
    if seconds >= 0.5:
        return f"{seconds:.2f} s"
    return f"{seconds * 1e3:.2f} ms" if seconds >= 0.001 else f"{seconds * 1e6:.0f} µs"


def mebibytes(kib):
    return f"{kib / 1024:.1f} MiB"
