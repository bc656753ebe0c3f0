#!/bin/bash
# Makes one InfluxDB token for each service, with no more rights than it needs, and puts each into its own volume.
#
# The influxdb image runs this at the first start, and then all tokens are made anew: a new InfluxDB knows none of an
# older one's. It may be run again at any time, for a token file that was lost; those that are there then stay:
#
#   docker compose exec influxdb /docker-entrypoint-initdb.d/10-tokens.sh
#
# InfluxDB 2.9 keeps only hashes of tokens: what is not written down here cannot be read back from it.
set -euo pipefail

folder=${FOOTFALL_TOKENS:-/run/tokens}
org=${DOCKER_INFLUXDB_INIT_ORG:?is set in docker-compose.yml}
name=${DOCKER_INFLUXDB_INIT_BUCKET:?is set in docker-compose.yml}
# The image tells the id at the first start only; later it is asked for.
bucket=${DOCKER_INFLUXDB_INIT_BUCKET_ID:-}
if [ -n "$bucket" ]; then
    rm -f "$folder"/*/*_influxdb_token
else
    bucket=$(influx bucket list --org "$org" --name "$name" --hide-headers | cut -f 1)
fi

# make SERVICE FLAG...: write the token of SERVICE, which may do what FLAGs say, to its volume.
make() {
    local service=$1
    shift
    local file=$folder/$service/${service}_influxdb_token
    if [ -s "$file" ]; then
        echo "footfall: $service has a token"
        return
    fi
    local made token
    made=$(influx auth create --org "$org" --description "footfall $service" --json "$@")
    token=$(printf '%s' "$made" | sed -n 's/.*"token": *"\([^"]*\)".*/\1/p')
    if [ -z "$token" ]; then
        echo "footfall: influx made no token for $service" >&2
        exit 1
    fi
    # Written beside, then renamed: the others wait for the file, and must not read half of it. The folder hands its
    # group on (setgid): that of the one service that may read here.
    rm -f "$file.new"
    (umask 0337 && printf '%s\n' "$token" >"$file.new")
    mv "$file.new" "$file"
    echo "footfall: made a token for $service"
}

make grafana --read-bucket "$bucket"
make exporter --read-bucket "$bucket" --write-bucket "$bucket"
# Ingest writes; it reads so that it notices an InfluxDB that lost everything. The last one: whoever waits for it has
# the others too.
make ingest --read-bucket "$bucket" --write-bucket "$bucket"
