#!/bin/sh
# Put ONNX Runtime's C headers below PREFIX/include/onnxruntime (default: /usr/local), out of Debian's
# package libonnxruntime-dev, on a Debian that does not have it yet (12). Nothing is installed:
# the package is fetched and checked by apt and unpacked.
set -eu
prefix=${1:-/usr/local}
if [ -e "$prefix/include/onnxruntime/onnxruntime_c_api.h" ]; then
    exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
chmod 755 "$work"
mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/unpacked"
cat > "$work/debian.sources" <<END
Types: deb
URIs: http://deb.debian.org/debian
Suites: trixie
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
END
debian() {
    apt-get -q -o Dir::Etc::SourceList="$work/debian.sources" -o Dir::Etc::SourceParts=/dev/null \
        -o Dir::State::Lists="$work/lists" -o Dir::Cache="$work/cache" \
        -o APT::Sandbox::User=root "$@"
}
cd "$work"
debian update
debian download libonnxruntime-dev
dpkg -x libonnxruntime-dev_*.deb unpacked
mkdir -p "$prefix/include"
cp -r unpacked/usr/include/onnxruntime "$prefix/include/"
echo "$prefix/include/onnxruntime"
