//! Whatever somebody changes in the audit trail by hand is found, and named.

use std::fs;
use std::time::Duration;

use serde_json::json;
use sqlx::{AssertSqlSafe, SqlSafeStr as _};
use stockade_audit::chain::{AuditKey, Checkpoint, Digest, Unsigned, link};
use stockade_core_api::{TrailPlace, TrailReport, verify_trail};
use stockade_settings::store::Writers;
use stockade_test_support::deadline::{eventually, eventually_yes};

use crate::backend::{AUDIT_GUARDS, Connection};
use crate::world::{PRINT, World, audit_key, someone};

async fn proof(world: &World) -> TrailReport {
    let settings = &world.settings;
    let place = TrailPlace {
        url: settings.store.url.as_ref().unwrap(),
        password_file: None,
        key_file: settings.audit_key_file.as_deref().unwrap(),
        checkpoints_file: settings.audit_checkpoints_file.as_deref().unwrap(),
    };
    verify_trail(place).await.unwrap()
}

/// A world whose trail has one chain and two checkpoints, one for each core that was stopped, and
/// where each of them stands.
async fn trail() -> (World, u64, u64) {
    let mut world = World::start_with(|settings| settings.store.writers = Writers::ONE).await;
    let mut stands = Vec::new();
    for _ in 0..2 {
        for _ in 0..4 {
            world.order(someone(), PRINT, 1).send().await.created();
        }
        world = world.restart().await;
        stands.push(last_told(&world).head(1).unwrap().sequence);
    }
    let report = proof(&world).await;
    assert!(report.is_intact() && report.complete, "{report}");
    assert_eq!((report.chains, report.checkpoints, report.told), (1, 2, 2));
    (world, stands[0], stands[1])
}

fn last_told(world: &World) -> Checkpoint {
    let file = world.settings.audit_checkpoints_file.as_ref().unwrap();
    Checkpoint::parse(fs::read_to_string(file).unwrap().lines().next_back().unwrap()).unwrap()
}

async fn unguarded(world: &World) -> Connection {
    let mut database = world.database().await;
    for statement in AUDIT_GUARDS {
        sqlx::query(statement).execute(&mut database).await.unwrap();
    }
    database
}

async fn run(database: &mut Connection, statement: String) {
    sqlx::query(AssertSqlSafe(statement).into_sql_str()).execute(database).await.unwrap();
}

/// The one fault that is found after these statements.
async fn fault_after(world: &World, statements: &[String]) -> String {
    let mut database = unguarded(world).await;
    for statement in statements {
        run(&mut database, statement.clone()).await;
    }
    let report = proof(world).await;
    let faults: Vec<_> = report.faults.iter().map(ToString::to_string).collect();
    assert!(!report.is_intact(), "{report}");
    faults.join("\n")
}

#[tokio::test]
async fn the_database_refuses_to_change_what_was_told() {
    let (world, ..) = trail().await;
    let mut database = world.database().await;
    for statement in [
        "UPDATE audit SET actor = 'core'",
        "DELETE FROM audit",
        "UPDATE audit_checkpoint SET line = ''",
        "DELETE FROM audit_checkpoint",
    ] {
        let error = sqlx::query(statement).execute(&mut database).await.unwrap_err().to_string();
        assert!(error.contains("append-only"), "{statement}: {error}");
    }
}

#[tokio::test]
async fn a_field_that_was_edited_is_found() {
    let (world, ..) = trail().await;
    for column in
        ["actor", "roles", "action", "object_kind", "object_id", "outcome", "detail", "request"]
    {
        let edit = format!("UPDATE audit SET {column} = {column} || 'x' WHERE sequence = 7");
        let undo = format!(
            "UPDATE audit SET {column} = substr({column}, 1, length({column}) - 1) WHERE sequence = 7"
        );
        let fault = fault_after(&world, &[edit]).await;
        assert!(fault.starts_with("chain 1, row 7: its fields are not those"), "{column}: {fault}");
        run(&mut world.database().await, undo).await;
        assert!(proof(&world).await.is_intact());
    }
    let fault =
        fault_after(&world, &["UPDATE audit SET at = at + 1 WHERE sequence = 3".to_owned()]).await;
    assert!(fault.starts_with("chain 1, row 3: its fields are not those"), "{fault}");
}

#[tokio::test]
async fn a_row_that_was_taken_out_or_swapped_is_found() {
    let (world, ..) = trail().await;
    let fault = fault_after(&world, &["DELETE FROM audit WHERE sequence = 5".to_owned()]).await;
    assert_eq!(fault, "chain 1, row 5: it is missing; the next row that is there is 6");

    let (world, ..) = trail().await;
    let place =
        |from: u64, to: u64| format!("UPDATE audit SET sequence = {to} WHERE sequence = {from}");
    let fault = fault_after(&world, &[place(5, 1_000), place(6, 5), place(1_000, 6)]).await;
    assert!(fault.starts_with("chain 1, row 5: its fields are not those"), "{fault}");
}

#[tokio::test]
async fn a_tail_that_was_cut_off_is_found() {
    let (world, _, end) = trail().await;
    let fault =
        fault_after(&world, &[format!("DELETE FROM audit WHERE sequence > {}", end - 2)]).await;
    let expected = format!(
        "chain 1, row {}: rows {} to {end} are gone: checkpoint 2 was signed over {end}",
        end - 1,
        end - 1
    );
    assert_eq!(fault, expected);
    // Nor is it signed away.
    let world = world.restart().await;
    assert_eq!(last_told(&world).number(), 2);
    assert!(!proof(&world).await.is_intact());
}

/// Row by row as it is kept.
type Row = (i64, i64, i64, String, String, String, String, String, String, String, String);

/// Gives rows the hashes that fit their fields, from one on, as somebody would who knows how.
async fn rewrite(database: &mut Connection, from: u64, to: u64) {
    let from = i64::try_from(from).unwrap();
    let before = "SELECT hash FROM audit WHERE chain = 1 AND sequence = $1";
    let hash: Vec<u8> =
        sqlx::query_scalar(before).bind(from - 1).fetch_one(&mut *database).await.unwrap();
    let mut previous = Digest::from_slice(&hash).unwrap();
    let rows = "SELECT chain, sequence, at, actor, roles, action, object_kind, object_id, outcome,
                       detail, request
                  FROM audit WHERE chain = 1 AND sequence BETWEEN $1 AND $2 ORDER BY sequence";
    let found = sqlx::query_as(rows).bind(from).bind(i64::try_from(to).unwrap());
    let found: Vec<Row> = found.fetch_all(&mut *database).await.unwrap();
    for (chain, sequence, at, actor, roles, action, kind, object, outcome, detail, request) in found
    {
        let texts = [&actor, &roles, &action, &kind, &object, &outcome, &detail, &request];
        let (chain, place) = (u32::try_from(chain).unwrap(), u64::try_from(sequence).unwrap());
        let (chain, place, at) = (chain.to_be_bytes(), place.to_be_bytes(), at.to_be_bytes());
        let mut fields: Vec<&[u8]> = vec![&chain, &place, &at];
        fields.extend(texts.map(|text| text.as_bytes()));
        let hash = link(&previous, &fields);
        let update = "UPDATE audit SET previous = $1, hash = $2 WHERE chain = 1 AND sequence = $3";
        let update = sqlx::query(update).bind(previous.as_bytes().as_slice());
        let update = update.bind(hash.as_bytes().as_slice()).bind(sequence);
        update.execute(&mut *database).await.unwrap();
        previous = hash;
    }
}

#[tokio::test]
async fn a_chain_that_was_rewritten_is_found_from_its_checkpoints() {
    let (world, first, end) = trail().await;
    let mut database = unguarded(&world).await;
    // One row and its hash: the row after it says what it was.
    run(&mut database, "UPDATE audit SET actor = 'edge' WHERE sequence = 7".to_owned()).await;
    rewrite(&mut database, 7, 7).await;
    let fault = proof(&world).await.faults[0].to_string();
    assert!(fault.starts_with("chain 1, row 7: it was rewritten"), "{fault}");

    // Everything behind it, too: a checkpoint was signed over something else.
    rewrite(&mut database, 7, end).await;
    let fault = proof(&world).await.faults[0].to_string();
    let expected = format!("chain 1, row {first}: it is not the row that checkpoint 1 was signed");
    assert!(fault.starts_with(&expected), "{fault}");
    assert!(fault.contains("beginning after row 0"), "{fault}");

    let (world, first, end) = trail().await;
    let mut database = unguarded(&world).await;
    let edit = format!("UPDATE audit SET actor = 'edge' WHERE sequence = {}", first + 2);
    run(&mut database, edit).await;
    rewrite(&mut database, first + 2, end).await;
    let fault = proof(&world).await.faults[0].to_string();
    let expected = format!("chain 1, row {end}: it is not the row that checkpoint 2 was signed");
    assert!(fault.starts_with(&expected), "{fault}");
    assert!(fault.contains(&format!("beginning after row {first}, which")), "{fault}");
}

#[tokio::test]
async fn a_checkpoint_that_was_replaced_is_found() {
    let (world, ..) = trail().await;
    let told = last_told(&world);
    let replace =
        |line: &str| format!("UPDATE audit_checkpoint SET line = '{line}' WHERE number = 2");
    let line = told.to_line().replace("\"at\":18", "\"at\":17");
    let fault = fault_after(&world, &[replace(&line)]).await;
    assert!(fault.starts_with("checkpoint 2: its signature does not fit it"), "{fault}");

    // By somebody with a key of their own.
    let theirs = AuditKey::from_pem(audit_key().as_bytes()).unwrap();
    let (number, at, previous) = (told.number(), told.at(), told.previous());
    let forged = |heads| Unsigned { number, at, previous, heads };
    let line = forged(told.heads().to_vec()).sign(&theirs).to_line();
    let mut database = world.database().await;
    run(&mut database, replace(&line)).await;
    let fault = proof(&world).await.faults[0].to_string();
    assert!(fault.starts_with("checkpoint 2: it is signed with the key `"), "{fault}");

    // By somebody with the key, who did not reach what was told outside.
    let key = fs::read(world.settings.audit_key_file.as_ref().unwrap()).unwrap();
    let line = forged(Vec::new()).sign(&AuditKey::from_pem(&key).unwrap()).to_line();
    run(&mut database, replace(&line)).await;
    let fault = proof(&world).await.faults[0].to_string();
    assert!(fault.starts_with("checkpoint 2: it was told otherwise outside"), "{fault}");

    run(&mut database, "DELETE FROM audit_checkpoint WHERE number = 1".to_owned()).await;
    let fault = proof(&world).await.faults[0].to_string();
    assert_eq!(fault, "checkpoint 2: checkpoint 1 is missing before it");
}

#[tokio::test]
async fn an_old_backup_is_found_by_what_was_told_since() {
    let (world, first, _) = trail().await;
    let cut = [
        format!("DELETE FROM audit WHERE sequence > {first}"),
        "DELETE FROM audit_checkpoint WHERE number > 1".to_owned(),
    ];
    let fault = fault_after(&world, &cut).await;
    assert!(
        fault.starts_with("checkpoint 2: it was told outside and the database does not"),
        "{fault}"
    );
}

#[tokio::test]
async fn what_was_told_outside_is_believed_as_it_was_signed() {
    let (world, ..) = trail().await;
    let file = world.settings.audit_checkpoints_file.clone().unwrap();
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("\"at\":18", "\"at\":17")).unwrap();
    let fault = proof(&world).await.faults[0].to_string();
    assert!(fault.starts_with("line 1 of what was told outside is not one that can be"), "{fault}");

    // A line that was torn when the power went is told again, wherever it was torn.
    let torn = text.lines().last().unwrap();
    let whole = text.strip_suffix(&format!("{torn}\n")).unwrap();
    let behind_a_head = torn.find('}').unwrap() + 1;
    let halves = format!("{}\n{}", &torn[..behind_a_head], &torn[..40]);
    fs::write(&file, format!("{whole}{halves}")).unwrap();
    world.order(someone(), PRINT, 1).send().await.created();
    let world = world.restart().await;
    let report = proof(&world).await;
    assert!(report.is_intact(), "{report}");
    assert_eq!((report.checkpoints, report.told), (3, 3));
}

#[tokio::test]
async fn a_checkpoint_that_could_not_be_told_is_told_later() {
    let world = World::start().await;
    let body = json!({"name": "Vase", "description": ""});
    world.call("POST", "/api/products").json(&body).send().await.created();
    let file = world.settings.audit_checkpoints_file.clone().unwrap();
    let aside = file.with_extension("aside");
    fs::rename(&file, &aside).unwrap();
    fs::create_dir(&file).unwrap();
    let made = || async {
        world.clock.advance(Duration::from_secs(5));
        let count = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM audit_checkpoint");
        count.fetch_one(&mut world.database().await).await.unwrap() == 1
    };
    eventually_yes("a checkpoint is made", made).await;
    fs::remove_dir(&file).unwrap();
    fs::rename(&aside, &file).unwrap();
    let told = || {
        world.clock.advance(Duration::from_secs(5));
        (!fs::read_to_string(&file).unwrap().is_empty()).then_some(())
    };
    eventually("it is told", told).await;
    let report = proof(&world).await;
    assert!(report.is_intact(), "{report}");
    assert_eq!((report.checkpoints, report.told), (1, 1));
}

#[tokio::test]
async fn another_key_signs_from_when_it_is_there_and_old_signatures_stay_good() {
    let (world, ..) = trail().await;
    let file = world.settings.audit_key_file.clone().unwrap();
    let next = file.with_extension("pem.1800000001");
    fs::copy(&file, &next).unwrap();
    fs::write(&next, audit_key()).unwrap();
    world.order(someone(), PRINT, 1).send().await.created();
    let world = world.restart().await;
    let report = proof(&world).await;
    assert!(report.is_intact(), "{report}");
    assert_eq!(report.checkpoints, 3);

    fs::remove_file(&next).unwrap();
    let fault = proof(&world).await.faults[0].to_string();
    assert!(fault.starts_with("checkpoint 3: it is signed with the key `"), "{fault}");
}
