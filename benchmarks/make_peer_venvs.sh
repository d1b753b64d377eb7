#!/bin/sh
# Builds the environments of peers that would bring a compiler and a dozen packages into ours: cryptofeed.
# One that was built from the same requirements is left alone.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
folder="$here/../.peer-venvs"
mkdir -p "$folder"

for wanted in "$here"/peer-requirements/*.txt; do
    built="$folder/$(basename "$wanted" .txt)"
    if cmp -s "$wanted" "$built/requirements.txt"; then
        continue
    fi
    rm -rf "$built"
    "${PYTHON:-python3}" -m venv "$built"
    "$built/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "$wanted"
    # Last, so that an interrupted build is built again.
    cp "$wanted" "$built/requirements.txt"
done
