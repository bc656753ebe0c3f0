#!/bin/bash
# Creates one InfluxDB token per service, with only the rights it needs, and writes each to a volume of its own.
#
# The influxdb image runs this on its first start, which replaces all tokens: a new InfluxDB knows none of the old ones.
# Run it again at any time to replace a lost token file. It leaves the others as they are:
#
#   docker compose exec influxdb /docker-entrypoint-initdb.d/10-tokens.sh
#
# InfluxDB 2.9 stores only hashes of tokens, so a token that is not saved here cannot be recovered.
set -euo pipefail

folder=${FOOTFALL_TOKENS:-/run/tokens}
org=${DOCKER_INFLUXDB_INIT_ORG:?is set in docker-compose.yml}
name=${DOCKER_INFLUXDB_INIT_BUCKET:?is set in docker-compose.yml}
# The image sets the id only on the first start; later, ask for it.
bucket=${DOCKER_INFLUXDB_INIT_BUCKET_ID:-}
if [ -n "$bucket" ]; then
    rm -f "$folder"/*/*_influxdb_token
else
    bucket=$(influx bucket list --org "$org" --name "$name" --hide-headers | cut -f 1)
fi

# make SERVICE FLAG...: write a token for SERVICE, with the rights in FLAGs, to its volume.
make() {
    local service=$1
    shift
    local file=$folder/$service/${service}_influxdb_token
    if [ -s "$file" ]; then
        echo "footfall: $service already has a token"
        return
    fi
    local made token
    made=$(influx auth create --org "$org" --description "footfall $service" --json "$@")
    token=$(printf '%s' "$made" | sed -n 's/.*"token": *"\([^"]*\)".*/\1/p')
    if [ -z "$token" ]; then
        echo "footfall: influx created no token for $service" >&2
        exit 1
    fi
    # Write and rename: other containers wait for this file and must never read half of it. The folder's setgid bit
    # gives the file the group of the one service that may read it.
    rm -f "$file.new"
    (umask 0337 && printf '%s\n' "$token" >"$file.new")
    mv "$file.new" "$file"
    echo "footfall: created a token for $service"
}

make grafana --read-bucket "$bucket"
make exporter --read-bucket "$bucket" --write-bucket "$bucket"
# Ingest reads to notice an InfluxDB that lost its data. Its token comes last: once it exists, so do the others.
make ingest --read-bucket "$bucket" --write-bucket "$bucket"
