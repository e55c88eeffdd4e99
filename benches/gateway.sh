#!/usr/bin/env bash
# The gateway beside a bare axum server with one answer, on this machine, in this run. No time decides
# anything; what is asked of it stands behind each figure.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo build --release --locked --quiet --bin openclaw --example hello_server
release=${CARGO_TARGET_DIR:-$PWD/target}/release
work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait; rm -rf "$work"' EXIT

# One login, whose token lives for a day. Its server is a port that nobody listens at.
state=$work/state
mkdir -p -m 700 "$state/agents/main/agent" "$state/providers"
sed 's#https://auth.openai.com#http://127.0.0.1:9#; s#^id = "openai-codex"#&\nreplaces = true#' \
  src/providers/builtin/openai-codex.toml > "$state/providers/openai-codex.toml"
cat > "$state/agents/main/agent/auth-profiles.json" <<JSON
{ "version": 1, "profiles": { "openai-codex:default": { "type": "oauth", "provider": "openai-codex",
  "access": "$(printf 'x%.0s' {1..1900})", "refresh": "r", "expires": $((($(date +%s) + 86400) * 1000)) } } }
JSON
chmod 600 "$state"/agents/main/agent/auth-profiles.json "$state"/providers/*

export GOCLAW_GATEWAY_TOKEN=0123456789abcdef0123456789abcdef
told() { # command whose first line ends with its URL
  : > "$work/told"
  "$@" > "$work/told" 2> "$work/log" &
  pid=$!
  until url=$(grep -om1 'http://[0-9.:]*' "$work/told"); do sleep 0.005; done
}

at_rest() { # title
  awk -v t="$1" '/VmRSS/ { printf "%s: %.1f MiB (asked: 15)\n", t, $2 / 1024 }' "/proc/$gateway_pid/status"
}

begun=$(date +%s%N)
told "$release/openclaw" --state-dir "$state" gateway run --listen 127.0.0.1:0
printf 'start until it listens: %s ms (asked: 50)\n' $((($(date +%s%N) - begun) / 1000000))
gateway=$url gateway_pid=$pid
told "$release/examples/hello_server"
hello=$url

sleep 2
at_rest "memory at rest"

load() { # URL: requests a second, and the 99th percentile in milliseconds
  wrk -t1 -c32 -d4s --latency -H "Authorization: Bearer $GOCLAW_GATEWAY_TOKEN" "$1" > "$work/wrk"
  if grep -q 'Non-2xx' "$work/wrk"; then
    cat "$work/wrk" >&2
    exit 1
  fi
  awk '/Requests\/sec/ { rate = $2 }
    $1 == "99%" { p99 = $2; if (p99 ~ /us$/) p99 /= 1000; else if (p99 !~ /ms$/) p99 *= 1000; p99 += 0 }
    END { print rate, p99 }' "$work/wrk"
}

compared() { # title, path, what is asked
  read -r base base_p99 < <(load "$hello/hello")
  read -r rate p99 < <(load "$gateway$2")
  awk -v t="$1" -v b="$base" -v bp="$base_p99" -v r="$rate" -v p="$p99" -v asked="$3" 'BEGIN {
    printf "%-28s %.2f of hello (%d of %d a second), p99 %.1f x (%.1f ms)%s\n", t, r / b, r, b, p / bp, p, asked }'
}

compared "status, from memory" /v1/auth/openai/status " (asked: 0.70, p99 3 x)"
compared "a token, from memory" "/v1/token?provider=openai-codex" ""
awk '/VmHWM/ { printf "memory under load: %.1f MiB\n", $2 / 1024 }' "/proc/$gateway_pid/status"

# The same logins in PostgreSQL. What is asked of it on the way to an answer is a list of keys.
postgres=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | tail -1)
if [ -z "$postgres" ]; then
  echo "no PostgreSQL here: what goes through it is not measured"
  exit
fi
unprivileged() { # It does not run as root.
  if [ "$(id -u)" = 0 ]; then setpriv --reuid nobody --clear-groups "$@"; else "$@"; fi
}
chmod 711 "$work"
mkdir "$work/postgres"
if [ "$(id -u)" = 0 ]; then chown nobody "$work/postgres"; fi
(cd "$work/postgres" && unprivileged "$postgres/initdb" --auth=trust --username=bench --no-sync data > initdb.log)
port=$((20000 + RANDOM % 10000))
unprivileged "$postgres/postgres" -D "$work/postgres/data" -p "$port" \
  -c listen_addresses=127.0.0.1 -c unix_socket_directories= 2> "$work/postgres.log" &
address=(-h 127.0.0.1 -p "$port" -U bench)
until "$postgres/pg_isready" -q "${address[@]}"; do sleep 0.05; done
umask 077
echo "postgres://bench@127.0.0.1:$port/postgres?sslmode=disable" > "$work/database-url"
head -c 32 /dev/urandom > "$work/key"
export GOCLAW_ENCRYPTION_KEY_FILE=$work/key
"$release/openclaw" --state-dir "$state" gateway migrate --database-url-file "$work/database-url" > "$work/migrated"
"$release/openclaw" --state-dir "$state" gateway import --database-url-file "$work/database-url" > "$work/imported"
# A list without a key in it has to ask once more whether there is none.
for name in one two three; do
  "$release/openclaw" --state-dir "$state" gateway key add --name "$name" --database-url-file "$work/database-url" > "$work/key-$name" 2>&1
done
told "$release/openclaw" --state-dir "$state" gateway run --listen 127.0.0.1:0 --database-url-file "$work/database-url"
gateway=$url gateway_pid=$pid
sleep 2
at_rest "memory at rest, with a database"
compared "status, from memory" /v1/auth/openai/status " (asked: 0.70, p99 3 x)"
echo "SELECT id, sealed FROM openclaw.access_key WHERE tenant = 'main' ORDER BY position" > "$work/select"
base=$("$postgres/pgbench" -n -c 8 -j 1 -T 4 -f "$work/select" "${address[@]}" postgres | awk '/^tps/ { print $3 }')
read -r rate p99 < <(load "$gateway/v1/keys")
awk -v b="$base" -v r="$rate" -v p="$p99" 'BEGIN {
  printf "%-28s %.2f of SELECT (%d of %d a second), p99 %.1f ms (asked: 5000 a second, 15 ms)\n",
    "keys, from the database", r / b, r, b, p }'
