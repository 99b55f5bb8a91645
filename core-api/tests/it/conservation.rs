//! Whatever is done to stock, in whatever order, no unit is made, lost or sold twice.

use std::collections::BTreeMap;
use std::time::Duration;

use hyper::StatusCode;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::json;
use uuid::Uuid;

use crate::call::Answer;
use crate::world::{Stock, World, someone};

const SKUS: [&str; 2] = ["PRINT-10", "CHAIR-OAK"];

/// How long an order holds its stock.
const HOLD: Duration = Duration::from_secs(15 * 60);

#[derive(Debug, Clone)]
enum Step {
    Receive {
        sku: usize,
        quantity: u32,
    },
    Adjust {
        sku: usize,
        delta: i64,
    },
    Place {
        units: [u32; 2],
    },
    /// One of the orders there are, whatever has become of it.
    Cancel {
        order: usize,
    },
    Wait {
        minutes: u64,
    },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => (0..2_usize, 1..6_u32).prop_map(|(sku, quantity)| Step::Receive { sku, quantity }),
        2 => (0..2_usize, -9..9_i64).prop_map(|(sku, delta)| Step::Adjust { sku, delta }),
        5 => [0..7_u32, 0..7_u32].prop_map(|units| Step::Place { units }),
        3 => (0..20_usize).prop_map(|order| Step::Cancel { order }),
        1 => (1..20_u64).prop_map(|minutes| Step::Wait { minutes }),
    ]
}

/// What ought to be: the shop in a few numbers.
#[derive(Default)]
struct Model {
    on_hand: [i64; 2],
    now: Duration,
    orders: Vec<Held>,
}

struct Held {
    id: String,
    units: [u32; 2],
    until: Duration,
    cancelled: bool,
}

impl Model {
    fn reserved(&self, sku: usize) -> i64 {
        let live = self.orders.iter().filter(|order| !order.cancelled && self.now < order.until);
        live.map(|order| i64::from(order.units[sku])).sum()
    }

    fn available(&self, sku: usize) -> i64 {
        self.on_hand[sku] - self.reserved(sku)
    }
}

async fn play(world: &World, buyer: Uuid, model: &mut Model, step: Step) {
    match step {
        Step::Receive { sku, quantity } => {
            world.receive(SKUS[sku], quantity).send().await.created();
            model.on_hand[sku] += i64::from(quantity);
        }
        Step::Adjust { sku, delta } => {
            let answer = world.adjust(SKUS[sku], delta, "counted").send().await;
            match delta {
                0 => answer.refused(422, "invalid_request"),
                _ if model.available(sku) + delta < 0 => answer.refused(409, "below_reserved"),
                _ => {
                    answer.created();
                    model.on_hand[sku] += delta;
                }
            }
        }
        Step::Place { units } => {
            let answer = place(world, buyer, units).await;
            if units == [0, 0] {
                answer.refused(422, "invalid_request");
            } else if (0..2).any(|sku| i64::from(units[sku]) > model.available(sku)) {
                answer.refused(409, "out_of_stock");
            } else {
                answer.created();
                let (id, until) = (answer.text("id").to_owned(), model.now + HOLD);
                model.orders.push(Held { id, units, until, cancelled: false });
            }
        }
        Step::Cancel { order } => {
            let now = model.now;
            let Some(order) = model.orders.get_mut(order) else { return };
            let answer = world.cancel(buyer, &order.id).send().await;
            if order.cancelled || now < order.until {
                assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
                order.cancelled = true;
            } else {
                answer.refused(409, "order_state");
            }
        }
        Step::Wait { minutes } => {
            let time = Duration::from_secs(60 * minutes);
            world.clock.advance(time);
            model.now += time;
        }
    }
}

async fn place(world: &World, buyer: Uuid, units: [u32; 2]) -> Answer {
    let lines = SKUS.iter().zip(units).filter(|(_, units)| *units > 0);
    let lines: Vec<_> = lines.map(|(sku, units)| json!({"sku": sku, "quantity": units})).collect();
    let order = world.by(buyer, "POST", "/api/orders").key(&someone().to_string());
    order.json(&json!({"lines": lines})).send().await
}

/// The ledger of a SKU, added up.
async fn ledger(world: &World, sku: &str) -> Stock {
    let mut sums = BTreeMap::from([("on_hand_change", 0), ("reserved_change", 0)]);
    let mut path = format!("/api/inventory/{sku}/movements?limit=7");
    loop {
        let page = world.call("GET", path).send().await;
        for entry in page.body["items"].as_array().unwrap() {
            sums.iter_mut().for_each(|(name, sum)| *sum += entry[name].as_i64().unwrap());
        }
        let Some(cursor) = page.body["next"].as_str() else { break };
        path = format!("/api/inventory/{sku}/movements?limit=7&cursor={cursor}");
    }
    Stock { on_hand: sums["on_hand_change"], reserved: sums["reserved_change"] }
}

async fn holds(script: Vec<Step>) {
    let world = World::start().await;
    let buyer = someone();
    let mut model = Model { on_hand: [10, 25], ..Model::default() };
    for step in script {
        play(&world, buyer, &mut model, step).await;
    }
    for (sku, name) in SKUS.into_iter().enumerate() {
        // Whoever changes a SKU first gives back what is due of it.
        world.receive(name, 1).send().await.created();
        let expected = Stock { on_hand: model.on_hand[sku] + 1, reserved: model.reserved(sku) };
        assert_eq!(world.stock(name).await, expected, "{name}");
        assert_eq!(ledger(&world, name).await, expected, "{name}");
    }
    world.intact().await;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn stock_is_conserved(script in vec(step(), 1..40)) {
        tokio::runtime::Runtime::new().unwrap().block_on(holds(script));
    }
}
