#!/bin/sh
# Every call once: token, upload, status, list, delete by upload, customers, aliases, revoke.
# Wants in the environment what `make run` prints:
#
#   BASE=http://127.0.0.1:8080 RESELLER_ID=… CUSTOMER_ID=… CLIENT_ID=… CLIENT_SECRET=… sh all-calls.sh
#
# It can be run again and again: what it uploads it takes back.
set -eu
: "${BASE:?}" "${RESELLER_ID:?}" "${CUSTOMER_ID:?}" "${CLIENT_ID:?}" "${CLIENT_SECRET:?}"
gen2=$BASE/kcs/v1/rp
run=$(date +%s)-$$

say() { printf '\n%s\n' "$*"; }
call() { curl -sS --fail-with-body -H "Authorization: Bearer $token" "$@"; echo; }

# Asks until the transaction has settled, then shows its status.
settled() {
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    status=$(call "$gen2/devices/status?resellerId=$RESELLER_ID&transactionId=$1")
    case $status in *'"state":"Complete"'*) echo "$status"; return ;; esac
    sleep 1
  done
  echo "$1 has not settled: $status" >&2
  exit 1
}

say 'Token'
token=$(curl -sS --fail-with-body -u "$CLIENT_ID:$CLIENT_SECRET" \
  -d grant_type=client_credentials "$BASE/ams/v1/oauth2/token" |
  sed 's/.*"access_token":"\([^"]*\)".*/\1/')
echo "${#token} characters"

say 'Upload'
call -X PUT "$gen2/devices/upload" -d '{
  "resellerId": "'"$RESELLER_ID"'", "customerId": "'"$CUSTOMER_ID"'", "type": "IMEI",
  "transactionId": "up-'"$run"'", "devices": ["353918204417261", "357204916638429"]}'

say 'Status'
settled "up-$run"

say 'List'
call "$gen2/devices?resellerId=$RESELLER_ID&pageSize=1"

say 'Delete what the upload brought'
call -X PUT "$gen2/devices/delete" -d '{
  "resellerId": "'"$RESELLER_ID"'", "customerId": "'"$CUSTOMER_ID"'",
  "transactionId": "del-'"$run"'", "removeTransactionId": "up-'"$run"'"}'
settled "del-$run"

say 'Customers'
call "$gen2/customers/list?resellerId=$RESELLER_ID"

say 'Profile aliases'
call -H "resellerId: $RESELLER_ID" -H "customerId: $CUSTOMER_ID" "$gen2/profilealias/kme"

say 'Revoke'
curl -sS --fail-with-body -u "$CLIENT_ID:$CLIENT_SECRET" -d "token=$token" \
  "$BASE/ams/v1/oauth2/revoke"
# At once on the node that was asked, within a second on all others.
code=$(curl -s -o /dev/null -w '%{http_code}' -H "Authorization: Bearer $token" \
  "$gen2/devices?resellerId=$RESELLER_ID")
echo "the token now gets $code"
test "$code" = 401
