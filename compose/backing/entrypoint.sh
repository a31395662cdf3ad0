#!/bin/sh
# As the official image of PostgreSQL does: make the cluster and its database the first time.
set -eu

if [ "$1" = postgres ] && [ ! -s "$PGDATA/PG_VERSION" ]; then
    # Elsewhere first, so that one that breaks off is not taken for a whole one.
    fresh=$PGDATA/.fresh
    rm -rf "$fresh"
    initdb --pgdata "$fresh" --username "$POSTGRES_USER" --pwfile "$POSTGRES_PASSWORD_FILE" \
        --encoding UTF8 --auth-local trust --auth-host scram-sha-256
    echo "host all all all scram-sha-256" >>"$fresh/pg_hba.conf"
    echo "CREATE DATABASE \"$POSTGRES_DB\"" | postgres --single -D "$fresh" postgres
    version=$(cat "$fresh/PG_VERSION")
    rm "$fresh/PG_VERSION"
    mv "$fresh"/* "$PGDATA"
    rmdir "$fresh"
    echo "$version" >"$PGDATA/PG_VERSION"
fi
[ "$1" != postgres ] || set -- "$@" -c "listen_addresses=*"
exec "$@"
