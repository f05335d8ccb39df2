#!/usr/bin/env bash
# scripts/release on a copy of the files that it reads and writes: bash release_test.sh ROOT WORK
set -e -u -o pipefail
root="$1"
work="$2"
stop() {
  printf 'release_test: %s\n' "$*" >&2
  exit 1
}

rm -rf "$work"
mkdir -p "$work/tree"
(cd "$root" && tar -cf - CHANGELOG.md README.md include/adaptive/version.hpp packaging scripts) | tar -xf - -C "$work/tree"
cd "$work/tree"
version="$(sed -nE 's/^#define ADAPTIVE_VERSION_(MAJOR|MINOR|PATCH) ([0-9]+)$/\2/p' include/adaptive/version.hpp | paste -sd.)"
# As it is before a release, whether or not the tree has just had one.
sed -i -E "0,/^## /s/^## .*/## $version – unreleased/" CHANGELOG.md
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
git init -q
git add .
GIT_AUTHOR_DATE='2026-01-31T12:00:00Z' GIT_COMMITTER_DATE='2026-01-31T12:00:00Z' git -c user.name=a -c user.email=a@b commit -q -m begin

# The same revision gives the same archive: from another clone, in another time zone, with other masks and settings.
(umask 077 && TZ=Asia/Tokyo scripts/release archive HEAD "$work/first" >/dev/null)
git clone -q . "$work/clone"
(cd "$work/clone" && umask 002 && git config tar.umask 0 && git config core.autocrlf true && touch README.md &&
  TZ=America/Lima LC_ALL=C scripts/release archive HEAD "$work/second" >/dev/null)
first="$(cat "$work/first/adaptive-$version.tar.gz.sha256")"
[ "$first" = "$(cat "$work/second/adaptive-$version.tar.gz.sha256")" ] || stop "two archives of one revision differ"
(cd "$work/second" && sha256sum -c --quiet "adaptive-$version.tar.gz.sha256")
tar -tzf "$work/first/adaptive-$version.tar.gz" "adaptive-$version/include/adaptive/version.hpp" >/dev/null || stop "the header is missing"

# A version with a date, then the next one.
scripts/release bump 99.0.1 2>"$work/said" && stop "a version was left without a date"
grep -q "has no date yet" "$work/said" || stop "no reason was given"
scripts/release date 2026-02-28 >/dev/null
grep -qx "## $version – 2026-02-28" CHANGELOG.md || stop "the changelog has no date"
grep -q "^Version $version\. " README.md || stop "README.md does not name the version"
scripts/release bump "$version" 2>/dev/null && stop "the same version was accepted"
scripts/release bump 99.0 2>/dev/null && stop "99.0 was accepted as a version"
scripts/release bump 99.0.1 >/dev/null
grep -qx '#define ADAPTIVE_VERSION_MAJOR 99' include/adaptive/version.hpp || stop "the header has the old version"
grep -qx '#define ADAPTIVE_VERSION_PATCH 1' include/adaptive/version.hpp || stop "the header has the old version"
grep -q '"version": "99.0.1"' packaging/vcpkg/adaptive/vcpkg.json || stop "the recipe has the old version"
[ "$(grep -m 2 '^## ' CHANGELOG.md)" = "$(printf '## 99.0.1 – unreleased\n## %s – 2026-02-28' "$version")" ] || stop "the changelog has no new section"
