#!/bin/sh
# Provokes every code that a client can, and says which came. Wants a server with the small world of
# --seed, and in the environment what its ready file holds:
#
#   BASE CLIENT_ID CLIENT_SECRET OPERATOR_ID OPERATOR_SECRET
#
# Left out: 40000012 (a command gives it) and 50000000 (needs a server in trouble).
set -eu
: "${BASE:?}" "${CLIENT_ID:?}" "${CLIENT_SECRET:?}" "${OPERATOR_ID:?}" "${OPERATOR_SECRET:?}"
reseller=3811947052 other=6204918375 customer=4102938475 never=8463025917
gen2=$BASE/kcs/v1/rp
run=$(date +%s)-$$
failed=0
n=0

# token ID SECRET [more of the form …]
token() {
  id=$1 secret=$2; shift 2
  curl -sS -u "$id:$secret" -d grant_type=client_credentials "$@" "$BASE/ams/v1/oauth2/token" |
    sed 's/.*"access_token":"\([^"]*\)".*/\1/'
}
# expect CODE WHAT ANSWER: one line, and whether the answer has the code
expect() {
  case $3 in
  *"\"code\":$1,"*) echo "$1  $2" ;;
  *) echo "$1  $2: MISSED, got $3"; failed=1 ;;
  esac
}
with() { t=$1; shift; curl -sS -H "Authorization: Bearer $t" "$@"; }
get() { with "$all" "$gen2/$1"; }
# put upload|delete MEMBERS: to this customer, unless MEMBERS says otherwise
put() {
  n=$((n + 1))
  with "$all" -X PUT "$gen2/devices/$1" -d '{"resellerId":"'"$reseller"'","transactionId":"'"${id:-$run-$n}"'",
    "customerId":"'"${to:-$customer}"'",'"$2"'}'
}
status() {
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    answer=$(get "devices/status?resellerId=$reseller&transactionId=$1")
    case $answer in *'"state":"Progress"'*) sleep 0.3 ;; *) break ;; esac
  done
  echo "$answer"
}

all=$(token "$CLIENT_ID" "$CLIENT_SECRET")
view=$(token "$CLIENT_ID" "$CLIENT_SECRET" -d scope=kdp.devices:view)
operator=$(token "$OPERATOR_ID" "$OPERATOR_SECRET")
one='"type":"IMEI","devices":["352708111000008"]'

echo 'Of a call:'
expect 40000000 'type left out' "$(put upload '"devices":["352708111000008"]')"
expect 40000001 'resellerId twice' "$(get "devices?resellerId=$reseller&resellerId=$reseller")"
expect 40000002 'page 999' "$(get "devices?resellerId=$reseller&pageNum=999")"
echo '{"resellerId":"'$reseller'","customerId":"'$customer'","transactionId":"'"$run"'-many","type":"IMEI",
  "devices":["1"' >"${TMPDIR:-/tmp}/waybill-$run.json"
awk 'BEGIN { for (i = 0; i < 100000; i++) print ",\"1\""; print "]}" }' >>"${TMPDIR:-/tmp}/waybill-$run.json"
expect 40000003 '100,001 devices' "$(with "$all" -X PUT "$gen2/devices/upload" \
  --data-binary "@${TMPDIR:-/tmp}/waybill-$run.json")"
rm -f "${TMPDIR:-/tmp}/waybill-$run.json"
expect 40000010 "another's resellerId" "$(get "devices?resellerId=$other")"
expect 40000011 'upload to nobody' "$(to=1111111111 put upload "$one")"
expect 40000013 'status of nothing' "$(get "devices/status?resellerId=$reseller&transactionId=never")"
expect 40000014 'transactionId again' "$(id=SEED-001 put upload "$one")"
expect 40100000 'no token' "$(curl -sS "$gen2/devices")"
expect 40300000 'a token that may only look' "$(with "$view" -X PUT "$gen2/devices/upload" -d '{}')"
expect 40400000 'no such path' "$(get nothing)"
expect 40400001 'no such reseller' "$(with "$operator" "$gen2/devices?resellerId=1111111111")"
expect 40400002 'delete for nobody' "$(to=1111111111 put delete "$one")"
expect 40400003 'no such vendor' "$(put upload "$one"',"vendorId":"999"')"
expect 40400004 'delete for a customer never served' "$(to=$never put delete "$one")"
expect 40500000 'POST to the list' "$(with "$all" -X POST "$gen2/devices")"
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
  token nobody-"$run" wrong >/dev/null
done
expect 42900000 'the 21st wrong secret' "$(token nobody-"$run" wrong)"

echo 'Of a device:'
id=$run-imei put upload '"type":"IMEI","devices":["490154203237518","352708111000008","352708111000009"]' >/dev/null
id=$run-meid put upload '"type":"MEID","devices":["A0000012345"]' >/dev/null
id=$run-sn put upload '"type":"SN","devices":["X58M3141593"]' >/dev/null
id=$run-del put delete '"devices":["not-a-device","359077335182049"]' >/dev/null
answer=$(status "$run-imei")
expect 40000004 'a test identifier' "$answer"
expect 40000005 'held already' "$answer"
expect 40000007 'a wrong check digit' "$answer"
expect 40000008 'a short MEID' "$(status "$run-meid")"
expect 40000009 'a serial number without its R' "$(status "$run-sn")"
answer=$(status "$run-del")
expect 40000006 'no identifier at all' "$answer"
expect 40000044 'a device that you do not hold' "$answer"
exit $failed
