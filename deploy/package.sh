#!/bin/sh
# Builds the Debian package, the same bytes each time that the same commit is built.
#
#   deploy/package.sh BIN FOLDER     BIN has a pip; FOLDER gets inkling-edge_VERSION_all.deb
#
# On Debian 12 or newer. As root it installs what is needed for it; as anybody else it says what to ask for.
set -eu

cd "$(dirname "$0")/.."
bin=$1
folder=$2
version=$("$bin/python" -c 'import shared; print(shared.__version__)')

for package in debhelper dh-python dpkg-dev fakeroot; do
    dpkg -s $package >/dev/null 2>&1 || missing="${missing:-} $package"
done
[ -z "${missing:-}" ] || deploy/install.sh $missing

# Nothing in it is younger than the commit that it is made from.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || stat -c %Y CHANGELOG.md)}
export SOURCE_DATE_EPOCH

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
source=$work/inkling-edge
mkdir -p "$source/edge" "$source/shared" "$source/vendor"
cp edge/*.py "$source/edge"
cp shared/*.py shared/default_weights.npz shared/surroundings.npz "$source/shared"
cp -r deploy/debian "$source/debian"
cp deploy/inkling-edge.service "$source/debian"
cp CHANGELOG.md "$source/NEWS.md"
cp deploy/edge.toml "$source"
install deploy/back-off.sh "$source/back-off"
install deploy/debian/launcher.py "$source/inkling-edge"

# Exactly this paho-mqtt, with its licences beside it.
"$bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --no-compile --require-hashes \
    --target "$work/vendor" --requirement deploy/debian/paho-mqtt.txt
cp -r "$work/vendor/paho" "$work"/vendor/paho_mqtt-*.dist-info/licenses "$source/vendor"

cat >"$source/debian/changelog" <<END
inkling-edge ($version) stable; urgency=medium

  * CHANGELOG.md tells what has changed.

 -- The Inkling authors <inkling@example.org>  $(date -R -u -d "@$SOURCE_DATE_EPOCH")
END

# Packages made by hand have the modes of a checkout, which anybody's umask may have set.
chmod -R u=rwX,go=rX "$source"
(cd "$source" && dpkg-buildpackage -b -us -uc -tc) >"$work/log" 2>&1 || {
    cat "$work/log" >&2
    exit 1
}
mkdir -p "$folder"
mv "$work/inkling-edge_${version}_all.deb" "$folder"
echo "$folder/inkling-edge_${version}_all.deb"
