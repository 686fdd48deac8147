#!/bin/sh
# A walk through the reseller API with nothing but sh and curl: a token, the customers and their
# profiles, an upload, its status, the list of devices, a delete of all that the upload brought,
# and the end of the token. It says what it does, and ends with an error at the first surprise.
#
# Against a server that was started by `make run ARGS=--ready-file=ready.json`:
#
#     sh docs/examples/walkthrough.sh ready.json
#
# Or with what `make run` prints, set in the environment:
#
#     WAYBILL_URL=http://127.0.0.1:8080 RESELLER_ID=… CUSTOMER_ID=… CLIENT_ID=… CLIENT_SECRET=… \
#         sh docs/examples/walkthrough.sh
#
# The customer must be one that the reseller serves. What is uploaded is deleted again.
set -eu

newline='
'

fail() {
    printf '\nA surprise: %s\n' "$*" >&2
    exit 1
}

step() {
    printf '\n== %s\n' "$*"
}

# expect STATUS OPTIONS-OF-CURL... ADDRESS: calls, and shows and keeps the answer; another status is
# a surprise.
expect() {
    wanted=$1
    shift
    for address; do :; done
    printf '%s\n' "$address"
    answer=$(curl -sS --max-time 30 -w '\n%{http_code}' "$@") || fail "no answer from $WAYBILL_URL"
    status=${answer##*"$newline"}
    answer=${answer%"$newline"*}
    printf '  %s %s\n' "$status" "$answer"
    [ "$status" = "$wanted" ] || fail "the answer should have been $wanted"
}

# members: the members of the last answer, one a line.
members() {
    printf '%s\n' "$answer" | tr '{' , | tr '[' , | tr , '\n'
}

# text NAME: a member of the last answer that is a string; of several the first.
text() {
    members | sed -n 's/^ *"'"$1"'": *"\([^"]*\)".*/\1/p' | sed 1q
}

# number NAME: a member of the last answer that is a number.
number() {
    members | sed -n 's/^ *"'"$1"'": *\([0-9]*\).*/\1/p' | sed 1q
}

# contains TEXT: the last answer must.
contains() {
    case $answer in
    *"$1"*) ;;
    *) fail "the answer should contain $1" ;;
    esac
}

# imei [OFF]: a made-up IMEI; its check digit is off by OFF.
imei() {
    od -An -N12 -tu1 /dev/urandom | awk -v off="${1:-0}" '
        { for (at = 1; at <= NF; at++) body = body ($at % 10) }
        END {
            body = "35" body
            for (at = 1; at <= 14; at++) {
                digit = substr(body, at, 1) * (at % 2 ? 1 : 2)
                sum += digit > 9 ? digit - 9 : digit
            }
            print body ((90 + off * 1 + (10 - sum % 10)) % 10)
        }'
}

# settle ID: asks for a status until the transaction is complete.
settle() {
    tries=0
    while :; do
        expect 200 -H "Authorization: Bearer $token" \
            "$api/devices/status?resellerId=$RESELLER_ID&transactionId=$1"
        [ "$(text state)" = Complete ] && return
        tries=$((tries + 1))
        [ "$tries" -lt 60 ] || fail "$1 is not complete after a minute"
        sleep 1
    done
}

# --- where, and as whom -------------------------------------------------------------------------

if [ $# -gt 0 ]; then
    answer=$(cat "$1")
    WAYBILL_URL=$(text baseUrl)
    RESELLER_ID=$(text resellerId)
    CUSTOMER_ID=$(text customerId)
    CLIENT_ID=$(text clientId)
    CLIENT_SECRET=$(text clientSecret)
fi
: "${WAYBILL_URL:=http://127.0.0.1:8080}"
: "${RESELLER_ID:?name it, or give a ready file}" "${CUSTOMER_ID:?name it, or give a ready file}"
: "${CLIENT_ID:?name it, or give a ready file}" "${CLIENT_SECRET:?name it, or give a ready file}"
api=$WAYBILL_URL/kcs/v1/rp
unique=$(date +%s)-$$

# --- the walk -----------------------------------------------------------------------------------

step "Where to sign in"
expect 200 "$WAYBILL_URL/.well-known/oauth-authorization-server"

step "A token, for ten minutes. The answer is not shown: whoever reads it could act as the reseller"
answer=$(curl -sS --max-time 30 --data-urlencode grant_type=client_credentials \
    --data-urlencode "client_id=$CLIENT_ID" --data-urlencode "client_secret=$CLIENT_SECRET" \
    "$WAYBILL_URL/ams/v1/oauth2/token") || fail "no answer from $WAYBILL_URL"
token=$(text access_token)
[ -n "$token" ] || fail "no token: $answer"
echo "  expires in $(number expires_in) seconds, allows: $(text scope)"

step "The customers that reseller $RESELLER_ID serves"
expect 200 -H "Authorization: Bearer $token" "$api/customers/list?resellerId=$RESELLER_ID"
contains "\"customerId\":\"$CUSTOMER_ID\""

step "The profiles that customer $CUSTOMER_ID shares. The IDs are headers in this call alone."
expect 200 -H "Authorization: Bearer $token" \
    -H "resellerId: $RESELLER_ID" -H "customerId: $CUSTOMER_ID" "$api/profilealias/kme"
alias=$(text profileAlias)
profiles=
[ -z "$alias" ] || profiles=",\"profileAliases\":[{\"profileAlias\":\"$alias\"}]"

step "How many devices the reseller holds before"
expect 200 -H "Authorization: Bearer $token" "$api/devices?resellerId=$RESELLER_ID&pageSize=1"
before=$(number totalCount)

step "An upload of three phones, the last one with a wrong check digit: taken, and worked off soon"
first=$(imei) second=$(imei) wrong=$(imei 1) upload=walk-$unique
expect 200 -X PUT -H "Authorization: Bearer $token" -H 'Content-Type: application/json' -d "{
    \"customerId\": \"$CUSTOMER_ID\", \"resellerId\": \"$RESELLER_ID\",
    \"transactionId\": \"$upload\", \"orderNo\": \"Walk $unique\",
    \"type\": \"IMEI\", \"devices\": [\"$first\", \"$second\", \"$wrong\"]$profiles
}" "$api/devices/upload"
[ "$(text state)" = Progress ] || fail "the upload should be in progress"

step "Its status: complete, with exactly the one bad device named"
settle "$upload"
contains "\"devices\":[{\"imei\":\"$wrong\",\"code\":40000007,"
contains "\"data\":\"The specified IMEI is not valid.\"}],\"operationType\":\"UPLOAD\"}"

step "The devices: two more than before, the newest on the last page"
expect 200 -H "Authorization: Bearer $token" \
    "$api/devices?resellerId=$RESELLER_ID&pageSize=1&pageNum=$((before + 1))"
[ "$(number totalCount)" -eq $((before + 2)) ] || fail "there should be $((before + 2)) devices"
contains "\"mei\":\"$second\""

step "The same ID once more: refused, since an ID serves once"
expect 400 -X PUT -H "Authorization: Bearer $token" -d "{
    \"customerId\": \"$CUSTOMER_ID\", \"resellerId\": \"$RESELLER_ID\",
    \"transactionId\": \"$upload\", \"type\": \"IMEI\", \"devices\": [\"$first\"]
}" "$api/devices/upload"
[ "$(number code)" = 40000014 ] || fail "the code should be 40000014"

step "A delete of all that the upload brought"
expect 200 -X PUT -H "Authorization: Bearer $token" -d "{
    \"customerId\": \"$CUSTOMER_ID\", \"resellerId\": \"$RESELLER_ID\",
    \"transactionId\": \"$upload-back\", \"removeTransactionId\": \"$upload\"
}" "$api/devices/delete"
settle "$upload-back"
contains '"type":"Delete","operationType":"DELETE"}'
expect 200 -H "Authorization: Bearer $token" "$api/devices?resellerId=$RESELLER_ID&pageSize=1"
[ "$(number totalCount)" -eq "$before" ] || fail "there should be $before devices again"

step "The end of the token: a second later it is dead everywhere"
expect 200 --data-urlencode "token=$token" --data-urlencode "client_id=$CLIENT_ID" \
    --data-urlencode "client_secret=$CLIENT_SECRET" "$WAYBILL_URL/ams/v1/oauth2/revoke"
sleep 1
expect 401 -H "Authorization: Bearer $token" "$api/devices?resellerId=$RESELLER_ID"
contains '{"error":"Invalid authentication token"}'

printf '\nNo surprise.\n'
