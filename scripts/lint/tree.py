#!/usr/bin/env python3
"""Checks that the maps in README.md ("The tree") and docs/ARCHITECTURE.md ("Targets and arrows") say what Package.swift
says of the targets under Sources/, each below all that it imports.

README.md draws one target a line below `Sources/`, in two spaces of indentation:

      Name   what it is about   → A, B

An arrow that follows from the others is left out: with A → B, whoever has → A has no → B. Without an arrow nothing is
imported. A line that ends with a comma goes on in the next one, indented further. Targets that import nothing may share
a line. docs/ARCHITECTURE.md has a table whose first two columns are target and imports, there all of them.
"""

import itertools
import re
import sys

from manifest import ROOT, declared


def section(document, heading):
    """(line number, line) below a heading of the second level, up to the next one."""
    lines = enumerate((ROOT / document).read_text(encoding="utf-8").splitlines(), 1)
    inside = itertools.dropwhile(lambda line: line[1] != f"## {heading}", lines)
    next(inside, None)
    return itertools.takewhile(lambda line: not line[1].startswith("## "), inside)


def split(names):
    return [name for name in re.split(r"[,\s]+", names) if name]


def drawn_in_readme(document, names):
    """(line number, target, imports) of each entry."""
    lines = itertools.dropwhile(lambda line: line[1] != "Sources/", section(document, "The tree"))
    next(lines, None)
    for number, line in lines:
        if not line.startswith("  "):
            return
        while line.endswith(","):
            line += next(lines)[1]
        text, _, arrows = line.partition("→")
        first, *others = text.split()
        for name in [first, *itertools.takewhile(names.__contains__, others)]:
            yield number, name, split(arrows)


def drawn_in_architecture(document, _):
    for number, line in section(document, "Targets and arrows"):
        cells = line.split("|")
        if len(cells) > 3 and cells[1].strip() != "target" and set(cells[1]) != {"-"}:
            for name in split(cells[1]):
                yield number, name, split(cells[2])


def all_imports(targets):
    return {target.name: list(target.dependencies) for target in targets}


def direct_imports(targets):
    """Without those to which others that a target imports lead anyway."""
    reach, result = {}, {}
    for name, imports in all_imports(targets).items():
        beyond = set().union(*(reach.get(other, set()) for other in imports))
        reach[name] = beyond.union(imports)
        result[name] = [other for other in imports if other not in beyond]
    return result


def problems(document, entries, expected):
    above = set()
    for number, name, imports in entries:
        place = f"{document}:{number}"
        if name not in expected:
            yield f"{place}: '{name}' is no target under Sources/"
            continue
        if set(imports) != set(expected[name]):
            wanted = ", ".join(expected[name]) or "nothing"
            yield f"{place}: {name} is drawn to import {', '.join(imports) or 'nothing'}, expected {wanted}"
        for other in expected[name]:
            if other in expected and other not in above:
                yield f"{place}: {name} imports {other}, which does not stand above it"
        above.add(name)
    for name in expected.keys() - above:
        yield f"{document}: {name} is missing"


def main():
    targets = [target for target in declared() if target.folder.is_relative_to(ROOT / "Sources")]
    found = []
    for document, drawn, expected in (
        ("README.md", drawn_in_readme, direct_imports(targets)),
        ("docs/ARCHITECTURE.md", drawn_in_architecture, all_imports(targets)),
    ):
        found += problems(document, drawn(document, expected.keys()), expected)
    print(*found, sep="\n", end="\n" if found else "", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
