//! What stands below the flags in `--help` and in the manual: exit codes and examples.
//!
//! A verb without its page here does not pass the tests.

use clap::Command;

/// What help says of one verb beyond its flags.
struct Page {
    /// The words behind `stockade`.
    verb: &'static str,
    /// Every exit code with its meaning.
    exits: &'static [(u8, &'static str)],
    /// Command lines.
    examples: &'static [&'static str],
}

#[rustfmt::skip]
const PAGES: &[Page] = &[
    #[cfg(feature = "serve")]
    Page {
        verb: "up",
        exits: &[(0, "it was asked to stop, and has"), (1, "it could not start, or could not go on")],
        examples: &["stockade up", "stockade up --listen 127.0.0.1:0 --data-dir shop"],
    },
    #[cfg(feature = "serve")]
    Page {
        verb: "verify",
        exits: &[(0, "the books agree"), (1, "the database could not be read"), (2, "they do not agree")],
        examples: &["stockade verify", "stockade verify sqlite:/var/lib/stockade/stockade.db"],
    },
    #[cfg(feature = "serve")]
    Page {
        verb: "migrate",
        exits: &[(0, "the tables are as this program needs them"), (1, "they are not, and what was there is unchanged")],
        examples: &["stockade migrate 'postgres://owner@db.example/shop?sslmode=verify-full&sslrootcert=/etc/ssl/db-ca.pem' --password-file owner.password"],
    },
    #[cfg(feature = "serve")]
    Page {
        verb: "copy",
        exits: &[(0, "the whole shop is there, and proven"), (1, "nothing was copied")],
        examples: &["stockade copy --from sqlite:.stockade/stockade.db --to postgres://stockade@127.0.0.1/shop"],
    },
    #[cfg(feature = "serve")]
    Page {
        verb: "user create",
        exits: &[(0, "the account is there"), (1, "it could not be made")],
        examples: &["stockade user create --role super-admin --username ada --email ada@shop.example"],
    },
    #[cfg(feature = "serve")]
    Page {
        verb: "user import",
        exits: &[(0, "the accounts are there"), (1, "a line is at fault, and none was made")],
        examples: &["stockade user import accounts.jsonl"],
    },
    #[cfg(feature = "serve")]
    Page {
        verb: "token",
        exits: &[(0, "the token is printed"), (1, "the account was not logged in")],
        examples: &["stockade token admin"],
    },
    #[cfg(feature = "serve")]
    Page {
        verb: "rotate signing-key",
        exits: &[(0, "the key is there, and signs in ten minutes"), (1, "it could not be written")],
        examples: &["stockade rotate signing-key", "stockade rotate signing-key --file keys/signing-key.pem"],
    },
    Page {
        verb: "health",
        exits: &[(0, "it wants traffic"), (1, "it does not, or does not answer")],
        examples: &["stockade health http://127.0.0.1:9901/readyz"],
    },
    Page {
        verb: "init",
        exits: &[(0, "everything is written"), (1, "something was in the way, and nothing is")],
        examples: &[
            "stockade init --upstream http://127.0.0.1:3000",
            "stockade init edge --upstream unix:/run/app.sock",
        ],
    },
    Page {
        verb: "policy check",
        exits: &[(0, "it is fit to be served"), (1, "it could not be read"), (2, "it is refused, or there is a warning and --strict")],
        examples: &[
            "stockade policy check",
            "stockade policy check --strict policies",
            "stockade policy check --format json | jq -r '.findings[].message'",
        ],
    },
    Page {
        verb: "policy test",
        exits: &[(0, "every case holds"), (1, "the policy or the cases are refused"), (2, "a case does not hold")],
        examples: &["stockade policy test", "stockade policy test --format json | jq '.failed'"],
    },
    Page {
        verb: "policy coverage",
        exits: &[(0, "as much is covered as --min asks for"), (1, "the policy or the cases are refused, or a case does not hold"), (2, "less is covered")],
        examples: &["stockade policy coverage", "stockade policy coverage --min 90 policies"],
    },
    Page {
        verb: "policy who-can",
        exits: &[(0, "somebody can"), (1, "the policy is refused, or there is no such permission or route"), (2, "nobody can")],
        examples: &[
            "stockade policy who-can orders.cancel",
            "stockade policy who-can 'DELETE /api/products/42'",
        ],
    },
    Page {
        verb: "policy matrix",
        exits: &[(0, "it is printed, or as reviewed"), (1, "the policy is refused"), (2, "it is not as reviewed")],
        examples: &[
            "stockade policy matrix > policies/golden/matrix.txt",
            "stockade policy matrix --check",
        ],
    },
    Page {
        verb: "policy diff",
        exits: &[(0, "nobody gets anything else, or it is accepted"), (1, "a policy is refused or could not be read"), (2, "somebody gets less, or something else"), (3, "somebody gets more")],
        examples: &[
            "stockade policy diff main",
            "stockade policy diff main..HEAD --policies policies --format markdown",
            "stockade policy diff policies policies.next",
        ],
    },
    Page {
        verb: "policy explain",
        exits: &[(0, "it is allowed, or was"), (1, "the policy is refused, or there is no such decision"), (2, "it is denied, or was")],
        examples: &[
            "stockade policy explain 'GET /api/orders/42' --as customer",
            "stockade policy explain 'DELETE /api/products/42' --as admin,staff --from 127.0.0.1 --mfa 5m",
            "stockade policy explain 0199f2aa --log access.log access.log.1.gz",
        ],
    },
    Page {
        verb: "policy replay",
        exits: &[(0, "nothing would have been decided differently, or it is accepted"), (1, "the policy or a log could not be read"), (2, "somebody would have got less, or something else"), (3, "somebody would have got more")],
        examples: &[
            "stockade policy replay .stockade/access.log",
            "stockade policy replay --policies policies.next access.log access.log.1.gz",
        ],
    },
    Page {
        verb: "policy fmt",
        exits: &[(0, "the files are formatted"), (1, "a file is not understood, and none is touched"), (2, "with --check: a file is not formatted")],
        examples: &["stockade policy fmt", "stockade policy fmt --check policies"],
    },
    Page {
        verb: "policy simulate",
        exits: &[(0, "it is allowed"), (1, "the command line or the policy is not understood"), (2, "it is denied")],
        examples: &[
            "stockade policy simulate 'curl -d {} https://shop/api/orders' --as customer",
            "stockade policy simulate --as admin --from 127.0.0.1 --mfa 5m -- curl -X DELETE https://shop/api/products/42",
            "stockade policy simulate --anonymous --policies policies -- curl -sS https://shop/api/products",
        ],
    },
    Page {
        verb: "policy reload",
        exits: &[(0, "the new bundle is served"), (1, "the edge did not answer"), (2, "it is refused, and the old one goes on serving")],
        examples: &["stockade policy reload", "stockade policy reload --control /run/stockade/control.sock"],
    },
    Page {
        verb: "policy status",
        exits: &[(0, "the edge has told"), (1, "it did not answer")],
        examples: &["stockade policy status", "stockade policy status --format json"],
    },
    Page {
        verb: "policy rollback",
        exits: &[(0, "the earlier bundle is served"), (1, "the edge did not answer"), (2, "there is none to go back to")],
        examples: &["stockade policy rollback"],
    },
    Page {
        verb: "policy shadow",
        exits: &[(0, "the candidate is tried, or none is any more"), (1, "the edge did not answer"), (2, "the candidate is refused, and nothing changes")],
        examples: &["stockade policy shadow policies.next", "stockade policy shadow --off"],
    },
    Page {
        verb: "policy promote",
        exits: &[(0, "the candidate is served"), (1, "the edge did not answer"), (2, "there is no candidate")],
        examples: &["stockade policy promote"],
    },
    Page {
        verb: "ban",
        exits: &[(0, "it is banned"), (1, "the edge did not answer, or protects it")],
        examples: &["stockade ban 192.0.2.7", "stockade ban 2001:db8::/32 --for 1d"],
    },
    Page {
        verb: "unban",
        exits: &[(0, "it is not banned any more"), (1, "the edge did not answer, or it was not")],
        examples: &["stockade unban 192.0.2.7/32"],
    },
    Page {
        verb: "bans",
        exits: &[(0, "the edge has told"), (1, "it did not answer")],
        examples: &["stockade bans"],
    },
    Page {
        verb: "completions",
        exits: &[(0, "they are printed")],
        examples: &[
            "stockade completions bash > ~/.local/share/bash-completion/completions/stockade",
            "stockade completions zsh > ~/.zfunc/_stockade",
            "stockade completions fish > ~/.config/fish/completions/stockade.fish",
        ],
    },
    Page {
        verb: "man",
        exits: &[(0, "it is printed or written"), (1, "it could not be written")],
        examples: &["stockade man | man -l -", "stockade man ~/.local/share/man/man1"],
    },
];

/// The command line with its pages.
pub(crate) fn with_pages(command: Command) -> Command {
    PAGES.iter().fold(command, |command, page| {
        let words: Vec<&str> = page.verb.split(' ').collect();
        attach(command, &words, page)
    })
}

fn attach(command: Command, words: &[&str], page: &Page) -> Command {
    match words {
        [] => command.after_help(page.text()),
        [word, rest @ ..] => command.mut_subcommand(word, |verb| attach(verb, rest, page)),
    }
}

impl Page {
    fn text(&self) -> String {
        let exits = self.exits.iter().map(|(code, meaning)| format!("  {code}  {meaning}\n"));
        let examples = self.examples.iter().map(|example| format!("  {example}\n"));
        let (exits, examples) = (exits.collect::<String>(), examples.collect::<String>());
        format!("Exit codes:\n{exits}\nExamples:\n{examples}")
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::Cli;

    /// Every verb that does something, with the words that lead to it.
    fn verbs(command: &Command, words: &str) -> Vec<(String, Command)> {
        let below = command.get_subcommands().flat_map(|verb| {
            let words = format!("{words} {}", verb.get_name());
            verbs(verb, words.trim_start())
        });
        let below: Vec<_> = below.collect();
        if below.is_empty() { vec![(words.to_owned(), command.clone())] } else { below }
    }

    #[test]
    fn every_verb_has_its_exit_codes_and_examples() {
        for (words, verb) in verbs(&with_pages(Cli::command()), "") {
            let help = verb.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.starts_with("Exit codes:\n  0  "), "`{words}` has no page in help.rs");
            assert!(verb.get_about().is_some(), "`{words}` does not say what it does");
            for flag in verb.get_arguments() {
                assert!(flag.get_help().is_some(), "`{words}`: {flag} does not say what it is");
            }
        }
    }

    #[test]
    fn every_example_is_understood() {
        let known = verbs(&with_pages(Cli::command()), "");
        for page in PAGES {
            assert!(known.iter().any(|(words, _)| words == page.verb), "{}", page.verb);
            for example in page.examples {
                let line = example.split([';', '|', '>']).next().unwrap();
                let words = shell_words::split(line).unwrap();
                let parsed = Cli::command().try_get_matches_from(words);
                assert!(parsed.is_ok(), "{example}: {}", parsed.unwrap_err());
            }
        }
    }
}
