#!/usr/bin/env bash
# Install a wheel into an empty environment of each Python, and classify a picture without network:
#
#   scripts/wheel_test.sh WHEEL PYTHON ...
set -euo pipefail
wheel=$(realpath "$1")
examples=$(realpath "$(dirname "$0")/../examples")
alone=()
if [ "$(id -u)" = 0 ] && command -v unshare >/dev/null; then alone=(unshare --net); fi # not even an interface
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" # where no source of ours is
for python in "${@:2}"; do
    version=$("$python" -c 'import platform; print(platform.python_version())')
    "$python" -m venv "$version"
    "$version/bin/python" -m pip install --quiet --disable-pip-version-check "$wheel"
    label=$(env -u PYTHONPATH "${alone[@]}" "$version/bin/pawsight" classify "$examples/cat.jpg" | cut -d' ' -f1)
    [ "$label" = cat ] || { echo "wheel-test: Python $version answers '$label'" >&2; exit 1; }
    env -u PYTHONPATH "${alone[@]}" "$version/bin/python" -W error::DeprecationWarning:pawsight -c \
        'import pawsight; print(pawsight.load().predict(__import__("sys").argv[1]).label)' "$examples/cat.jpg" >/dev/null
    echo "Python $version: installed, and classifies without network ($(du -sm "$version" | cut -f1) MB)"
done
