#!/bin/sh
# servers.sh: builds the servers of the end-to-end tests into .cache/bin, as the modules under e2e/servers pin them.
#
# A module is built again when its go.mod, its go.sum, its own code or Go's version has changed since the last build.
# Otherwise this takes a fraction of a second. The files are never built with the race detector, whatever GOFLAGS says.
set -eu
cd "$(dirname "$0")/../e2e/servers"
bin=$(cd ../.. && pwd)/.cache/bin
mkdir -p "$bin"
GOWORK=off
export GOWORK

# inputs MODULE: prints all that its programs are built from, but for the modules that go.sum pins.
inputs() {
	go env -C "$1" GOVERSION GOOS GOARCH
	find "$1" -type f | LC_ALL=C sort | while read -r file; do printf '%s\n' "-- $file"; cat "$file"; done
	cat ../../scripts/servers.sh
}

# build MODULE PROGRAMS ARG ...: builds a module unless its programs are there and its inputs are those of the last build.
build() {
	module=$1 programs=$2
	shift 2
	inputs "$module" >"$bin/.$module.$$"
	for program in $programs; do
		[ -x "$bin/$program" ] || rm -f "$bin/.$module.built"
	done
	if ! cmp -s "$bin/.$module.$$" "$bin/.$module.built"; then
		if [ "$module" = prometheus ]; then promtool; fi
		go build -C "$module" -race=false -buildvcs=false -ldflags='-s -w' -o "$bin/" "$@"
		mv "$bin/.$module.$$" "$bin/.$module.built"
	fi
	rm -f "$bin/.$module.$$"
}

# promtool: writes $bin/.overlay.json, with which the module has a package promtool: that of Prometheus, but for its import
# of the service discovery for Kubernetes. See the package kubernetes there.
promtool() {
	go mod download -C prometheus github.com/prometheus/prometheus
	source=$(go list -C prometheus -m -f '{{.Dir}}' github.com/prometheus/prometheus)/cmd/promtool
	sed "s,\"github.com/prometheus/prometheus/discovery/kubernetes\",\"$(go list -C prometheus -m)/kubernetes\"," "$source/main.go" >"$bin/.promtool.go"
	{
		printf '{"Replace": {'
		for file in "$source"/*.go; do
			case $file in */main.go | *_test.go) ;; *) printf '"%s": "%s", ' "$PWD/prometheus/promtool/${file##*/}" "$file" ;; esac
		done
		printf '"%s": "%s"}}\n' "$PWD/prometheus/promtool/main.go" "$bin/.promtool.go"
	} >"$bin/.overlay.json"
}

# Prometheus without its service discoveries (clouds, Kubernetes): a fraction of the code to build.
build prometheus "prometheus promtool mutants parse" -tags remove_all_sd -overlay "$bin/.overlay.json" \
	github.com/prometheus/prometheus/cmd/prometheus ./promtool ./mutants ./parse
build collector collector .
