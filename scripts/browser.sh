#!/bin/sh
# browser.sh [flag ...]: tests the live page in Chromium; flags are those of go test.
#
# It takes Chromium or Google Chrome, node and npm. axe-core, which finds what keeps people from using a page, is installed
# into .cache, as the lock file of e2e/browser pins it, and again only when that file changes. The screenshots of this run
# are in .cache/screenshots then. The tests run without the race detector: what they test runs in the browser, and the
# server has tests of its own with it.
set -eu
cd "$(dirname "$0")/.."

for tool in node npm; do
	command -v $tool >/dev/null 2>&1 || {
		echo "browser: $tool is missing: install Node.js 18 or later (Debian: apt-get install nodejs npm)" >&2
		exit 1
	}
done

cache=.cache/browser
mkdir -p $cache
cp e2e/browser/package.json e2e/browser/package-lock.json e2e/browser/.npmrc $cache/

# The lock file that was last installed says whether to install.
if ! cmp -s $cache/package-lock.json $cache/node_modules/.installed; then
	(cd $cache && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error)
	cp $cache/package-lock.json $cache/node_modules/.installed
fi

rm -rf .cache/screenshots
GOWORK=off exec go test -C e2e/browser -vet=off -count=1 -timeout 15m "$@" ./...
