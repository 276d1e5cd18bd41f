#!/usr/bin/env bash
# The one list of Debian packages that pare needs. Installs those that are missing; says nothing when none is.
set -euo pipefail

build_packages=(
	build-essential cmake ninja-build pkg-config
	libopenblas-dev     # GEMM
	libyaml-dev         # configurations
	protobuf-compiler protobuf-c-compiler libprotobuf-c-dev libonnx-dev # ONNX: the schema and its C code
	libsqlite3-dev      # trial store
	zlib1g-dev          # .gz data files
	libjansson-dev      # JSON reports
	libxxhash-dev       # content hashes
	libcmocka-dev       # the tests' framework; the tests are part of every build
	dataset-fashion-mnist # the demo's images
)
test_packages=(
	sqlite3 python3-minimal python3-onnx # look at what pare wrote with other people's readers
)

usage() {
	cat <<'END'
usage: scripts/deps.sh [--without-tests]
Installs the Debian packages that pare needs and that are missing, with apt-get, as root or through sudo.
  --without-tests  only what building and running needs
END
}

# All packages given that dpkg does not know as installed.
missing_of() {
	local package
	for package in "$@"; do
		[ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)" = installed ] || echo "$package"
	done
}

apt() {
	local as_root=()
	[ "$(id -u)" -eq 0 ] || as_root=(sudo)
	"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 -o Acquire::Retries=3 "$@" >/dev/null
}

packages=("${build_packages[@]}" "${test_packages[@]}")
case ${1-} in
'') ;;
--without-tests) packages=("${build_packages[@]}") ;;
--help) usage && exit ;;
*) usage >&2 && exit 2 ;;
esac

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
	echo "scripts/deps.sh: no apt-get here; install what these Debian packages hold: ${packages[*]}" >&2
	exit 1
fi
mapfile -t missing < <(missing_of "${packages[@]}")
[ ${#missing[@]} -gt 0 ] || exit 0
if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null; then
	echo "scripts/deps.sh: neither root nor sudo; as root, run: apt-get install --no-install-recommends ${missing[*]}" >&2
	exit 1
fi
echo "installing: ${missing[*]}"
apt update
apt install -y --no-install-recommends "${missing[@]}"
