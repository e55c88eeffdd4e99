#!/usr/bin/env bash
# Ratios against something run beside it, on this machine, in this run. No time decides anything; with
# OPENCLAW_BENCH_QUICK set each is taken a few times, to see that it can be.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo build --release --locked --quiet
work=$(mktemp -d)
bus_pid=
trap 'rm -rf "$work"; [ -z "$bus_pid" ] || kill "$bus_pid"' EXIT
# A copy, as the empty process is one: how the page cache holds a file depends on how it came there.
bin=$work/openclaw
cp "${CARGO_TARGET_DIR:-$PWD/target}/release/openclaw" "$bin"

printf 'fn main() {}' > "$work/empty.rs"
rustc --edition 2024 -C opt-level=3 -C panic=abort -C strip=symbols -o "$work/empty" "$work/empty.rs"

store() { # number of profiles, state directory, profiles of each provider (all are of one), their end
  mkdir -p "$2/agents/main/agent"
  python3 - "$1" "${3:-0}" "${4:-}" > "$2/agents/main/agent/auth-profiles.json" <<'PY'
import json, sys
count, each = int(sys.argv[1]), int(sys.argv[2])
end = {"expires": int(sys.argv[3])} if sys.argv[3] else {}
provider = lambda n: f"acme-{n // each}" if each else "anthropic"
profiles = {f"{provider(n)}:{n}": {"type": "token", "provider": provider(n), "token": "sk-ant-oat01-" + "x" * 1900, **end} for n in range(count)}
print(json.dumps({"version": 1, "profiles": profiles}, indent=2))
PY
}

# Median milliseconds of one process, over runs that alternate between the commands given.
compare() { # title, runs, base command, other command; further titles and commands
  python3 - "$@" <<'PY'
import os, shlex, statistics, subprocess, sys, time
first, runs, base, *rest = sys.argv[1:]
others = list(zip([first, *rest[1::2]], rest[::2]))
times = {command: [] for command in (base, *(command for _, command in others))}
rounds = int(runs) // (8 if os.environ.get("OPENCLAW_BENCH_QUICK") else 1)
for _ in range(max(rounds, 3)):
    for command in times:
        start = time.perf_counter()
        subprocess.run(shlex.split(command), stdout=subprocess.DEVNULL, check=False)
        times[command].append((time.perf_counter() - start) * 1000)
low = statistics.median(times[base])
for title, command in others:
    high = statistics.median(times[command])
    print(f"{title:<52} {high / low:6.2f}x   ({low:.2f} ms, {high:.2f} ms)")
PY
}

unset OPENCLAW_AGENT_DIR PI_CODING_AGENT_DIR OPENCLAW_CONFIG_PATH
store 3 "$work/three"
store 1000 "$work/more"
store 10000 "$work/many"
store 1000 "$work/more-spread" 10
store 10000 "$work/many-spread" 10
store 1000 "$work/more-ended" 10 1700000000000
store 10000 "$work/many-ended" 10 1700000000000
few="$bin --state-dir $work/three"
more="$bin --state-dir $work/more"
many="$bin --state-dir $work/many"
file="$work/many/agents/main/agent/auth-profiles.json"

echo "ratio to what stands beside it (median of whole processes)"
compare "token, 3 profiles / empty process" 300 "$work/empty" "$few models auth token --profile anthropic:1"
compare "status, 3 profiles / empty process" 300 "$work/empty" "$few models status"
compare "status --prompt, 3 profiles / empty process" 300 "$work/empty" "$few models status --prompt"
compare "status --prompt, 1000 profiles / cat of the file" 100 "cat $work/more/agents/main/agent/auth-profiles.json" "$more models status --prompt"

# The same token in a sealed store, by where its key lies.
of_one=(models auth token --profile anthropic:1)
sealed=()
seal() { # title, name of the store, options of `secrets migrate`
  local title=$1 state=$work/$2
  shift 2
  cp -r "$work/three" "$state"
  if ! "$bin" --state-dir "$state" secrets migrate --no-recovery "$@" >"$state/said" 2>&1; then
    echo "token, $title: not measured, $(head -1 "$state/said")"
    return 1
  fi
  sealed+=("token, $title / empty process" "$bin --state-dir $state ${of_one[*]}")
}
seal "key file" key-file --to encrypted_file --key-file "$work/key"
printf 'correct horse' > "$work/passphrase"
exec 3< "$work/passphrase"
seal "kernel keyring" kernel --to encrypted_file --passphrase --new-passphrase-fd 3
exec 3<&-
if ! "$bin" --state-dir "$work/kernel" secrets unlock --passphrase-fd 4 4< "$work/passphrase" >/dev/null; then
  echo "token, kernel keyring: not measured, the kernel keeps no keys here"
  sealed=("${sealed[@]:0:2}")
fi
if command -v gnome-keyring-daemon >/dev/null && command -v dbus-daemon >/dev/null; then
  mkdir -m 700 "$work/session"
  { read -r DBUS_SESSION_BUS_ADDRESS; read -r bus_pid; } < <(
    dbus-daemon --session --fork --print-address=1 --print-pid=1
  )
  export DBUS_SESSION_BUS_ADDRESS
  # Before any other call on the bus, which would start a daemon without a collection. It ends with the bus.
  printf pw | HOME=$work/session XDG_RUNTIME_DIR=$work/session XDG_DATA_HOME=$work/session \
    gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1 || true
  seal "OS keyring" keyring --to keychain || true
else
  echo "token, OS keyring: not measured, gnome-keyring-daemon or dbus-daemon is not installed"
fi
compare "token, plain / empty process" 300 "$work/empty" "$few ${of_one[*]}" "${sealed[@]}"

# What each costs that looks at a large store.
large=(
  "models auth token --profile anthropic:500"
  "models auth token"
  "models status"
  "models status --json"
  "models auth explain"
  "models auth list"
)
for command in "${large[@]}"; do
  compare "$command, 1000 profiles / cat" 60 "cat $work/more/agents/main/agent/auth-profiles.json" "$more $command"
  compare "$command, 10000 profiles / cat" 20 "cat $file" "$many $command"
done

# Counts of instructions do not drift with the load of the machine, so they guard the hot path.
instructions() {
  valgrind --tool=callgrind --callgrind-out-file=/dev/null "$@" 2>&1 >/dev/null |
    sed -n 's/.*Collected : //p'
}
if command -v valgrind >/dev/null; then
  base=$(instructions "$work/empty")
  # shellcheck disable=SC2086
  token=$(instructions $few models auth token --profile anthropic:1)
  python3 - "$base" "$token" <<'PY'
import sys
base, token = (int(text) for text in sys.argv[1:])
print(f"{'instructions of a token / empty process':<52} {token / base:6.2f}x   ({base}, {token})")
if token > 3.1 * base:
    sys.exit("the hot path has grown: it ran more than 3.1 times the instructions of an empty process")
PY
  # 0.2 ms are 600,000 instructions of a processor that carries out three in a nanosecond. The keyring of
  # a session is another process, which is waited for.
  for ((at = 0; at < ${#sealed[@]}; at += 2)); do
    # shellcheck disable=SC2086
    python3 - "${sealed[at]% / *}" "$token" "$(instructions ${sealed[at + 1]})" <<'PY'
import sys
title, plain, sealed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
print(f"{'instructions of a ' + title + ' / plain':<52} {sealed / plain:6.2f}x   ({plain}, {sealed})")
if sealed - plain > 600_000 and "OS keyring" not in title:
    sys.exit("to open a sealed token costs more than 0.2 ms")
PY
  done
  # Ten times the profiles, ten times the work, whether all are of one provider or ten of each, and
  # whether any gives a token: nothing looks through all of them for each of them.
  # What one more profile may cost, a tenth over what it does: half of it is to read its two kilobytes.
  # The two with fingerprints count SHA-256 without the instructions that a processor has for it.
  declare -A most=(
    ["models auth token --profile anthropic:500"]=5650
    ["models auth token"]=12700
    ["models status"]=22900
    ["models status --json"]=158000
    ["models auth explain"]=23500
    ["models auth list"]=140000
  )
  looking=("${large[@]}" "models status --prompt" "models status --prometheus -"
    "models auth token --provider acme-7")
  # The same number whatever else runs, so each core counts.
  mkdir "$work/counts"
  count() { # file, command
    while [ "$(jobs -rp | wc -l)" -ge "$(nproc)" ]; do wait -n; done
    # Some of the commands end as they should where no login is good: with a code of their own.
    { instructions "${@:2}" > "$work/counts/$1" || true; } &
  }
  for at in "${!looking[@]}"; do
    for spread in "" -spread -ended; do
      # shellcheck disable=SC2086
      count "many$spread-$at" $many$spread ${looking[at]}
      # shellcheck disable=SC2086
      count "more$spread-$at" $more$spread ${looking[at]}
    done
  done
  wait
  for at in "${!looking[@]}"; do
    command=${looking[at]}
    for spread in "" -spread -ended; do
      python3 - "$command$spread" "$(cat "$work/counts/more$spread-$at")" \
        "$(cat "$work/counts/many$spread-$at")" "${most[$command$spread]:-0}" <<'PY'
import sys
command, low, high, most = sys.argv[1], *(int(text) for text in sys.argv[2:])
print(f"{command + ', 10000 / 1000':<52} {high / low:6.2f}x   ({low}, {high})")
if high > 12 * low:
    sys.exit("a large store costs more than in proportion to its size")
if most and high - low > most * 9000:
    sys.exit(f"one more profile costs {(high - low) // 9000} instructions, over {most}")
PY
    done
  done
else
  echo "instructions: valgrind is not installed, not counted"
fi

"$bin" --state-dir "$work/kernel" secrets lock >/dev/null || true
unset DBUS_SESSION_BUS_ADDRESS

if [ -x /usr/bin/time ]; then
  # shellcheck disable=SC2086
  peak=$( { /usr/bin/time -f %M $few models auth token --profile anthropic:1 >/dev/null; } 2>&1)
  printf '%-52s %6.2f MiB\n' "peak memory of a token" "$(awk "BEGIN { print $peak / 1024 }")"
  # shellcheck disable=SC2086
  peak=$( { /usr/bin/time -f %M $many models auth token --profile anthropic:500 >/dev/null; } 2>&1)
  printf '%-52s %6.2f MiB\n' "peak memory of a token, 10000 profiles" "$(awk "BEGIN { print $peak / 1024 }")"
  if [ "$peak" -gt $((12 * 1024)) ]; then
    echo "a large store is held to look at one profile" >&2
    exit 1
  fi
  # shellcheck disable=SC2086
  peak=$( { /usr/bin/time -f %M $many models auth token >/dev/null; } 2>&1)
  printf '%-52s %6.2f MiB\n' "peak memory of a default token, 10000 profiles" "$(awk "BEGIN { print $peak / 1024 }")"
  if [ "$peak" -gt $((20 * 1024)) ]; then
    echo "the secrets of a large store are held to choose one" >&2
    exit 1
  fi
else
  echo "peak memory: /usr/bin/time is not installed, not measured"
fi
printf '%-52s %6.2f MiB\n' "size of the binary" "$(stat -c %s "$bin" | awk '{ print $1 / 1048576 }')"

# What is not to be quoted need not be linked with everything once more.
if [ -n "${OPENCLAW_BENCH_QUICK:-}" ]; then
  cargo test --locked --quiet --bench ratios
else
  cargo bench --locked --quiet --bench ratios
fi
