//! A small policy for tests, apart from the shipped one: its lines stay where they are.

use std::fs;
use std::path::Path;

const ROLES: &str = "\
g, super-admin, admin
g, admin, staff
g, staff, customer
g, customer, anonymous
g, suspended, anonymous
";

const POLICY: &str = "\
p, anonymous, products, read, any, allow
p, anonymous, auth, token, any, allow
p, customer, orders, read, own, allow
p, customer, orders, cancel, own, allow
p, customer, accounts, read, own, allow
p, staff, orders, read, any, allow
p, staff, orders, cancel, any, allow
p, admin, products, create, any, allow
p, admin, accounts, read, any, allow
p, super-admin, products, delete, any, allow
p, suspended, orders, cancel, any, deny
";

const ROUTES: &str = r#"[resources]
accounts = { owned = true, actions = ["read"] }
auth = { actions = ["token"] }
orders = { owned = true, actions = ["cancel", "read", "refund"] }
products = { actions = ["create", "delete", "read"] }

[roles]
admin = { network = "admins" }
super-admin = { network = "admins", mfa = "12h" }

[networks]
admins = ["127.0.0.1/32", "::1/128"]

[limits]
general = { key = "address", quota = 1000, per = "15m" }
writes = { key = "principal", quota = 30, per = "1h" }

[routes]
token = { match = "POST /api/token", needs = "auth.token", auth = "none", limits = ["general"] }
me = { match = "GET /api/me", needs = "accounts.read", auth = "required", limits = ["general"] }
products = { match = "GET /api/products", needs = "products.read", auth = "optional" }
create-product = { match = "POST /api/products", needs = "products.create", auth = "required" }
delete-product = { match = "DELETE /api/products/{id}", needs = "products.delete", auth = "required", mfa = "5m" }
orders = { match = "GET /api/orders", needs = "orders.read", auth = "required" }
cancel-order = { match = "POST /api/orders/{id}/cancel", needs = "orders.cancel", auth = "required", limits = ["general", "writes"] }
refund-order = { match = "POST /api/orders/{id}/refund", needs = "orders.refund", auth = "required" }
"#;

/// Writes the policy into `folder`, each of some texts replaced by another in a file.
pub(super) fn write(folder: &Path, edits: &[(&str, &str, &str)]) {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../policies");
    fs::create_dir_all(folder).unwrap();
    for name in stockade_policy::RUNTIME_FILES {
        let mut text = match name {
            "roles.csv" => ROLES.to_owned(),
            "policy.csv" => POLICY.to_owned(),
            "routes.toml" => ROUTES.to_owned(),
            _ => fs::read_to_string(shipped.join(name)).unwrap(),
        };
        for (_, from, to) in edits.iter().filter(|(file, ..)| *file == name) {
            assert!(text.contains(from), "{name} lacks {from}");
            text = text.replacen(from, to, 1);
        }
        fs::write(folder.join(name), text).unwrap();
    }
}
