//! The one model this engine implements, and the check that `model.conf` says the same.

use crate::finding::{Code, Findings, Place};
use crate::source::Source;

/// The model, as Casbin is given it. `model.conf` must say the same, line by line.
///
/// The matcher compares plain words first and asks for the role last, which is dearest.
pub(crate) const MODEL: &str = r#"[request_definition]
r = sub, obj, act, scope
[policy_definition]
p = sub, obj, act, scope, eft
[role_definition]
g = _, _
[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))
[matchers]
m = r.obj == p.obj && r.act == p.act && (p.scope == "any" || r.scope == p.scope) && g(r.sub, p.sub)
"#;

/// Notes the first line of `model.conf` that differs; what follows it would only differ too.
pub(crate) fn compare(source: &Source<'_>, findings: &mut Findings) {
    let mut expected = MODEL.lines();
    let mut end = Place::start_of(source.file());
    for (at, line) in source.statements() {
        let wanted = expected.next();
        if wanted != Some(line) {
            return differs(source.place(at), &format!("`{line}`"), wanted, findings);
        }
        end = source.place(at + line.len());
    }
    if let Some(wanted) = expected.next() {
        differs(end, "the end of the file", Some(wanted), findings);
    }
}

fn differs(at: Place<'_>, found: &str, wanted: Option<&str>, findings: &mut Findings) {
    let message = format!("{found} is not what the model of this engine says here");
    let fix = match wanted {
        Some(wanted) => format!("write `{wanted}`"),
        None => "remove it: the model is complete".to_owned(),
    };
    findings.add(Code::ModelDiffers, at, message, fix);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, line: Option<u32>) {
        let mut findings = Findings::default();
        let source = Source::read("model.conf", text.as_bytes(), &mut findings).unwrap();
        compare(&source, &mut findings);
        let found = findings.into_sorted();
        assert_eq!(found.first().map(|finding| finding.line), line);
    }

    #[test]
    fn comments_and_blank_lines_do_not_matter() {
        check(MODEL, None);
        check(&format!("# ours\n\n{}", MODEL.replace('\n', "\n\n")), None);
    }

    #[test]
    fn every_other_difference_does() {
        check(&MODEL.replace("&& !some(where (p.eft == deny))", ""), Some(8));
        check(&MODEL.replace("r.act == p.act", "true"), Some(10));
        check(&format!("{MODEL}m2 = true\n"), Some(11));
        check("[request_definition]\n", Some(1));
        check("", Some(1));
    }
}
