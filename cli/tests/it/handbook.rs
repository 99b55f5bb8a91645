//! What `policies/README.md` shows is what the program says.

use super::*;

/// Tries what the handbook shows behind `$ COMMAND`, and there `more` names the folder.
#[track_caller]
fn shown_in_handbook_with(command: &str, more: &[&str]) {
    let words = shell_words::split(command).unwrap();
    let words = words.iter().skip(1).map(String::as_str).chain(more.iter().copied());
    shown_as(command, words.collect());
}

/// The same for a command that takes the folder as its argument.
#[track_caller]
fn shown_in_handbook(command: &str, folder: &Path) {
    shown_in_handbook_with(command, &[folder.to_str().unwrap()]);
}

/// Looks whether the handbook shows behind `$ COMMAND`, somewhere, what these words print: `...`
/// stands for lines left out, and lines of files are not counted, because comments come and go
/// there.
#[track_caller]
fn shown_as(command: &str, words: Vec<&str>) {
    let handbook = std::fs::read_to_string(shipped().join("README.md")).unwrap();
    let (_, out, err) = told(stockade(words));
    assert_eq!(err, "");
    let out: Vec<_> = out.lines().map(without_line_number).collect();
    let heading = format!("$ {command}\n");
    let mut shown = handbook.split(&heading).skip(1).map(|rest| rest.split("```").next().unwrap());
    let is_what_is_said = |shown: &str| {
        let lines: Vec<_> = shown.lines().map(without_line_number).collect();
        let whole = !lines.iter().any(|line| line == "...");
        let known = lines.iter().all(|line| line == "..." || out.contains(line));
        known && (!whole || lines.len() == out.len())
    };
    assert!(shown.any(is_what_is_said), "policies/README.md does not show:\n{}", out.join("\n"));
}

/// `file.csv:12:5: words, line 7` as `file.csv::5: words, line `, wherever it stands.
fn without_line_number(line: &str) -> String {
    let mut pieces = line.split_inclusive([':', ' ']);
    let mut kept = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let of_file = [".csv:", ".toml:", ".yaml:", " line "].iter().any(|end| kept.ends_with(end));
        let digits = |c: char| c.is_ascii_digit();
        kept.push_str(if of_file { piece.trim_start_matches(digits) } else { piece });
    }
    kept
}

#[test]
fn the_proof_of_the_handbook_is_that_of_the_program() {
    shown_in_handbook("stockade policy check", &shipped());
}

#[test]
fn the_warnings_of_the_handbook_are_those_of_the_program() {
    let folder = copy_of_shipped();
    let deny = "p, customer, orders, create, any, deny\n";
    let last = "p,super-admin,users,delete,any,allow";
    write_below(&folder.path().join("policy.csv"), last, deny);
    shown_in_handbook("stockade policy check", folder.path());
}

#[test]
fn the_coverage_of_the_handbook_is_that_of_the_program() {
    let folder = copy_of_shipped();
    let cases = "cases/inventory.yaml";
    edit(folder.path(), cases, "role}, staff: any, admin", "role}, admin");
    edit(folder.path(), cases, "as: [staff]\n    mfa", "as: [admin]\n    from: 127.0.0.1\n    mfa");
    shown_in_handbook("stockade policy coverage", folder.path());
}

#[test]
fn who_can_do_it_in_the_handbook_is_who_can() {
    let command = "stockade policy who-can \"GET /api/orders\"";
    shown_in_handbook_with(command, &["--policies", shipped().to_str().unwrap()]);
}

#[test]
fn the_findings_of_the_handbook_are_those_of_the_program() {
    let folder = copy_of_shipped();
    edit(folder.path(), "policy.csv", "orders,      create", "order,       create");
    edit(
        folder.path(),
        "policy.csv",
        "orders,      read,     own,    allow",
        "orders,      read,     own,    Allow",
    );
    edit(folder.path(), "routes.toml", "\"127.0.0.1/32\"", "\"127.0.0.1/8\"");
    shown_in_handbook("stockade policy check", folder.path());
}

#[test]
fn the_cases_of_the_handbook_are_those_of_the_program() {
    let folder = copy_of_shipped();
    shown_in_handbook("stockade policy test", folder.path());
    edit(folder.path(), "policy.csv", "create,   own,    allow", "create,   any,    allow");
    shown_in_handbook("stockade policy test", folder.path());
    shown_in_handbook("stockade policy matrix --check", folder.path());
}

#[test]
fn the_matrix_of_the_handbook_is_that_of_the_program() {
    shown_in_handbook("stockade policy matrix", &shipped());
}

#[test]
fn the_form_of_the_handbook_is_that_of_the_program() {
    let folder = copy_of_shipped();
    edit(folder.path(), "policy.csv", "p,   customer,    orders,", "p,customer,orders,");
    shown_in_handbook("stockade policy fmt --check", folder.path());
}

#[test]
fn the_simulation_of_the_handbook_is_that_of_the_program() {
    let command = "stockade policy simulate --as customer 'curl -d {} https://shop/api/orders'";
    shown_in_handbook_with(command, &["--policies", shipped().to_str().unwrap()]);
}

#[test]
fn the_explanations_of_the_handbook_are_those_of_the_program() {
    for command in [
        "stockade policy explain \"DELETE /api/products/7\" --as staff --mfa 1h",
        "stockade policy explain \"POST /api/orders/7/cancel\" --as super-admin --from 127.0.0.1 --mfa 1h",
    ] {
        shown_in_handbook_with(command, &["--policies", shipped().to_str().unwrap()]);
    }
}

#[test]
fn the_diff_of_the_handbook_is_that_of_the_program() {
    let folder = copy_of_shipped();
    edit(
        folder.path(),
        "policy.csv",
        "p,   staff, ",
        "p, staff, accounts, read, any, allow\np,   staff, ",
    );
    edit(
        folder.path(),
        "policy.csv",
        "p,   customer,    orders,      cancel,   own,    allow\n",
        "",
    );
    let (old, new) = (shipped(), folder.path());
    let words = vec!["policy", "diff", old.to_str().unwrap(), new.to_str().unwrap()];
    shown_as("stockade policy diff main", words);
}

/// Writes a line below another one, however wide the columns are there.
#[track_caller]
fn write_below(file: &Path, line: &str, new: &str) {
    let text = std::fs::read_to_string(file).unwrap();
    let is_it = |written: &str| written.replace([' ', '\n'], "") == line;
    let mut lines: Vec<_> = text.split_inclusive('\n').collect();
    let above = lines.iter().position(|written| is_it(written)).unwrap();
    lines.insert(above + 1, new);
    std::fs::write(file, lines.concat()).unwrap();
}

/// Follows "From a wish to a change" as its reader would, and looks at what is shown on the way.
#[test]
fn the_guide_leads_from_a_wish_to_a_change() {
    let folder = copy_of_shipped();
    let here = ["--policies", folder.path().to_str().unwrap()];
    shown_in_handbook_with(
        "stockade policy explain \"POST /api/orders/7/credit\" --as staff",
        &here,
    );

    let changed = folder.path();
    edit(changed, "routes.toml", "\"create\", \"deliver\"", "\"create\", \"credit\", \"deliver\"");
    let route = "credit-order = { match = \"POST /api/orders/{id}/credit\", \
                 needs = \"orders.credit\", auth = \"required\", limits = [\"writes\"] }\n";
    edit(changed, "routes.toml", "cancel-order ", &format!("{route}cancel-order "));
    let credit = "p, staff, orders, credit, others, allow\n";
    write_below(&changed.join("policy.csv"), "p,staff,orders,cancel,any,allow", credit);

    shown_in_handbook("stockade policy check --strict", folder.path());
    shown_in_handbook("stockade policy fmt", folder.path());
    let (old, new) = (shipped(), folder.path());
    let words = vec!["policy", "diff", old.to_str().unwrap(), new.to_str().unwrap()];
    shown_as("stockade policy diff main", words);
    shown_in_handbook("stockade policy coverage", folder.path());

    let handbook = std::fs::read_to_string(shipped().join("README.md")).unwrap();
    let cases = handbook.split("- staff credit what others").nth(1).unwrap();
    let cases = cases.split("```").next().unwrap();
    let path = folder.path().join("cases/orders.yaml");
    let known = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{known}\n- staff credit what others{cases}")).unwrap();
    shown_in_handbook("stockade policy test", folder.path());
    let (code, ..) = told(stockade(["policy", "coverage", "--min", "100", here[1]]));
    assert_eq!(code, Some(0));
}
