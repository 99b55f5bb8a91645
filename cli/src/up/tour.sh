# Look around: the shop's products, open to everybody.
curl -s -w '\n' --cacert {ca} {url}/api/products

# Log in as the demo's customer.
PASSWORD=$(sed -n 's/.*"username":"customer","password":"\([^"]*\)".*/\1/p' {demo})
TOKEN=$(curl -s --cacert {ca} {url}/api/auth/token -d grant_type=password -d username=customer -d password=$PASSWORD | sed 's/.*"access_token":"\([^"]*\)".*/\1/')

# Buy something, and see your orders.
curl -s -w '\n' --cacert {ca} {url}/api/orders -H "Authorization: Bearer $TOKEN" -H "Idempotency-Key: $(date +%s%N)" -H 'Content-Type: application/json' -d '{"lines":[{"sku":"MUG-BLUE","quantity":1}]}'
curl -s -w '\n' --cacert {ca} {url}/api/orders -H "Authorization: Bearer $TOKEN"

# Be refused: without a token (401), and with a role that may not (403).
curl -si -w '\n' --cacert {ca} {url}/api/orders
curl -si -w '\n' --cacert {ca} {url}/api/inventory -H "Authorization: Bearer $TOKEN"

# See it counted.
curl -s http://{ops}/metrics | grep stockade_edge_requests_total
