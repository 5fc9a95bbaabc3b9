#!/bin/sh
# Brings a database back to a moment, from what archive.sh keeps: docs/backup.md.
#
#     recover.sh FOLDER DATA ['2026-11-27 14:05:00+00']
#
# FOLDER is the one of archive.sh, DATA the folder of the database cluster, whose server is stopped. What
# is in DATA is moved aside, never deleted. The server recovers when it is started; without a time it
# goes as far as the archive does. It then is of a new timeline, so viewers get everything anew. For a moment
# that an earlier recovery has left behind, RECOVER_TIMELINE names the timeline to follow (1 is the first).
set -eu

folder="$(cd "$1" && pwd -P)"
data="$2"
target="${3:-}"

fail() {
    echo "recover: $*; nothing was changed" >&2
    exit 1
}

[ ! -e "$data/postmaster.pid" ] || fail "the server of $data runs, or was killed: stop it, or start and stop it"
if [ -n "$target" ]; then
    until="$(date -u -d "$target" +%Y%m%dT%H%M%SZ)" || fail "$target is no time"
else
    until=99999999T999999Z
fi
base=""
for each in $(find "$folder/base" -mindepth 1 -maxdepth 1 -name '[0-9]*Z' | sort); do
    if [ "$(printf '%s\n' "$(basename "$each")" "$until" | sort | head -n 1)" = "$(basename "$each")" ]; then
        base="$each"
    fi
done
[ -n "$base" ] || fail "there is no base backup from before $target"
pg_verifybackup --quiet --no-parse-wal "$base" || fail "$base is damaged"

umask 077
made="$data.recovering"
rm -rf "$made"
mkdir -p "$made"
tar -xzf "$base/base.tar.gz" -C "$made" || fail "$base cannot be unpacked"
# What an earlier recovery was told does not count. The newest part of the log is not full yet.
sed -i '/^recovery_target/d; /^restore_command/d' "$made/postgresql.auto.conf"
{
    echo "restore_command = 'cp \"$folder/wal/%f\" \"%p\" 2>/dev/null || cp \"$folder/wal/%f.partial\" \"%p\" 2>/dev/null'"
    echo "recovery_target_timeline = '${RECOVER_TIMELINE:-latest}'"
    echo "recovery_target_action = 'promote'"
    [ -z "$target" ] || echo "recovery_target_time = '$target'"
} >> "$made/postgresql.auto.conf"
touch "$made/recovery.signal"
if [ -e "$data" ]; then
    aside="$data.before-$(date -u +%Y%m%dT%H%M%SZ)"
    mv "$data" "$aside"
    echo "recover: what was there is in $aside" >&2
fi
mv "$made" "$data"
echo "recover: $data begins with base backup $(basename "$base"); start the server" >&2
