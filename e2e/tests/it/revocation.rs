//! A token that was taken back is not believed until it ends: the edge hears of it from the core.

use serde_json::json;
use stockade_test_support::deadline::eventually_yes;
use stockade_test_support::{Client, Stockade};

/// Waits until the edge does not believe a token any more that it believed a moment ago.
async fn is_refused(client: &Client) {
    let look = || Box::pin(async { client.get("/api/orders").send().await.status == 401 });
    eventually_yes("the token is refused", look).await;
    client.get("/api/orders").send().await.refused(401, "token_invalid");
}

#[tokio::test]
async fn a_session_that_is_logged_out_is_over_for_its_tokens() {
    let mut stockade = Stockade::start().await;
    let (left, stays) = (stockade.member("customer"), stockade.member("staff"));
    let accounts = stockade.accounts();
    let (_, username, password) = accounts.iter().find(|(role, ..)| role == "customer").unwrap();
    let other = stockade.visitor().with_token(&stockade.visitor().log_in(username, password).await);
    // From now on the edge remembers that these tokens were signed by the core.
    for client in [&left, &stays, &other] {
        assert_eq!(client.get("/api/orders").send().await.status, 200);
    }

    assert_eq!(left.post("/api/auth/logout").send().await.status, 204);

    is_refused(&left).await;
    // Neither another session of the same account nor anybody else's is over.
    for client in [&stays, &other] {
        assert_eq!(client.get("/api/orders").send().await.status, 200);
    }

    // Whoever starts anew hears of it before it believes anybody.
    assert!(stockade.terminate().await.success());
    stockade.start_again().await;
    stockade.member("customer").get("/api/orders").send().await.refused(401, "token_invalid");
}

#[tokio::test]
async fn an_account_that_is_disabled_is_refused_with_every_token() {
    let stockade = Stockade::start().await;
    let (admin, customer) = (stockade.member("super-admin"), stockade.member("customer"));
    let me = customer.get("/api/me").send().await.json();
    let path = format!("/api/admin/users/{}", me["id"].as_str().unwrap());

    let disabled = admin.call("PATCH", &path).json(&json!({"disabled": true})).send().await;

    assert_eq!(disabled.status, 200, "{disabled:?}");
    is_refused(&customer).await;
    assert_eq!(admin.get("/api/orders").send().await.status, 200);
}
