"""Times diffprune beside PyTorch on the same nets with the same weights, and holds the ratios against their goals.

    python compare_with_pytorch.py --diffprune .build/release/diffprune [--json FILE] [--only PATTERN …] [--quick]

Needs torch (CPU) and diffusers: Tests/Fixtures/requirements.txt. Nets are the bundled model and, with seeded random
weights, three of diffusers' U-Nets (`nets.py`). Both programs first predict the same noise from the same input: outputs
may differ by 1e-4 of their standard deviation at most.

How a row is measured: diffprune runs as `bench --serve` and waits for requests; PyTorch runs here. They take turns, on
as many threads each, never at the same time: before a turn both pools have had ten milliseconds to fall asleep. A turn
is one untimed run and as many timed ones as fit into a twentieth of a second, of which the median counts. PyTorch is
tried in both of its memory formats, contiguous and channels_last; after three rounds a format that is a tenth slower is
dropped, at the end the one with the smaller median counts. Ratios (PyTorch ÷ diffprune, higher is better) are taken
within rounds before their median is. A round during which other processes kept more than 0.15 cores busy is measured
again, until three times as many were made as asked for; the least disturbed ones count, and the column "others" says
how many cores were taken from them on average. Before each round the processor has to be as quiet, for which each row
waits up to --patience seconds in all.

A training step is forward, mean squared error, backward, clipping of the gradient norm and Adam, fused on both sides,
without a moving average. Memory is the peak resident memory (ru_maxrss) of a process of its own that makes a few
training steps. A Hessian–vector product includes its gradient; PyTorch differentiates twice. On processors with AMX one
row holds PyTorch's bf16 autocast against diffprune's single precision, which is all it has.

The last line names the row furthest below its goal. Exit status: 0 every goal met, 1 some missed, 2 wrong usage or
programs that disagree.
"""

import argparse
import fnmatch
import json
import platform
import sys
import tempfile

import diffusers
import torch

from measurements import Comparison, Disagreement
from nets import NETS
from rows import ROWS


def machine():
    """The processor's name, its cores and instruction sets that matter here."""
    name, flags = platform.machine(), set()
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            for line in file:
                key, _, value = line.partition(":")
                if key.strip() == "model name":
                    name = value.strip()
                elif key.strip() == "flags":
                    flags = set(value.split())
    except OSError:
        pass
    wanted = ["avx2", "fma", "avx512f", "avx512_bf16", "amx_bf16"]
    return {"processor": name, "cores": torch.get_num_threads(), "features": [flag for flag in wanted if flag in flags]}


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--diffprune", required=True, metavar="BINARY", help="the built program")
    parser.add_argument("--json", metavar="FILE", help="write everything measured to a file")
    parser.add_argument("--markdown", action="store_true", help="print the table as Markdown")
    parser.add_argument("--only", nargs="+", metavar="PATTERN", help="rows to measure: parts of names, or with * and ?")
    parser.add_argument("--runs", type=int, help="rounds of each row (default: 15; with --quick 3)")
    parser.add_argument("--quick", action="store_true", help="few rounds: a first look, not a result")
    parser.add_argument(
        "--patience",
        type=float,
        default=60,
        help="seconds that each row may wait for other processes to leave the processor (default: 60)",
    )
    parser.add_argument("--threads", type=int, default=2, help="threads of each program (default: 2)")
    arguments = parser.parse_args()
    if arguments.runs is None:
        arguments.runs = 3 if arguments.quick else 15
    for name in ("runs", "threads"):
        if getattr(arguments, name) < 1:
            parser.error(f"--{name} is {getattr(arguments, name)}, expected at least 1")
    arguments.rows = [row for row in ROWS if chosen(row.name, arguments.only)]
    if not arguments.rows:
        parser.error("no row matches --only; the rows are:\n  " + "\n  ".join(row.name for row in ROWS))
    return arguments


def chosen(name, patterns):
    """Whether one of the patterns is the name, is a part of it (where it is no row's whole name), or matches it."""
    names = {row.name for row in ROWS}
    return not patterns or any(
        pattern == name or (pattern not in names and pattern in name) or fnmatch.fnmatch(name, pattern)
        for pattern in patterns
    )


TIMES = ("PyTorch min/median/max", "format", "diffprune min/median/max")
HEADER = ("row", *TIMES, "ratio (min – max)", "goal", "others", "")


def print_table(results, is_markdown):
    lines = [HEADER] + [result.cells() for result in results]
    if is_markdown:
        lines.insert(1, ("---",) * len(HEADER))
        print("\n".join("| " + " | ".join(line) + " |" for line in lines))
        return
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADER))]
    for index, line in enumerate(lines):
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
        if index == 0:
            print("-" * (sum(widths) + 2 * len(widths) - 2))


def verdict(results):
    """The last line, and whether every goal is met."""
    measured = [result for result in results if result.ratio is not None]
    if not measured:
        return "nothing was measured", True
    worst = min(measured, key=lambda result: result.ratio / result.goal)
    place = f"{worst.name}: {worst.ratio:.2f} of {worst.goal:.2f} ({worst.ratio / worst.goal:.0%})"
    if worst.ratio < worst.goal:
        return f"furthest below its goal: {place}", False
    return f"every goal is met; the closest to its goal: {place}", True


def main():
    arguments = parse_arguments()
    torch.set_num_threads(arguments.threads)
    about = machine() | {
        "torch": torch.__version__,
        "diffusers": diffusers.__version__,
        "python": platform.python_version(),
        "threads": arguments.threads,
        "rounds": arguments.runs,
    }
    print(", ".join(f"{key} {value}" for key, value in about.items()))
    results = []
    with tempfile.TemporaryDirectory(prefix="diffprune-bench-") as folder:
        # Net by net, so that one server and one model are alive at a time; the table keeps the goals' order.
        for net in NETS:
            rows = [row for row in arguments.rows if row.net == net.name]
            if not rows:
                continue
            try:
                with Comparison(
                    net, arguments.diffprune, folder, arguments.threads, arguments.runs, arguments.patience
                ) as comparison:
                    for row in rows:
                        print(f"{row.name} …", file=sys.stderr, flush=True)
                        results.append(row.measure(comparison))
            except (Disagreement, OSError) as error:
                print(f"error: {net.name}: {error}", file=sys.stderr)
                return 2
    order = [row.name for row in ROWS]
    results.sort(key=lambda result: order.index(result.name))
    print_table(results, arguments.markdown)
    line, is_met = verdict(results)
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump({"machine": about, "rows": [result.json() for result in results]}, file, indent=2)
            file.write("\n")
    print(line)
    return 0 if is_met else 1


if __name__ == "__main__":
    sys.exit(main())
