"""The targets that Package.swift declares and the modules that their files import."""

import dataclasses
import functools
import json
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]

# What comes with Swift needs no declaration.
TOOLCHAIN = {
    *("Swift", "Dispatch", "Distributed", "Observation", "RegexBuilder", "Synchronization", "Testing", "XCTest"),
    *("Foundation", "FoundationEssentials", "FoundationInternationalization", "FoundationNetworking", "FoundationXML"),
    *("Android", "Darwin", "Glibc", "Musl", "WASILibc", "WinSDK"),
}

SWIFT_IMPORT = re.compile(
    r"^\s*(?:@\w+(?:\([^)]*\))?\s+)*(?:(?:public|package|internal|fileprivate|private)\s+)?import\s+"
    r"(?:(?:typealias|struct|class|enum|protocol|let|var|func)\s+)?(\w+)"
)
C_INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]')
# Of the C library, whoever includes them: what a shim needs before the header it is there for.
C_STANDARD = {"stddef.h", "stdio.h"}
C_SUFFIXES = {".c", ".h", ".cc", ".cpp", ".hpp", ".m"}


@dataclasses.dataclass(frozen=True)
class Target:
    name: str
    kind: str
    folder: pathlib.Path
    dependencies: tuple[str, ...]

    @functools.cached_property
    def files(self):
        """Sources in a fixed order; what lies in a DocC catalogue is text."""
        found = (path for path in self.folder.rglob("*") if path.suffix in {".swift", *C_SUFFIXES})
        return sorted(path for path in found if not any(part.endswith(".docc") for part in path.parts))

    @functools.cached_property
    def headers(self):
        """Names by which other targets include what this one offers; a system library's shim stands for its header."""
        if self.kind != "system":
            public = self.folder / "include"
            return {str(path.relative_to(public)) for path in public.rglob("*.h")} if public.is_dir() else set()
        own = [path for path in self.files if path.suffix == ".h"]
        offered = {name for path in own for _, name in matches(C_INCLUDE, path)} - C_STANDARD
        return {path.name for path in own} | offered


def matches(pattern, path):
    """(line number, name) of each match outside multi-line strings, in which tests may quote code."""
    is_code = True
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        found = pattern.match(line) if is_code else None
        if found:
            yield number, found[1]
        is_code ^= line.count('"""') % 2 == 1


def declared():
    """Targets in the order of Package.swift."""
    # A build folder of its own: a build under way holds the lock of the usual one.
    command = ["swift", "package", "--scratch-path", ".build-lint/manifest", "dump-package"]
    answer = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE)
    return [read(target) for target in json.loads(answer.stdout)["targets"]]


def read(target):
    usual = pathlib.Path("Tests" if target["type"] == "test" else "Sources") / target["name"]
    kinds = ("byName", "target", "product")
    names = (entry[kind][0] for entry in target["dependencies"] for kind in kinds if kind in entry)
    return Target(target["name"], target["type"], ROOT / (target.get("path") or usual), tuple(names))


def imports(target, targets):
    """{module: "file:line" of the first import} of what has to be declared."""
    providers = {header: other.name for other in targets if other.name != target.name for header in other.headers}
    result = {}
    for path in target.files:
        if path.suffix == ".swift":
            found = ((number, name) for number, name in matches(SWIFT_IMPORT, path) if name not in TOOLCHAIN)
        else:
            found = ((n, providers[header]) for n, header in matches(C_INCLUDE, path) if header in providers)
        for number, name in found:
            result.setdefault(name, f"{path.relative_to(ROOT)}:{number}")
    return {} if target.kind == "system" else result
