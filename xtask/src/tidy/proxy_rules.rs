//! What holds for the edge: the form of its guards, the length of its judgement, and who of its
//! modules knows Pingora.

use super::Check;
use super::findings::Findings;
use super::sources::{SourceFile, Sources};

const GUARDS: &str = "proxy/src/guards";
const ADMIT: &str = "proxy/src/admit.rs";
const ADMIT_LINES_MAX: usize = 40;

/// What the header of a guard tells, in this order.
const GUARD_HEADER: &[&str] = &["Guard:", "Needs:", "Grants:", "Refuses:", "Fails:"];

/// The modules that may name Pingora. Guards never do.
const PINGORA: &str = "pingora";
const PINGORA_MODULES: &[&str] = &["edge", "listener", "respond", "tls", "upstream"];

pub(super) const CHECKS: &[Check] = &[
    |scene, findings| guards_have_their_header(&scene.sources, findings),
    |scene, findings| few_modules_name_pingora(&scene.sources, findings),
    |scene, findings| the_judgement_is_short(&scene.sources, findings),
];

fn guards_have_their_header(sources: &Sources, findings: &mut Findings) {
    let mut guards = sources.within(GUARDS).filter(|file| is_guard(file)).peekable();
    if guards.peek().is_none() {
        findings.add(GUARDS, 1, "there are no guards here");
    }
    for guard in guards {
        let header: Vec<_> =
            guard.text.lines().map_while(|line| line.strip_prefix("//!")).map(str::trim).collect();
        for part in GUARD_HEADER {
            if !header.iter().any(|line| line.starts_with(part)) {
                findings.add(&guard.path, 1, format!("a guard without `//! {part}` in its header"));
            }
        }
    }
}

/// Guards stand in their folder; what is deeper is a part of one.
fn is_guard(file: &SourceFile) -> bool {
    file.parts().count() == GUARDS.split('/').count() + 1
}

fn few_modules_name_pingora(sources: &Sources, findings: &mut Findings) {
    let strangers = sources.within("proxy/src").filter(|file| !may_name_pingora(file));
    for file in strangers {
        let who = if file.is_within(GUARDS) { "a guard" } else { "this module" };
        for (number, _line) in file.code_lines().filter(|(_number, line)| line.contains(PINGORA)) {
            findings.add(&file.path, number, format!("{who} may not name Pingora"));
        }
    }
}

/// A module is its file and all that is in the folder beside it.
fn may_name_pingora(file: &SourceFile) -> bool {
    let module = file.parts().nth(2).unwrap_or_default();
    let module = module.strip_suffix(".rs").unwrap_or(module);
    PINGORA_MODULES.contains(&module)
}

fn the_judgement_is_short(sources: &Sources, findings: &mut Findings) {
    let Some(file) = sources.find(ADMIT) else {
        return findings.add(ADMIT, 1, "the file of the edge's judgement is missing");
    };
    let Some((begin, lines)) = function(file, "admit") else {
        return findings.add(ADMIT, 1, "there is no function `admit` here");
    };
    if lines > ADMIT_LINES_MAX {
        let message = format!("`admit` has {lines} lines, {ADMIT_LINES_MAX} at most");
        findings.add(ADMIT, begin, message);
    }
}

/// The first line of a function, and how many it has up to the brace that closes it.
fn function(file: &SourceFile, name: &str) -> Option<(usize, usize)> {
    let opening = format!("fn {name}");
    let opens = |line: &str| {
        let after = line.split_once(&opening).map(|(_before, after)| after);
        after.is_some_and(|after| after.starts_with(['(', '<']))
    };
    let (begin, _line) = file.code_lines().find(|(_number, line)| opens(line))?;
    let mut depth = 0_usize;
    for (number, line) in file.code_lines().skip(begin - 1) {
        depth += line.matches('{').count();
        let closing = line.matches('}').count();
        depth = depth.saturating_sub(closing);
        if closing > 0 && depth == 0 {
            return Some((begin, number + 1 - begin));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "//! Guard: a.\n//!\n//! Needs:   b.\n//! Grants:  c.\n//! Refuses: d.\n//! Fails:   closed.\n";

    #[track_caller]
    fn check(check: fn(&Sources, &mut Findings), files: &[(&str, &str)], expected: &[&str]) {
        let files = files.iter().map(|(path, text)| SourceFile::new(path, text)).collect();
        let mut findings = Findings::default();
        check(&Sources { files }, &mut findings);
        assert_eq!(findings.lines(), expected);
    }

    #[test]
    fn a_guard_tells_what_it_needs_and_how_it_fails() {
        let part = ("proxy/src/guards/hygiene/tests.rs", "//! Tests.\n");
        check(guards_have_their_header, &[("proxy/src/guards/hygiene.rs", HEADER), part], &[]);
        let hasty = HEADER.replace("//! Fails:   closed.\n", "\n// Fails: open.\n");
        check(
            guards_have_their_header,
            &[("proxy/src/guards/hasty.rs", &hasty)],
            &["proxy/src/guards/hasty.rs:1: a guard without `//! Fails:` in its header"],
        );
    }

    #[test]
    fn no_guards_at_all_is_a_finding() {
        check(guards_have_their_header, &[], &["proxy/src/guards:1: there are no guards here"]);
    }

    #[test]
    fn pingora_is_named_where_the_phases_are() {
        let naming = "//! Not pingora.\nuse pingora::proxy::Session;\n";
        for path in ["edge.rs", "edge/body.rs", "tls.rs", "tls/acceptor.rs", "listener/accept.rs"] {
            check(few_modules_name_pingora, &[(&format!("proxy/src/{path}"), naming)], &[]);
        }
        check(few_modules_name_pingora, &[("bench/src/main.rs", naming)], &[]);
        check(
            few_modules_name_pingora,
            &[("proxy/src/guards/hygiene.rs", naming), ("proxy/src/journey.rs", naming)],
            &[
                "proxy/src/guards/hygiene.rs:2: a guard may not name Pingora",
                "proxy/src/journey.rs:2: this module may not name Pingora",
            ],
        );
    }

    fn judgement(steps: usize) -> String {
        let body = "        step({\n        });\n".repeat(steps);
        format!(
            "impl Edge {{\n    async fn admit(\n    ) -> A {{\n{body}    }}\n}}\nfn after() {{}}\n"
        )
    }

    #[test]
    fn the_judgement_has_a_length() {
        check(the_judgement_is_short, &[(ADMIT, &judgement(18))], &[]);
        check(
            the_judgement_is_short,
            &[(ADMIT, &judgement(19))],
            &["proxy/src/admit.rs:2: `admit` has 41 lines, 40 at most"],
        );
    }

    #[test]
    fn a_judgement_that_is_missing_is_a_finding() {
        let file_missing = "proxy/src/admit.rs:1: the file of the edge's judgement is missing";
        check(the_judgement_is_short, &[], &[file_missing]);
        let function_missing = "proxy/src/admit.rs:1: there is no function `admit` here";
        check(the_judgement_is_short, &[(ADMIT, "fn admits() {}\n")], &[function_missing]);
    }
}
