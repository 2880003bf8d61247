"""The rows of the table: what is measured, on which net, and the goal."""

import dataclasses
import statistics

from measurements import has_amx


@dataclasses.dataclass(frozen=True)
class Result:
    name: str
    goal: float
    unit: str = "ms"
    #: "skipped" with the reason, in place of everything below.
    skipped: str | None = None
    memory_format: str = ""
    #: One value a round; of memory one value.
    pytorch: tuple = ()
    diffprune: tuple = ()
    ratios: tuple = ()
    #: Cores that other processes kept busy meanwhile, on average; None for memory, which does not depend on it.
    others: float | None = None
    details: dict = dataclasses.field(default_factory=dict)

    @property
    def ratio(self):
        return None if self.skipped else statistics.median(self.ratios)

    def cells(self):
        goal = f"≥ {self.goal:.2f}"
        if self.skipped:
            return (self.name, "", "", "", "", goal, "", f"skipped: {self.skipped}")
        spread = f" ({min(self.ratios):.2f} – {max(self.ratios):.2f})" if len(self.ratios) > 1 else ""
        verdict = "met" if self.ratio >= self.goal else "BELOW"
        return (
            self.name,
            self.times(self.pytorch),
            self.memory_format,
            self.times(self.diffprune),
            f"{self.ratio:.2f}{spread}",
            goal,
            "" if self.others is None else f"{self.others:.2f}",
            verdict,
        )

    def times(self, values):
        if len(values) == 1:
            return f"{values[0]:.1f} {self.unit}"
        return "/".join(f"{f(values):.4g}" for f in (min, statistics.median, max)) + f" {self.unit}"

    def json(self):
        if self.skipped:
            return {"row": self.name, "goal": self.goal, "skipped": self.skipped}
        return {
            "row": self.name,
            "goal": self.goal,
            "ratio": self.ratio,
            "ratio_min": min(self.ratios),
            "ratio_max": max(self.ratios),
            "met": self.ratio >= self.goal,
            "others": self.others,
            "unit": self.unit,
            "memory_format": self.memory_format,
            "pytorch": list(self.pytorch),
            "diffprune": list(self.diffprune),
        } | self.details


@dataclasses.dataclass(frozen=True)
class Row:
    work: str
    net: str
    batch: int
    goal: float

    @property
    def name(self):
        return f"{self.work} {self.net} batch {self.batch}"

    def measure(self, comparison):
        if self.work == "memory":
            return Result(self.name, self.goal, "MiB", **comparison.memory(self.batch))
        if self.work == "bf16-sampling":
            if not has_amx():
                return Result(self.name, self.goal, skipped="the processor has no AMX")
            return Result(self.name, self.goal, **comparison.times("forward", self.batch, is_bf16=True))
        return Result(self.name, self.goal, **comparison.times(self.work, self.batch))


#: "Ours at most 0.6 of PyTorch's", the other way round.
MEMORY_GOAL = 1 / 0.6

ROWS = [
    Row("forward", "fashion-unet", 16, 2.2),
    Row("forward", "unet-32-64-64", 16, 2.2),
    Row("forward", "fashion-unet", 1, 4),
    Row("forward", "unet-32-64-64", 1, 4),
    Row("forward", "unet-64-128", 16, 2),
    Row("forward", "ddpm-cifar10-32", 4, 2),
    Row("forward", "ddpm-cifar10-32", 1, 2),
    Row("training", "fashion-unet", 16, 1.7),
    Row("training", "unet-32-64-64", 16, 1.7),
    Row("training", "fashion-unet", 1, 3),
    Row("training", "unet-32-64-64", 1, 3),
    Row("training", "unet-64-128", 16, 1.7),
    Row("training", "ddpm-cifar10-32", 4, 1.7),
    Row("training", "ddpm-cifar10-32", 1, 1.7),
    Row("memory", "fashion-unet", 16, MEMORY_GOAL),
    Row("memory", "unet-32-64-64", 16, MEMORY_GOAL),
    Row("memory", "unet-64-128", 16, MEMORY_GOAL),
    Row("memory", "ddpm-cifar10-32", 4, MEMORY_GOAL),
    Row("bf16-sampling", "ddpm-cifar10-32", 4, 1.5),
    Row("hvp", "fashion-unet", 16, 1.5),
    Row("hvp", "unet-32-64-64", 16, 1.5),
    Row("hvp", "unet-64-128", 16, 1.5),
    Row("hvp", "ddpm-cifar10-32", 4, 1.5),
]
