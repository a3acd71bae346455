#!/bin/sh
# Pin every dependency with hashes and without registry addresses. Usage: tools/lock.sh UV
set -eu
lock() {
    out=$1; shift
    "$UV" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
        --no-emit-find-links --no-header --no-annotate --output-file "requirements/$out.txt" "$@"
}
UV=${1:-uv}
lock run pyproject.toml
lock dev pyproject.toml --group dev -c requirements/run.txt
lock bench pyproject.toml --group dev --group bench -c requirements/dev.txt
lock browser --group browser -c requirements/dev.txt
