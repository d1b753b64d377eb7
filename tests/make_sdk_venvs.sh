#!/bin/sh
# Builds the environments in which the official SDKs of some vendors live, because
# they collide with each other or with ours. An environment that was built from
# the same requirements is left alone. MDS_SDK_VENVS names another folder.
#
# kiteconnect and yfinance are dependencies of mds-engine: they need no environment.
set -eu

tests=$(cd "$(dirname "$0")" && pwd)
folder=${MDS_SDK_VENVS:-"$tests/../.sdk-venvs"}
mkdir -p "$folder"

for name in binance alphavantage; do
    wanted="$tests/sdk-requirements/$name.txt"
    built="$folder/$name"
    if cmp -s "$wanted" "$built/requirements.txt"; then
        continue
    fi
    rm -rf "$built"
    "${PYTHON:-python3}" -m venv "$built"
    "$built/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "$wanted"
    # Last, so that an interrupted build is built again.
    cp "$wanted" "$built/requirements.txt"
done
