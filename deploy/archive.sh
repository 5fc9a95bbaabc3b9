#!/bin/sh
# Keeps what PostgreSQL writes ahead (WAL) as it is written, and a base backup of each day, so that the
# database can be brought back to any moment: docs/backup.md. Runs beside the server, with its programs:
#
#     archive.sh FOLDER
#
# Makes FOLDER/wal and FOLDER/base/TIME. The server is found by PGHOST and PGUSER, as psql finds it.
set -eu

folder="$1"
every_hours="${ARCHIVE_BASE_EVERY_HOURS:-24}"
keep="${ARCHIVE_KEEP_BASES:-7}"
slot=freiplatz_archive

say() { echo "archive: $*" >&2; }
ask() { psql --no-psqlrc --quiet --tuples-only --no-align --dbname "${PGDATABASE:-postgres}" --command "$1"; }

# The newest base backup, or the oldest that is kept.
bases() { find "$folder/base" -mindepth 1 -maxdepth 1 -name '[0-9]*Z' | sort; }

# In a slot the server keeps what has not arrived here yet. One that it had to give up (it may keep at most
# max_slot_wal_keep_size), or that is not there (another server, or one that was recovered), leaves a gap:
# then a new base backup is wanted at once.
prepare_slot() {
    ask "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots
         WHERE slot_name = '$slot' AND wal_status = 'lost'" > /dev/null || exit 1
    found="$(ask "SELECT 1 FROM pg_replication_slots WHERE slot_name = '$slot'")" || exit 1
    if [ -z "$found" ]; then
        pg_receivewal --slot="$slot" --create-slot || exit 1
        wanted=yes
    fi
}

take_base() { # fails, and has changed nothing, if a step fails
    part="$folder/base/unfinished.part"
    rm -rf "$part"
    say "taking a base backup"
    pg_basebackup --pgdata="$part" --format=tar --gzip --wal-method=fetch --checkpoint=fast || return 1
    pg_verifybackup --quiet --no-parse-wal "$part" || return 1
    # Named by the time at its end: from then on it can be used.
    taken="$(date -u +%Y%m%dT%H%M%SZ)"
    mv "$part" "$folder/base/$taken" || return 1
    sync
    say "base backup $taken"
    forget_old || say "old files could not be removed"
}

# Base backups beyond those to keep, and the log from before the oldest one: it is of no use any more.
forget_old() {
    bases | head -n "-$keep" | while read -r old; do
        rm -rf "$old"
    done
    oldest="$(bases | head -n 1)"
    first="$(tar -xzOf "$oldest/base.tar.gz" backup_label |
        sed -n 's/^START WAL .*(file \([0-9A-F]*\))$/\1/p')"
    [ -n "$first" ] || return 1
    pg_archivecleanup "$folder/wal" "$first"
}

is_due() { # no base backup, or none of the last so many hours
    [ -z "$(find "$folder/base" -mindepth 1 -maxdepth 1 -name '[0-9]*Z' -mmin "-$((every_hours * 60))")" ]
}

umask 077
mkdir -p "$folder/wal" "$folder/base"
wanted=no
prepare_slot
# On the disk as soon as it is written there; asks again by itself after the server was away.
pg_receivewal --directory="$folder/wal" --slot="$slot" --synchronous &
receiver=$!
trap 'kill "$receiver" 2> /dev/null || true; wait "$receiver" || true; exit 0' INT TERM
while kill -0 "$receiver" 2> /dev/null; do
    if [ "$wanted" = yes ] || is_due; then
        if take_base; then wanted=no; else say "no base backup could be made; trying again"; fi
    fi
    sleep 30 &
    wait $! || true
done
say "the receiver has ended"
exit 1
