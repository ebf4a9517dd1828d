#!/bin/sh
# Brings the CSV files of the volume $2 in step with those of the folder $1: copies what is new or differs, then deletes
# what is gone. A file gets its name only when it is whole (copied aside, then renamed), so that a reader never sees
# half a file. Fails only when it cannot copy: that there is nothing to upload is the uploader's to say.
set -eu
source=$1 volume=$2 aside=$2/.incoming

fail() {
  echo "init: $1. The volume keeps what it had: free space, check that it is writable, and start again." >&2
  exit 1
}

rm -rf "$aside" && mkdir -p "$aside" || fail "cannot write to the volume"
trap 'rm -rf "$aside"' EXIT

cd "$source"
# -L: a link within the folder is the file that it leads to.
find -L . -type f -iname '*.csv' ! -path '*/.*/*' -exec sh -euc '
  volume=$1 aside=$2
  shift 2
  for file; do
    cmp -s "$file" "$volume/$file" && continue
    mkdir -p "$volume/${file%/*}"
    cp "$file" "$aside/file"
    chmod 0644 "$aside/file"
    touch -r "$file" "$aside/file"
    mv -f "$aside/file" "$volume/$file"
    echo "init: copied ${file#./}"
  done' sh "$volume" "$aside" {} + || fail "cannot copy every file"

cd "$volume"
find . -type f -iname '*.csv' ! -path './.incoming/*' -exec sh -euc '
  source=$1
  shift
  for file; do
    [ -f "$source/$file" ] && continue
    rm -f "$file"
    echo "init: removed ${file#./}"
  done' sh "$source" {} + || fail "cannot remove what is gone"
# Folders that are still in use stay.
find . -mindepth 1 -depth -type d -exec rmdir {} + 2>/dev/null || :
