#!/usr/bin/env bash
# Installs the system libraries that the build needs, where they are missing: OpenBLAS, libpng and zlib with their
# headers, and pkg-config. On Debian and Ubuntu by apt-get; elsewhere it says what to install. Asks nothing.
set -euo pipefail

say() { printf 'setup: %s\n' "$*" >&2; }

# Names of the Debian packages that are missing, one a line.
missing_packages() {
    if ! command -v pkg-config >/dev/null 2>&1; then
        # Without it nothing can be asked about the others, and installing what is there already does no harm.
        printf '%s\n' pkg-config libopenblas-dev libpng-dev zlib1g-dev
        return
    fi
    pkg-config --exists openblas || echo libopenblas-dev
    pkg-config --exists libpng || echo libpng-dev
    pkg-config --exists zlib || echo zlib1g-dev
}

if ! command -v swift >/dev/null 2>&1; then
    say "error: there is no 'swift' in PATH; install Swift 6.1 or later from https://www.swift.org/install"
    exit 1
fi

mapfile -t missing < <(missing_packages)
[ "${#missing[@]}" -gt 0 ] || exit 0

by_hand() {
    say "error: missing: ${missing[*]}"
    say "$1"
    say "install them (on Debian or Ubuntu: apt-get install ${missing[*]};"
    say "elsewhere OpenBLAS, libpng, zlib with their headers, and pkg-config) and run this again"
    exit 1
}

command -v apt-get >/dev/null 2>&1 || by_hand "there is no apt-get here to install them with"
if [ "$(id -u)" -eq 0 ]; then
    as_root=(env)
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
    as_root=(sudo)
else
    by_hand "installing them needs root, and sudo is missing or would ask for a password"
fi

install_missing() {
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}" >&2
}

say "installing ${missing[*]}"
# Package lists are refreshed only when the ones at hand do not do.
if ! install_missing; then
    say "refreshing the package lists"
    "${as_root[@]}" apt-get update >&2 || by_hand "'apt-get update' failed"
    install_missing || by_hand "'apt-get install' failed"
fi

mapfile -t missing < <(missing_packages)
[ "${#missing[@]}" -eq 0 ] || by_hand "apt-get installed them, but pkg-config does not find them"
