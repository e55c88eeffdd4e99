#!/bin/sh
# Calls an API with one of several accounts of a provider, and with the next one when an account
# has reached its limit.
#
#   examples/rotate.sh PROVIDER URL [MODEL]
#   printf '%s' "$body" | BODY=- examples/rotate.sh anthropic https://api.anthropic.com/v1/messages
#
# The answer goes to standard output, what happens to standard error. What is on standard input is
# sent as a JSON body where BODY is "-"; HEADERS names a file of further headers, a line each.
# OPENCLAW names the program. Exit status: 0 done; 1 the API refused the request itself; 4 every
# account was tried, or network or server are in trouble; else what `openclaw models auth token` said.
#
# The token is in no argument, no environment and no file: curl reads it from a pipe, and `printf`
# is a part of the shell.
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

# A member of the JSON document on standard input, which has one a line.
member() {
  sed -n "s/^  \"$1\": \"\\(.*\\)\",\\{0,1\\}\$/\\1/p"
}

# Tells how it went. What only concerns the book-keeping is no reason to fail.
report() {
  if [ -n "$model" ]; then
    set -- "$@" --model "$model"
  fi
  "$openclaw" models auth report "$@" >&2 || echo "it could not be reported" >&2
}

# What the answer's Retry-After says (RFC 9110 section 10.2.3).
retry_after() {
  tr -d '\r' < "$work/headers" |
    sed -n 's/^[Rr][Ee][Tt][Rr][Yy]-[Aa][Ff][Tt][Ee][Rr]: *//p' | tail -n 1
}

# Prints the status; headers and body go to files.
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
  # Whoever is handed out again is the best of those that are all passed over.
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
        # A date instead of seconds is left out: the usual time to wait is taken.
        '' | *[!0-9]*) report "$profile" --failed rate_limit ;;
        *) report "$profile" --failed rate_limit --retry-after "$after" ;;
      esac
      ;;
    401 | 403) report "$profile" --failed auth ;;
    402) report "$profile" --failed billing ;;
    *)
      # No fault of the account: another one would be told the same.
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
