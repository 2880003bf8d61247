#!/usr/bin/env bash
# Runs Tests/Python with both ends of the versions of diffusers that are supported, and what needs torch and safetensors
# alone without diffusers, each in an environment of its own.
set -euo pipefail
cd "$(dirname "$0")/.."

torch=torch==2.13.0
# environment NAME PACKAGE…: makes it where it is not there.
environment() {
    python=.build-python/$1/bin/python
    [ -e ".build-python/$1/made" ] && return
    python3 -m venv --clear ".build-python/$1"
    "$python" -m pip install --quiet "$torch" --index-url https://download.pytorch.org/whl/cpu ||
        "$python" -m pip install --quiet "$torch"
    "$python" -m pip install --quiet "${@:2}"
    touch ".build-python/$1/made"
}
tests() {
    printf '%s\n' "$1"
    PYTHONPATH=Tests/Python "$python" -m unittest discover --start-directory Tests/Python --pattern "$2" --verbose
}

environment plain numpy safetensors
tests 'no diffusers' test_plain.py
environment 0.42.1 diffusers==0.42.1 -r Tests/Python/requirements.txt
tests 'diffusers 0.42.1' 'test_*.py'
# Versions before 0.31 need an older client of the Hub.
environment 0.29.2 diffusers==0.29.2 'huggingface_hub<0.26' -r Tests/Python/requirements.txt
tests 'diffusers 0.29.2' 'test_*.py'
