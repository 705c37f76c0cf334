#!/bin/sh
# check.sh [COMMIT]: checks what has changed since COMMIT in under a minute, for every commit: format, vet, unit tests.
#
# Without COMMIT it takes what is not committed yet, or the last commit if everything is. It tests the packages with a
# changed file, and those whose tests read a changed document, and vets the packages that depend on them. The end-to-end
# tests are only vetted, and two tests that compile the whole library anew are left out. `make test` runs everything.
set -eu
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

base=${1:-HEAD}
if [ $# = 0 ] && [ -z "$(git status --porcelain)" ]; then base=HEAD^; fi
{
	git diff --name-only "$base"
	git ls-files --others --exclude-standard
} | sort -u >"$work/changed"

grep '\.go$' "$work/changed" | while read -r file; do
	if [ -e "$file" ]; then gofmt -l "$file"; fi
done >"$work/unformatted"
if [ -s "$work/unformatted" ]; then
	echo "not as gofmt writes it (make format):" >&2
	cat "$work/unformatted" >&2
	exit 1
fi

# A line for each package and each of its test variants: its path, its folder, and all that it imports.
go list -test -f '{{or .ForTest .ImportPath}} {{.Dir}} {{join .Deps " "}}' \
	./... ./bench/... ./cmd/stagemeter/... ./examples/... ./examples/aicosts/... ./e2e/... >"$work/packages"

# A changed file belongs to the package in its folder or, as testdata does, in the nearest folder above. A go.mod concerns
# every package. The other files are printed after a ?.
awk -v root="$PWD" '
	function path(p) { sub(/\.test$/, "", p); return p }
	FNR == NR {
		file[FNR] = $0
		if ($0 ~ /^(|bench\/|cmd\/stagemeter\/|examples\/|examples\/aicosts\/|e2e\/)go\.(mod|sum|work|work\.sum)$/) all = 1
		next
	}
	{ line[++n] = $0; if (!($2 in at)) at[$2] = path($1) }
	END {
		for (i in file) {
			dir = root "/" file[i]; found = 0
			while (!found && sub(/\/[^\/]*$/, "", dir) && length(dir) >= length(root))
				if (dir in at) { own[at[dir]]; found = 1 }
			if (!found) print "? " file[i]
		}
		for (i = 1; i <= n; i++) {
			m = split(line[i], field, " ")
			hit = all || path(field[1]) in own
			for (j = 3; j <= m && !hit; j++) hit = field[j] in own
			if (hit) print (path(field[1]) in own ? "own" : "dependent"), path(field[1])
		}
	}' "$work/changed" "$work/packages" | sort -u >"$work/selected"

# Documents: the packages whose tests name the file or its folder.
sed -n 's/^? //p' "$work/selected" | while read -r file; do
	case $file in */*) folder=${file%/*}/ ;; *) folder=$file ;; esac
	grep -rlF --include='*_test.go' -e "$folder" -e "${file##*/}" bench cmd examples exporters instrument internal monitoring semconv
done | xargs -n 1 dirname 2>/dev/null | sort -u | sed 's,^,own ./,' >>"$work/selected"

vet=$(sed -n 's/^\(own\|dependent\) //p' "$work/selected")
test=$(awk '$1 == "own" && $2 !~ /\/e2e(\/|$)/ { print $2 }' "$work/selected" | sort -u)
if [ -z "$vet" ]; then
	echo "no package has to do with what has changed since $base"
	exit 0
fi
echo "go vet of $(printf '%s\n' "$vet" | sort -u | wc -l) packages: those that changed since $base, and those that depend on them"
# shellcheck disable=SC2086 # lists of packages
go vet $vet
if [ -n "$test" ]; then
	echo "tests of what changed"
	# shellcheck disable=SC2086
	go test -vet=off -skip '^(TestMetricIsOneRowAndOneCommand|TestConsumer)$' $test
fi
echo "checked; make test runs everything"
