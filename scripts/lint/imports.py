#!/usr/bin/env python3
"""Checks that each target declares in Package.swift what its files import, no more and no less, and that each imports
only what stands above it there.

A product of a package is taken to be named like its module. Programs are declared to be built before tests run them.
"""

import sys

from manifest import declared, imports


def problems(targets):
    above = set()
    kinds = {target.name: target.kind for target in targets}
    for target in targets:
        found = imports(target, targets)
        for name, place in sorted(found.items()):
            if name not in target.dependencies:
                yield f"{place}: {target.name} imports {name}, which Package.swift does not declare for it"
        for name in target.dependencies:
            if name not in found and kinds.get(name) != "executable":
                yield f"Package.swift: {target.name} declares {name}, which none of its files imports"
            if name in kinds and name not in above:
                yield f"Package.swift: {target.name} depends on {name}, which does not stand above it"
        above.add(target.name)


def main():
    found = list(problems(declared()))
    print(*found, sep="\n", end="\n" if found else "", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
