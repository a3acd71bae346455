#!/bin/sh
# Let foreign software talk to ours: a Node receiver verifies our webhooks (peers/node-webhooks), a Node SOAP client asks
# the mock of the population database (peers/node-soap), a certified client signs in at the mock of the national sign-in
# (peers/node-openid-client), our adapter signs citizens in at a certified provider (peers/node-oidc-provider), and a real
# browser goes that way (tests/peers).
# Installs Node and Chromium with apt-get where they are missing, Playwright in .venv, and the packages of each peer into
# its own node_modules.
set -eu
cd "$(dirname "$0")/.."
say() { printf '%s\n' "$*" >&2; }
[ -x .venv/bin/python ] || { say "Run it as \`make peers\`, which prepares .venv first."; exit 1; }
mkdir -p .peers
browser=${LIENTHONG_CHROMIUM:-chromium}

debian() { # NAMES PACKAGE …: install Debian's packages, or say by their names what to install
    names=$1; shift
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || {
        say "Please install $names (only root on Debian gets it by itself)."; exit 1
    }
    say "Installing $names with apt-get …"
    { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends "$@"; } \
        >.peers/apt.log 2>&1 || { tail -n 20 .peers/apt.log >&2; exit 1; }
}

if ! command -v node >/dev/null || ! command -v npm >/dev/null; then debian "Node.js 18 or newer with npm" nodejs npm; fi
if ! command -v "$browser" >/dev/null; then
    [ -z "${LIENTHONG_CHROMIUM:-}" ] || { say "LIENTHONG_CHROMIUM names no program: $browser"; exit 1; }
    debian "Chromium, or name one in LIENTHONG_CHROMIUM," chromium
fi
LIENTHONG_CHROMIUM=$(command -v "$browser")
export LIENTHONG_CHROMIUM

stamp=$(cat requirements/dev.txt requirements/browser.txt | cksum)
if [ "$(cat .venv/.browser 2>/dev/null)" != "$stamp" ]; then
    say "Installing Playwright into .venv (once; about 50 MB) …"
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes \
        --requirement requirements/browser.txt >.peers/pip.log 2>&1 || { tail -n 20 .peers/pip.log >&2; exit 1; }
    printf '%s\n' "$stamp" >.venv/.browser
fi
# The certified peers want a newer Node.js than Debian 12 has: the one inside Playwright's package.
newer=$(PYTHONPATH=. .venv/bin/python -c 'from tests.support.node import node; print(node())')

for peer in node-webhooks node-soap node-openid-client node-oidc-provider; do (
    cd "peers/$peer"
    stamp=$(cat package-lock.json .npmrc | cksum)
    if [ "$(cat node_modules/.ready 2>/dev/null)" != "$stamp" ]; then
        say "Installing the Node packages of $peer …"
        npm ci --no-fund --no-audit >../../.peers/npm.log 2>&1 || { tail -n 20 ../../.peers/npm.log >&2; exit 1; }
        printf '%s\n' "$stamp" >node_modules/.ready
    fi
) done

say "A foreign receiver (standardwebhooks) against the gateway's webhooks:"
timeout 90 node peers/node-webhooks/peer.mjs .venv/bin/python

# The mock ends with this script: its standard input is a pipe that only we hold open.
ready=.peers/mocks.ready
rm -f "$ready" .peers/mocks.stdin
mkfifo .peers/mocks.stdin
.venv/bin/python -m mocks --host 127.0.0.1 --port 0 --until-stdin-closes \
    <.peers/mocks.stdin >"$ready" 2>.peers/mocks.log &
mocks=$!
exec 9>.peers/mocks.stdin
trap 'exec 9>&-; kill "$mocks" 2>/dev/null || true; wait "$mocks" 2>/dev/null || true; rm -f .peers/mocks.stdin' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
waited=0
until [ -s "$ready" ]; do
    kill -0 "$mocks" 2>/dev/null && [ "$waited" -lt 300 ] || { say "The mocks did not start:"; cat .peers/mocks.log >&2; exit 1; }
    sleep 0.1
    waited=$((waited + 1))
done

say "A foreign SOAP client (node-soap) against the mock of the population database:"
timeout 90 node peers/node-soap/peer.mjs "$ready"

say "A certified foreign client (openid-client) against the mock of the national sign-in:"
timeout 90 "$newer" peers/node-openid-client/peer.mjs "$ready"

say "Our sign-in at a certified foreign provider (oidc-provider), and in a real browser:"
timeout 600 .venv/bin/python -m pytest -q tests/peers
