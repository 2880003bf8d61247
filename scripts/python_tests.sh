#!/usr/bin/env bash
# Runs Tests/Python with both ends of the versions of diffusers that are supported, each in an environment of its own.
set -euo pipefail
cd "$(dirname "$0")/.."

for version in 0.42.1 0.29.2; do
    tools=.build-python/$version
    if [ ! -x "$tools/bin/python" ]; then
        python3 -m venv "$tools"
        "$tools/bin/pip" install --quiet torch==2.13.0 --index-url https://download.pytorch.org/whl/cpu ||
            "$tools/bin/pip" install --quiet torch==2.13.0
        # Versions before 0.31 need an older client of the Hub.
        hub=huggingface_hub
        [ "$version" = 0.29.2 ] && hub="huggingface_hub<0.26"
        "$tools/bin/pip" install --quiet "diffusers==$version" "$hub" -r Tests/Python/requirements.txt
    fi
    printf 'diffusers %s\n' "$version"
    PYTHONPATH=Tests/Python "$tools/bin/python" -m unittest discover --start-directory Tests/Python --verbose
done
