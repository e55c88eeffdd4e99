#!/bin/sh
# Calls an API with one of several accounts of a provider, and switches to the next account when one
# has reached its limit.
#
#   examples/rotate.sh PROVIDER URL [MODEL]
#   printf '%s' "$body" | BODY=- examples/rotate.sh anthropic https://api.anthropic.com/v1/messages
#
# The response goes to standard output, messages go to standard error. With BODY=-, standard input is
# sent as a JSON body. HEADERS names a file with additional headers, one per line. OPENCLAW names the
# program. Exit status: 0 success; 1 the API rejected the request itself; 4 every account was tried, or
# the network or the server failed; else the exit code of `openclaw models auth token`.
#
# The token is in no argument, no environment variable and no file: curl reads it from a pipe, and
# `printf` is a shell builtin.
set -eu

if [ $# -lt 2 ]; then
  echo "usage: $0 PROVIDER URL [MODEL]" >&2
  exit 1
fi
provider=$1 url=$2 model=${3-}
openclaw=${OPENCLAW-openclaw}
attempts=5

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
if [ "${BODY-}" = - ]; then
  cat > "$work/body"
fi

# Prints a member of the JSON document on standard input, which has one member per line.
member() {
  sed -n "s/^  \"$1\": \"\\(.*\\)\",\\{0,1\\}\$/\\1/p"
}

# Reports the outcome. A failed report does not fail the script.
report() {
  if [ -n "$model" ]; then
    set -- "$@" --model "$model"
  fi
  "$openclaw" models auth report "$@" >&2 || echo "it could not be reported" >&2
}

# Prints the response's Retry-After (RFC 9110 section 10.2.3).
retry_after() {
  tr -d '\r' < "$work/headers" |
    sed -n 's/^[Rr][Ee][Tt][Rr][Yy]-[Aa][Ff][Tt][Ee][Rr]: *//p' | tail -n 1
}

# Sends the request and prints the status; headers and body go to files.
call() {
  set -- --silent --show-error --max-time 300 --config - \
    --dump-header "$work/headers" --output "$work/answer" --write-out '%{http_code}' "$url"
  if [ -f "$work/body" ]; then
    set -- --header 'Content-Type: application/json' --data-binary "@$work/body" "$@"
  fi
  if [ -n "${HEADERS-}" ]; then
    set -- --header "@$HEADERS" "$@"
  fi
  printf 'header = "Authorization: Bearer %s"\n' "$token" | curl "$@"
}

tried=" "
while [ "$attempts" -gt 0 ]; do
  attempts=$((attempts - 1))
  document=$("$openclaw" models auth token --provider "$provider" --json)
  token=$(printf '%s\n' "$document" | member token)
  profile=$(printf '%s\n' "$document" | member profile)
  document=
  if [ -z "$token" ] || [ -z "$profile" ]; then
    echo "there is no account of $provider to rotate" >&2
    exit 1
  fi
  # An account that comes up again is the best of those that are all cooling down.
  case $tried in
    *" $profile "*) break ;;
  esac
  tried="$tried$profile "

  status=$(call) || exit 4
  case $status in
    2??)
      report "$profile" --ok
      cat "$work/answer"
      exit 0
      ;;
    429)
      after=$(retry_after)
      case $after in
        # A date instead of seconds is ignored; the default cooldown applies.
        '' | *[!0-9]*) report "$profile" --failed rate_limit ;;
        *) report "$profile" --failed rate_limit --retry-after "$after" ;;
      esac
      ;;
    401 | 403) report "$profile" --failed auth ;;
    402) report "$profile" --failed billing ;;
    *)
      # Not the account's fault: another one would get the same response.
      echo "HTTP $status" >&2
      cat "$work/answer"
      case $status in
        408 | 5??) exit 4 ;;
        *) exit 1 ;;
      esac
      ;;
  esac
done
echo "every account of $provider was tried" >&2
exit 4
