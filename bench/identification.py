"""`make bench`: what one login costs the broker beside the floor (`bench.floor`) and npm oidc-provider.

    python -m bench.identification [--short] [--logins N] [--repeats N] [--at-a-time N,N] [--bank-delay SECONDS,SECONDS]
                                   [--memory N] [--variant 'NAME=OPTIONS']... [--beside]

Variants are the broker again, with options of `bench.process` and `--python PATH`: then they alone are compared, with
the broker as it is, or with all the others `--beside` them. `--variant 'granian=--server granian --threads 16'`

All are measured in turn, in blocks, so that whatever else the machine does meets each of them; a ratio is that of two
neighbouring blocks. Printed of the ratios: the least and the median over the repeats. CPU is user's and system's, as
the kernel accounts it, of the process that is measured; not the store's, the bank's and the browser's. Times are of the
subject's requests in a login, with the bank's answer in them. docs/performance.md reads the table.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.proc import cpu_seconds, resident
from bench.subjects import BROKER, COUNTS, FLOOR, NPM_MISSING, PROFILED, Bench, Subject
from bench.walking import Load
from demo.runner.processes import PYTHON, Processes, end_by_signal

LEAST_SHARE = 0.02
"""Packages under this share of the CPU are not printed."""


@dataclass(frozen=True)
class Block:
    """What so many logins took. Milliseconds, but for `per_second`."""

    cpu: float
    p50: float
    p99: float
    per_second: float
    failed: int


def block(subject: Subject, load: Load, logins: int) -> Block | None:
    """So many logins, measured; None if nobody was identified."""
    before = cpu_seconds(subject.pid)
    each, seconds = load.logins(subject.client, logins)
    if not each:
        return None
    cpu = (cpu_seconds(subject.pid) - before) * 1000 / len(each)
    last = min(len(each) - 1, int(len(each) * 0.99))
    return Block(cpu, each[len(each) // 2] * 1000, each[last] * 1000, len(each) / seconds, logins - len(each))


def compare(subjects: Sequence[Subject], load: Load, logins: int, repeats: int) -> dict[str, list[Block]]:
    """Blocks of each subject in turn, after one of each to warm up; every second turn is the other way round.

    A turn in which one identified nobody is left out: a bank that cannot follow is taken for one that is down.
    """
    blocks: dict[str, list[Block]] = {subject.name: [] for subject in subjects}
    for turn in range(repeats + 1):
        found = {
            subject.name: block(subject, load, logins) for subject in (subjects if turn % 2 else reversed(subjects))
        }
        whole = {name: one for name, one in found.items() if one is not None}
        if len(whole) < len(found):
            print(f"  left out, nobody was identified: {', '.join(found.keys() - whole.keys())}", flush=True)
        elif turn:
            for name, one in whole.items():
                blocks[name].append(one)
    return blocks


def show(blocks: Mapping[str, Sequence[Block]], measure: str) -> None:
    """A line for each subject: its medians, and its ratios to what it is measured by."""
    for name, own in blocks.items():
        if not own:
            continue
        pairs = list(zip(own, blocks[measure], strict=True))
        cpu = [mine.cpu / base.cpu for mine, base in pairs]
        print(
            f"  {name:<20} CPU {median(b.cpu for b in own):6.2f} ms, x {min(cpu):5.2f} {median(cpu):5.2f}"
            f"   p50 {median(b.p50 for b in own):7.1f} ms   p99 {median(b.p99 for b in own):7.1f} ms,"
            f" x {median(mine.p99 / base.p99 for mine, base in pairs):5.2f}"
            f"   {median(b.per_second for b in own):6.1f}/s   not identified {sum(b.failed for b in own)}",
            flush=True,
        )


def show_counts(subjects: Sequence[Subject], logins: int) -> None:
    """What a login does, exactly: of each subject alone, in steady state."""
    print(f"\n  {'per login':<22}" + "".join(f"{name:>22}" for name in COUNTS))
    load = Load(4)
    for subject in subjects:
        load.logins(subject.client, 2 * load.at_a_time)
        before = subject.counts()
        load.logins(subject.client, logins)
        after = subject.counts()
        of_our_own = {"store commands": 1}  # the first INFO
        told = (
            f"{(after[name] - before[name] - of_our_own.get(name, 0)) / logins:22.2f}"
            if name in after
            else f"{'-':>22}"
            for name in COUNTS
        )
        print(f"  {subject.name:<22}" + "".join(told), flush=True)


def show_memory(subjects: Sequence[Subject], logins: int) -> None:
    """MiB before any login and after so many."""
    for subject in subjects:
        begun, load = resident(subject.pid), Load(16)
        load.logins(subject.client, logins)
        print(
            f"  {subject.name:<22} memory {begun:6.1f} MiB, after {logins} logins {resident(subject.pid):6.1f}",
            flush=True,
        )


def show_packages(bench: Bench, subjects: Sequence[Subject], logins: int) -> None:
    """Where CPU goes, by package; each subject's process gives way to one that is profiled."""
    for subject in reversed(subjects):  # the floor first: the bank asks the broker for our keys
        bench.processes.end(subject.name)
        out = bench.profile(subject.name)
        Load(1).logins(subject.client, logins)
        bench.processes.end(PROFILED)
        samples: dict[str, int] = json.loads(out.read_text())
        whole = sum(samples.values())
        shares = sorted(((count / whole, name) for name, count in samples.items()), reverse=True)
        told = ", ".join(f"{name} {share:.0%}" for share, name in shares if share >= LEAST_SHARE)
        print(f"\n  CPU of {subject.name}, {logins} logins one at a time: {told}", flush=True)


def numbers(text: str) -> list[float]:
    """Numbers between commas."""
    return [float(part) for part in text.split(",")]


def read_options() -> argparse.Namespace:
    """The command line; `--short` is for a look in less than a minute."""
    parser = argparse.ArgumentParser(description="what a login costs")
    parser.add_argument("--short", action="store_true", help="fewer of all, and no memory")
    parser.add_argument("--logins", type=int)
    parser.add_argument("--repeats", type=int)
    parser.add_argument("--at-a-time", type=numbers)
    parser.add_argument("--bank-delay", type=numbers, default=[0.0])
    parser.add_argument("--memory", type=int, help="logins after which memory is looked at")
    parser.add_argument(
        "--variant", action="append", default=[], help="NAME=OPTIONS of bench.process, and --python PATH"
    )
    parser.add_argument("--beside", action="store_true", help="variants are compared with the floor and npm, too")
    told = parser.parse_args()
    usual = (40, 3, [1.0, 16.0], 0) if told.short else (200, 5, [1.0, 16.0, 64.0], 5000)
    for name, value in zip(("logins", "repeats", "at_a_time", "memory"), usual, strict=True):
        if getattr(told, name) is None:
            setattr(told, name, value)
    return told


def started(bench: Bench, variants: Sequence[str], *, beside: bool) -> list[Subject]:
    """The subjects; the last is what the others are measured by. beside: variants do not stand alone."""
    broker = bench.start_broker()
    others = [start_variant(bench, *variant.split("=", 1)) for variant in variants]
    if variants and not beside:
        return [*others, broker]
    npm = bench.start_npm()
    if npm is None:
        print(NPM_MISSING)
    return [broker, *others, *([npm] if npm else []), bench.start_floor()]


def start_variant(bench: Bench, name: str, options: str) -> Subject:
    """The broker again."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--python", default=PYTHON)
    told, others = parser.parse_known_args(shlex.split(options))
    return bench.start_broker(name, others, told.python)


def compare_all(bench: Bench, subjects: Sequence[Subject], told: argparse.Namespace) -> None:
    """Every load with every bank."""
    for delay in told.bank_delay:
        bench.bank_answers_after(delay)
        late = f"the bank answers {delay * 1000:.0f} ms late"
        for at_a_time in map(int, told.at_a_time):
            logins = max(told.logins, 2 * at_a_time)
            print(f"\n{at_a_time} at a time, {told.repeats} x {logins} logins, {late}", flush=True)
            show(compare(subjects, Load(at_a_time), logins, told.repeats), subjects[-1].name)
    bench.bank_answers_after(0)


def main() -> int:
    """Print the tables."""
    told = read_options()
    end_by_signal()
    with (
        tempfile.TemporaryDirectory(prefix="tunnus-bench-", dir="/tmp") as folder,
        Processes(Path(folder)) as processes,
    ):
        bench = Bench(processes)
        subjects = started(bench, told.variant, beside=told.beside)
        if told.memory:
            show_memory(subjects, told.memory)
        compare_all(bench, subjects, told)
        if not told.variant:
            show_counts(subjects, told.logins)
            show_packages(bench, [subject for subject in subjects if subject.name in (BROKER, FLOOR)], told.logins * 2)
    return 0


if __name__ == "__main__":
    sys.exit(main())
