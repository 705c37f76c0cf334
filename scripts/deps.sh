#!/bin/sh
# deps.sh demo|pictures|test: sees to the system packages that the demo, its pictures or the tests need.
#
# When all are there it says nothing and takes a fraction of a second. Otherwise it installs them with
# apt-get, as root or through sudo; where it cannot, it says what to install and how, and exits 1.
set -eu

case ${1:-} in
demo) needs="go ffmpeg speech redis" ;;
pictures) needs="go ffmpeg speech redis browser" ;;
test) needs="go cc ffmpeg speech redis postgres node browser" ;;
*)
	echo "usage: deps.sh demo|pictures|test" >&2
	exit 2
	;;
esac

have() { command -v "$1" >/dev/null 2>&1; }

has() {
	case $1 in
	go) have go ;;
	cc) echo '#include <stdlib.h>' | ${CC:-cc} -E - >/dev/null 2>&1 ;;
	ffmpeg) have ffmpeg && have ffprobe ;;
	speech) [ -d /usr/share/pocketsphinx/model/en-us/en-us ] && speaks ;;
	redis) have redis-server && have redis-cli ;;
	node) have node && have npm && [ "$(node -p 'process.versions.node.split(".")[0]')" -ge 18 ] ;;
	browser) [ -n "${CHROMIUM:-}" ] || have chromium || have chromium-browser || have google-chrome || have google-chrome-stable ;;
	postgres) have initdb || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 ;;
	esac
}

# speaks: ffmpeg can say a sentence (flite) and recognise it (asr). Many builds leave these filters out.
speaks() {
	filters=$(ffmpeg -hide_banner -filters 2>/dev/null) || return 1
	case $filters in *" asr "*" flite "*) ;; *) return 1 ;; esac
}

describe() {
	case $1 in
	go) echo "Go 1.26 or later" ;;
	cc) echo "a C compiler, for go test -race" ;;
	ffmpeg) echo "ffmpeg and ffprobe" ;;
	speech) echo "ffmpeg's filters asr and flite, and the model pocketsphinx-en-us" ;;
	redis) echo "redis-server and redis-cli" ;;
	node) echo "Node.js 18 or later with npm, for the types of the dashboards and of the live page" ;;
	postgres) echo "the PostgreSQL server programs" ;;
	browser) echo "Chromium or Google Chrome in PATH, or its path in CHROMIUM, for the live page" ;;
	esac
}

debian() {
	case $1 in
	cc) echo "gcc libc6-dev" ;;
	ffmpeg) echo "ffmpeg" ;;
	speech) echo "ffmpeg pocketsphinx-en-us" ;;
	redis) echo "redis-server" ;;
	node) echo "nodejs npm" ;;
	postgres) echo "postgresql" ;;
	browser) echo "chromium" ;;
	esac
}

# look: sets missing to the needs that are not there, packages to what brings them on Debian.
look() {
	missing="" packages=""
	for need in $needs; do
		has "$need" && continue
		missing="$missing $need"
		packages="$packages $(debian "$need")"
	done
}

# explain: what is missing, and the commands for each system; ends the script.
explain() {
	{
		printf '%s\n' "$1"
		for need in $missing; do printf '  - %s\n' "$(describe "$need")"; done
		case $missing in *" go"*) printf 'Go: https://go.dev/dl/\n' ;; esac
		cat <<-'END'
			Debian, Ubuntu:
			  sudo apt-get install ffmpeg pocketsphinx-en-us redis-server postgresql nodejs npm chromium gcc libc6-dev
			  Ubuntu has no such package chromium: install Google Chrome instead, from https://www.google.com/chrome
			Fedora, with the RPM Fusion repository:
			  sudo dnf install ffmpeg valkey-compat-redis postgresql-server nodejs chromium gcc
			macOS, with Homebrew:
			  brew install ffmpeg redis postgresql node
			  brew install --cask google-chrome; export CHROMIUM="/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
			The ffmpeg of Fedora and Homebrew is built without the filters asr and flite, which the local speech
			recognition needs. There, run the demo and the tests in a Debian container, or edit your own video with
			a speech service of your own: go run ./examples/smartvideoeditor -speech-url URL video.mp4
		END
	} >&2
	exit 1
}

look
[ -n "$missing" ] || exit 0
have apt-get && [ -n "${packages# }" ] || explain "Missing:" # no package brings Go

if [ "$(id -u)" = 0 ]; then
	root=""
elif have sudo && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
	root="sudo"
else
	explain "Missing, and neither root nor sudo to install it with:"
fi

printf 'installing:%s\n' "$packages"
apt() { $root env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 "$@"; }

# The lists of a bare or old system know no package, or versions that are gone: then update, and once more.
# shellcheck disable=SC2086 # a list of package names
if ! apt-cache show $packages >/dev/null 2>&1 || ! apt install -y --no-install-recommends $packages; then
	apt update
	apt install -y --no-install-recommends $packages || explain "apt-get cannot install these:"
fi

look
[ -z "$missing" ] || explain "Installed, and still missing (does another ffmpeg come first in PATH?):"
