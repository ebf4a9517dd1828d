#!/bin/sh
# Brings the CSV files of the volume $2 in step with those of the folder $1: copies what is new or differs, then deletes
# what is gone. A file gets its name only when it is whole (copied aside, then renamed), so that a reader never sees
# half a file. Fails only when it cannot copy: that there is nothing to upload is the uploader's to say.
set -eu
source=$1 volume=$2 aside=$2/.incoming

fail() {
  echo "init: $1. The volume keeps what it had: mend what the line above says, and start again." >&2
  exit 1
}

rm -rf "$aside" && mkdir -p "$aside" || fail "cannot write to the volume"
trap 'rm -rf "$aside"' EXIT

cd "$volume"
# A file that has become a folder, or a folder that has become a file, would be in the way.
find . -depth -iname '*.csv' -exec sh -euc '
  source=$1
  shift
  for path; do
    if [ -d "$path" ]; then other=-f; else other=-d; fi
    [ ! $other "$source/$path" ] || rm -rf "$path"
  done' sh "$source" {} + || fail "cannot remove what is in the way"

cd "$source"
find . \( -type f -o -type l \) -iname '*.csv' ! -path '*/.*/*' -exec sh -euc '
  source=$1 volume=$2 aside=$3
  shift 3
  for file; do
    # As where the program itself reads the folder: a link is followed to a file in here, and nowhere else.
    if [ -L "$file" ]; then
      case $(realpath "$file" 2>/dev/null) in "$source"/*) inside=1 ;; *) inside= ;; esac
      if [ -z "$inside" ] || [ ! -f "$file" ]; then
        echo "init: passed over ${file#./}, a symbolic link that leads to no file in the folder"
        rm -f "$volume/$file"
        continue
      fi
    fi
    cmp -s "$file" "$volume/$file" && continue
    mkdir -p "$volume/${file%/*}"
    before=$(stat -L -c "%s %y" "$file")
    cp "$file" "$aside/file"
    if [ "$(stat -L -c "%s %y" "$file")" != "$before" ]; then
      echo "init: ${file#./} changed while it was copied" >&2
      exit 1
    fi
    chmod 0644 "$aside/file"
    touch -r "$file" "$aside/file"
    mv -f "$aside/file" "$volume/$file"
    echo "init: copied ${file#./}"
  done' sh "$source" "$volume" "$aside" {} + || fail "cannot copy every file"

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
