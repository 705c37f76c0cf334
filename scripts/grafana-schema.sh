#!/bin/sh
# grafana-schema.sh: holds docs/dashboards against the types that Grafana publishes, @grafana/schema, with tsc.
#
# It takes node 18 and npm 9 (Debian 12) or later. The packages are installed into .cache, as e2e/grafana's lock file
# pins them, and again only when that file changes. It also checks itself: copies that are broken in one place each
# have to be refused, every one of them.
set -eu
cd "$(dirname "$0")/.."

for tool in node npm; do
	command -v $tool >/dev/null 2>&1 || {
		echo "grafana-schema: $tool is missing: install Node.js 18 or later (Debian: apt-get install nodejs npm)" >&2
		exit 1
	}
done

cache=.cache/grafana
mkdir -p $cache
cp e2e/grafana/package.json e2e/grafana/package-lock.json e2e/grafana/.npmrc $cache/

# The lock file that was last installed says whether to install.
if ! cmp -s $cache/package-lock.json $cache/node_modules/.installed; then
	(cd $cache && npm ci --no-audit --no-fund --loglevel=error)
	cp $cache/package-lock.json $cache/node_modules/.installed
fi

node e2e/grafana/sources.mjs docs/dashboards $cache/src
cp e2e/grafana/dashboard.ts e2e/grafana/tsconfig.json $cache/src/

# One run for all. The broken copies fail it always, so that what counts is which files have errors.
log=$cache/tsc.log
if $cache/node_modules/.bin/tsc -p $cache/src >$log 2>&1; then
	echo "grafana-schema: tsc passed copies that were broken on purpose" >&2
	exit 1
fi

failed=0
for source in $cache/src/*.ts; do
	name=$(basename "$source" .ts)
	case $name in
	broken-*)
		grep -q "/$name\.ts(" $log || {
			echo "grafana-schema: $name was broken on purpose and passed" >&2
			failed=1
		}
		;;
	esac
done
if grep 'error TS' $log | grep -v '/broken-[a-z-]*\.ts(' >&2; then
	failed=1
fi
[ $failed = 0 ] || exit 1
echo "grafana-schema: $(ls docs/dashboards/*.json | wc -l) dashboards are as @grafana/schema wants them;" \
	"$(ls $cache/src/broken-*.ts | wc -l) broken copies were refused"
