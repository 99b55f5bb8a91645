# Where the shop is, whom to trust, and how somebody of the demo logs in.
export SHOP={url} CURL_CA_BUNDLE={ca}
token() { {stockade} token $1 --demo {demo}; }

# Look around: the shop's products, open to everybody.
curl -s -w '\n' $SHOP/api/products

# As a customer, buy something, and see your own orders.
CUSTOMER=$(token customer)
curl -s -w '\n' $SHOP/api/orders -H "Authorization: Bearer $CUSTOMER" -H "Idempotency-Key: $(date +%s%N)" -H 'Content-Type: application/json' -d '{"lines":[{"sku":"MUG-BLUE","quantity":1}]}'
curl -s -w '\n' $SHOP/api/orders -H "Authorization: Bearer $CUSTOMER"

# Pay for it. The provider is a mock that moves no money: this curl stands for its card form, and a signed webhook tells the shop.
ORDER=$(curl -s "$SHOP/api/orders?limit=1" -H "Authorization: Bearer $CUSTOMER" | sed 's/.*"id":"\([^"]*\)".*/\1/')
PAYMENT=$(curl -s -X POST $SHOP/api/orders/$ORDER/payments -H "Authorization: Bearer $CUSTOMER" -H "Idempotency-Key: $(date +%s%N)")
value() { echo "$PAYMENT" | sed "s/.*\"$1\":\"\([^\"]*\)\".*/\1/"; }
curl -s -w '\n' http://{payments}/v1/payment_intents/$(value provider_ref)/confirm -d client_secret=$(value client_secret) -d payment_method=pm_card_visa
for try in $(seq 20); do curl -s -w '\n' $SHOP/api/orders/$ORDER -H "Authorization: Bearer $CUSTOMER" | grep '"state":"paid"' && break; sleep 0.5; done

# As staff, see everybody's. Staff and above show a second factor, too; `stockade token` makes the code.
STAFF=$(token staff)
curl -s -w '\n' $SHOP/api/orders -H "Authorization: Bearer $STAFF"

# As admin, restock. From an address outside the admins' network the same token is worth nothing (403).
ADMIN=$(token admin)
curl -s -w '\n' $SHOP/api/inventory/MUG-BLUE/movements -H "Authorization: Bearer $ADMIN" -H "Idempotency-Key: $(date +%s%N)" -H 'Content-Type: application/json' -d '{"kind":"receive","quantity":10}'
curl -si -w '\n' --interface 127.0.0.2 $SHOP/api/inventory -H "Authorization: Bearer $ADMIN"

# Be refused: without a token (401), with a role that may not (403), where nothing is (404), with another method (405).
curl -si -w '\n' $SHOP/api/orders
curl -si -w '\n' $SHOP/api/inventory -H "Authorization: Bearer $CUSTOMER"
curl -si -w '\n' $SHOP/api/nothing
curl -si -w '\n' -X PUT $SHOP/api/products

# With too large a body (413), with another media type (415), and after five failed logins (429).
head -c 100000 /dev/zero | curl -si -w '\n' $SHOP/api/auth/register -H 'Content-Type: application/json' --data-binary @-
curl -si -w '\n' $SHOP/api/auth/register -H 'Content-Type: text/plain' -d hello
for attempt in 1 2 3 4 5 6; do curl -s -o /dev/null -w '%{http_code}\n' $SHOP/api/auth/token -d grant_type=password -d username=nobody -d password=wrong; done

# See it counted.
curl -s http://{ops}/metrics | grep -E '^stockade_edge_(requests|rejections)_total.* [1-9]'
