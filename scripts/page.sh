#!/bin/sh
# page.sh: checks the scripts of the live page: their types with tsc, their pure functions under node.
#
# It takes node 18 and npm 9 (Debian 12) or later. The compiler is installed into .cache, as the lock file of
# exporters/livepage/page pins it, and again only when that file changes. It also checks itself: a copy that reads a
# field which no snapshot has must be refused.
set -eu
cd "$(dirname "$0")/.."

for tool in node npm; do
	command -v $tool >/dev/null 2>&1 || {
		echo "page: $tool is missing: install Node.js 18 or later (Debian: apt-get install nodejs npm)" >&2
		exit 1
	}
done

page=exporters/livepage/page
cache=.cache/page
mkdir -p $cache
cp $page/package.json $page/package-lock.json $page/.npmrc $cache/

# The lock file that was last installed says whether to install.
if ! cmp -s $cache/package-lock.json $cache/node_modules/.installed; then
	(cd $cache && npm ci --no-audit --no-fund --loglevel=error)
	cp $cache/package-lock.json $cache/node_modules/.installed
fi
tsc=$cache/node_modules/.bin/tsc

$tsc -p $page

rm -rf $cache/broken
cp -r $page $cache/broken
sed 's/snap\.apis/snap.apies/' $page/panels/apis.js >$cache/broken/panels/apis.js
if $tsc -p $cache/broken >$cache/tsc.log 2>&1 || ! grep -q "'apies' does not exist" $cache/tsc.log; then
	echo "page: tsc passed a copy that was broken on purpose" >&2
	cat $cache/tsc.log >&2
	exit 1
fi

node --test $page/tests/*.test.js
echo "page: types and functions are right; a broken copy was refused"
