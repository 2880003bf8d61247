#!/usr/bin/env bash
# Builds the tests with AddressSanitizer or ThreadSanitizer and runs them, as in
#
#     run.sh address                        every test that the sanitizer itself can bear
#     run.sh thread '^TensorCoreTests\.'    those whose target, suite or name a regular expression finds
#
# Swift is built without optimisation and C with a little: instrumented kernels are slow without any, and more would
# remove some mistakes before they can be seen.
set -euo pipefail
cd "$(dirname "$0")/../.."

kind=${1:-}
filter=${2:-.}
build=.build-$kind
# The limits that these tests set also hold for the sanitizers' own memory, which is a file to the system and takes most
# of the address space.
skipped='filesThatCannotBeWrittenWhole|LimitTests'
# Freed memory is spoilt, as in make test.
variables=(DIFFPRUNE_CHECK_MEMORY=1)

case $kind in
address)
    # Swift keeps bits of its own in pointers, which then look lost: what a global holds would be reported as a leak.
    variables+=(ASAN_OPTIONS=detect_leaks=0)
    ;;
thread)
    mkdir -p "$build"
    clang=$(dirname "$(readlink -f "$(command -v swift)")")/clang
    "$clang" -O1 -Wall -shared -fPIC -o "$build/mutex.so" scripts/sanitize/mutex.c
    variables+=("LD_PRELOAD=$PWD/$build/mutex.so")
    ;;
*)
    printf 'run.sh: expected address or thread, got "%s"\n' "$kind" >&2
    exit 2
    ;;
esac

flags=(--sanitize "$kind" --scratch-path "$build" -Xcc -O1 --disable-xctest)
swift build --build-tests "${flags[@]}"
env "${variables[@]}" swift test --skip-build "${flags[@]}" --skip "$skipped" --filter "$filter"
