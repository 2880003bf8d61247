"""Takes turns between PyTorch in this process and diffprune in a child."""

import gc
import json
import os
import resource
import statistics
import subprocess
import sys
import time

import torch
from safetensors.torch import load_file, save_file

from pytorch_side import FORMATS, Works

#: Seconds that both pools get to fall asleep before a turn: OpenMP's spins for milliseconds, diffprune's for 50 µs.
SETTLING = 0.01
#: Seconds that the timed runs of a turn take together, at most 20 of them.
TURN = 0.05
#: Cores that other processes may keep busy during a round, on average, for it to count as undisturbed.
DISTURBANCE = 0.15
#: Of the output's standard deviation.
TOLERANCE = 1e-4


class Disagreement(Exception):
    """The programs do not do the same, or one of them does nothing."""


def has_amx():
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            return "amx_bf16" in file.read()
    except OSError:
        return False


def run(command):
    """What a command printed; `Disagreement` with its complaint where it failed."""
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise Disagreement(f"{os.path.basename(command[0])} ended with {result.returncode}: {result.stderr.strip()}")
    return result.stdout


class Server:
    """diffprune waiting for requests."""

    def __init__(self, binary, folder, threads):
        command = [binary, "bench", "--serve", "--model", folder, "--threads", str(threads), "--quiet"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def milliseconds(self, work, batch, repeats):
        request = {"work": work, "batch": batch, "repeats": repeats}
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
            answer = self.process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            raise Disagreement(f"diffprune ended with {self.process.wait()} when asked for {request}")
        return json.loads(answer)["milliseconds"]

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Turns:
    """One side of a row: how to time some runs, and how many there are to a turn."""

    def __init__(self, time_runs):
        self.time_runs = time_runs
        time_runs(2)
        once = time_runs(1)[0] / 1000
        self.repeats = max(1, min(20, round(TURN / once)))

    def milliseconds(self):
        time.sleep(SETTLING)
        return statistics.median(self.time_runs(1 + self.repeats)[1:])


def timed_runs(work):
    def time_runs(count):
        times = []
        for _ in range(count):
            start = time.perf_counter()
            work()
            times.append((time.perf_counter() - start) * 1000)
        return times

    return time_runs


class OtherProcesses:
    """Processor time that neither program took."""

    def __init__(self, *servers):
        self.servers = servers
        self.tick = 1 / os.sysconf("SC_CLK_TCK")
        self.restart()

    def wait(self, patience):
        """Waits for others to leave the processor, `patience` seconds at most; the seconds that it took."""
        start = time.perf_counter()
        while time.perf_counter() - start < patience:
            self.restart()
            time.sleep(0.1)
            if self.cores() <= DISTURBANCE:
                break
        return time.perf_counter() - start

    def restart(self):
        self.start = (time.perf_counter(), self.busy())

    def cores(self):
        """Cores that others kept busy since the start, on average; 0 where the system does not tell."""
        seconds = time.perf_counter() - self.start[0]
        return max(0.0, self.busy() - self.start[1]) / seconds

    def busy(self):
        try:
            with open("/proc/stat", encoding="utf-8") as file:
                # user nice system idle iowait irq softirq steal
                ticks = [int(text) for text in file.readline().split()[1:9]]
            own = sum(self.ticks(server.pid) for server in self.servers)
        except OSError:
            return 0.0
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return (sum(ticks) - ticks[3] - ticks[4] - own) * self.tick - usage.ru_utime - usage.ru_stime

    @staticmethod
    def ticks(process):
        with open(f"/proc/{process}/stat", encoding="utf-8") as file:
            return sum(int(text) for text in file.read().rpartition(")")[2].split()[11:13])


class Comparison:
    """One net in both programs."""

    def __init__(self, net, binary, scratch, threads, rounds, patience):
        self.binary, self.threads, self.rounds, self.patience = binary, threads, rounds, patience
        self.folder = net.folder(scratch)
        self.scratch = scratch
        self.server = None

    def __enter__(self):
        self.check_outputs()
        self.server = Server(self.binary, self.folder, self.threads)
        return self

    def __exit__(self, *_):
        self.server.close()

    def check_outputs(self):
        """Both predict the same noise from the same input."""
        works = Works(self.folder, 4, "contiguous")
        source, target = (os.path.join(self.scratch, name) for name in ("input.safetensors", "output.safetensors"))
        save_file({"sample": works.sample, "timestep": works.timestep}, source)
        run([self.binary, "predict", "--model", self.folder, "--input", source, "--output", target, "--quiet"])
        ours = load_file(target)["prediction"]
        with torch.inference_mode():
            theirs = works.model(works.sample, works.timestep).sample
        error = ((ours - theirs).abs().max() / theirs.std()).item()
        # "Not at most", so that a NaN is an error too.
        if not error <= TOLERANCE:
            allowed = f"at most {TOLERANCE:.0e}"
            raise Disagreement(f"predictions differ by {error:.1e} of their standard deviation, {allowed}")

    def times(self, work, batch, is_bf16=False):
        """Milliseconds of both, round by round, PyTorch in its faster memory format."""
        sides = {"diffprune": Turns(lambda count: self.server.milliseconds(work, batch, count))}
        for name in FORMATS:
            calls = Works(self.folder, batch, name).prepare("bf16" if is_bf16 else work)
            sides[name] = Turns(timed_runs(calls))
        others = OtherProcesses(self.server.process)
        rounds = []
        patience = self.patience
        while len(rounds) < 3 * self.rounds and sum(r["others"] <= DISTURBANCE for r in rounds) < self.rounds:
            order = list(sides) if len(rounds) % 2 == 0 else list(reversed(sides))
            patience -= others.wait(patience)
            others.restart()
            result = {name: sides[name].milliseconds() for name in order}
            rounds.append(result | {"others": others.cores()})
            if len(rounds) == 3:
                medians = {name: statistics.median(r[name] for r in rounds) for name in sides if name in FORMATS}
                for name, median in medians.items():
                    if median > 1.1 * min(medians.values()):
                        del sides[name]
        del calls
        names = [name for name in FORMATS if name in sides]
        sides.clear()
        gc.collect()
        kept = sorted(sorted(rounds, key=lambda r: r["others"])[: self.rounds], key=rounds.index)
        name = min(names, key=lambda name: statistics.median(r[name] for r in kept))
        return {
            "memory_format": name,
            "pytorch": tuple(r[name] for r in kept),
            "diffprune": tuple(r["diffprune"] for r in kept),
            "ratios": tuple(r[name] / r["diffprune"] for r in kept),
            "others": statistics.mean(r["others"] for r in kept),
        }

    def memory(self, batch):
        """Peak resident MiB of a few training steps, each in a process of its own; PyTorch in its smaller format."""
        ours = self.resident(
            [self.binary, "bench", "--model", self.folder, "--work", "training", "--batch", str(batch), "--runs", "1"]
            + ["--threads", str(self.threads), "--quiet", "--json"]
        )[0]
        side = os.path.join(os.path.dirname(os.path.abspath(__file__)), "pytorch_side.py")
        theirs, imports = {}, {}
        for name in FORMATS:
            command = [sys.executable, side, self.folder, str(batch), name, str(self.threads)]
            theirs[name], output = self.resident(command)
            imports[name] = int(output.split()[0])
        name = min(theirs, key=theirs.get)
        mebibytes = 1 << 20
        return {
            "memory_format": name,
            "pytorch": (theirs[name] / mebibytes,),
            "diffprune": (ours / mebibytes,),
            "ratios": (theirs[name] / ours,),
            "details": {"pytorch_after_imports": imports[name] / mebibytes},
        }

    @staticmethod
    def resident(command):
        """ru_maxrss of a command in bytes, and what it printed."""
        # A child's ru_maxrss starts from its parent's size, so a small process of its own starts the command.
        launcher = (
            "import resource, subprocess, sys\n"
            "result = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE, text=True)\n"
            "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024)\n"
            "print(result.stdout)\n"
            "sys.exit(result.returncode)\n"
        )
        size, _, output = run([sys.executable, "-S", "-c", launcher] + command).partition("\n")
        return int(size), output
