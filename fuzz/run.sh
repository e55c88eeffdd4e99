#!/usr/bin/env bash
# Runs each fuzz target for the given number of seconds (60 by default): coverage-guided with a nightly
# compiler and cargo-fuzz, else with randomly corrupted inputs. The seed is printed either way. `build`
# builds the targets without running them.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-60}

guided() {
  cargo +nightly --version && { cargo fuzz --version || cargo install cargo-fuzz --locked --quiet --debug; }
}

if ! guided 2>/dev/null; then
  [ "$seconds" != build ] || exit 0
  echo "no nightly compiler or no cargo-fuzz: random inputs instead"
  OPENCLAW_TEST_SECONDS=$seconds cargo test --locked --test it -- \
    --ignored --nocapture --test-threads 8 security::random_inputs::a_minute_of_
  exit
fi

# Not with a sanitizer: there is no unsafe code to watch, and without one it runs faster.
options=(--dev --strip-dead-code --sanitizer none)
export CARGO_TARGET_DIR=$PWD/target/fuzz
cargo +nightly fuzz build "${options[@]}"
[ "$seconds" != build ] || exit 0

pids=()
for target in document store callback paste manifest declared vault; do
  found=target/fuzz-corpus/$target
  mkdir -p "$found"
  cargo +nightly fuzz run "${options[@]}" "$target" "$found" "tests/corpus/$target" -- \
    -max_total_time="$seconds" -print_final_stats=1 -artifact_prefix="$found-" \
    > "$found.log" 2>&1 &
  pids+=($!)
done
failed=0
for target in document store callback paste manifest declared vault; do
  wait "${pids[0]}" || failed=1
  pids=("${pids[@]:1}")
  echo "== $target"
  grep -v -e $'\tNEW ' -e $'\tREDUCE ' -e $'\tpulse ' -e '# Uses:' "target/fuzz-corpus/$target.log"
done
exit "$failed"
