"""Backups: everything that is in the database, in one encrypted file, and back.

A backup is a file of age (age-encryption.org/v1) around a gzipped tar, so that it can be opened
without Freiplatz: `age --decrypt -i KEY FILE | tar xz`. In it, in this order:

    manifest.json             what was backed up, of which schema, and when (`manifest.py`)
    rows/TABLE/000001.tsv …   whole rows as COPY writes them in its text format, about 1 MB each
    contents.json             how many rows of what content each table has, and where sequences are

It holds rows, and no schema: that is what the migrations named in the manifest make of an empty
database. So a backup can be restored on any supported release of PostgreSQL, by any user who may
migrate, and roles and rights come out right. `contents.json` comes last: a backup whose making
was interrupted has none.
"""
