//! A curl command line, as far as a policy cares: method, path and token.
//!
//! Flags that change neither are known and passed over; one that is not known is an error, so
//! that nothing is judged that curl would not have sent.

use anyhow::{Context as _, bail};

/// What curl would send.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct CurlRequest {
    pub(super) method: String,
    /// Path and query, as written.
    pub(super) target: String,
    /// The bearer token, if one is shown.
    pub(super) token: Option<String>,
}

/// What a flag does to the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Effect {
    Method,
    /// It brings a body.
    Body,
    Head,
    /// It puts the body into the query.
    Get,
    Upload,
    Header,
    Token,
    Url,
    /// Nothing, without a value.
    Nothing,
    /// Nothing, with a value.
    NothingOf,
}

impl Effect {
    fn takes_value(self) -> bool {
        !matches!(self, Self::Head | Self::Get | Self::Nothing)
    }
}

/// Short and long names of the flags that are known; a flag without a short name has a blank.
#[rustfmt::skip]
const FLAGS: &[(char, &str, Effect)] = &[
    ('X', "request", Effect::Method),
    ('d', "data", Effect::Body), (' ', "data-ascii", Effect::Body), (' ', "data-binary", Effect::Body),
    (' ', "data-raw", Effect::Body), (' ', "data-urlencode", Effect::Body), (' ', "json", Effect::Body),
    ('F', "form", Effect::Body), (' ', "form-string", Effect::Body),
    ('I', "head", Effect::Head), ('G', "get", Effect::Get), ('T', "upload-file", Effect::Upload),
    ('H', "header", Effect::Header), (' ', "oauth2-bearer", Effect::Token), (' ', "url", Effect::Url),
    ('s', "silent", Effect::Nothing), ('S', "show-error", Effect::Nothing), ('i', "include", Effect::Nothing),
    (' ', "show-headers", Effect::Nothing), ('v', "verbose", Effect::Nothing), ('k', "insecure", Effect::Nothing),
    ('L', "location", Effect::Nothing), ('f', "fail", Effect::Nothing), (' ', "fail-with-body", Effect::Nothing),
    (' ', "compressed", Effect::Nothing), ('N', "no-buffer", Effect::Nothing), ('#', "progress-bar", Effect::Nothing),
    (' ', "http1.1", Effect::Nothing), (' ', "http2", Effect::Nothing), ('g', "globoff", Effect::Nothing),
    (' ', "path-as-is", Effect::Nothing), ('O', "remote-name", Effect::Nothing),
    ('4', "ipv4", Effect::Nothing), ('6', "ipv6", Effect::Nothing),
    ('o', "output", Effect::NothingOf), ('w', "write-out", Effect::NothingOf), ('D', "dump-header", Effect::NothingOf),
    ('m', "max-time", Effect::NothingOf), (' ', "connect-timeout", Effect::NothingOf), (' ', "retry", Effect::NothingOf),
    (' ', "cacert", Effect::NothingOf), ('E', "cert", Effect::NothingOf), (' ', "key", Effect::NothingOf),
    (' ', "resolve", Effect::NothingOf), ('A', "user-agent", Effect::NothingOf), ('e', "referer", Effect::NothingOf),
    ('b', "cookie", Effect::NothingOf), ('c', "cookie-jar", Effect::NothingOf),
];

/// What was read so far.
#[derive(Debug, Default)]
struct Draft {
    method: Option<String>,
    url: Option<String>,
    token: Option<String>,
    body: bool,
    head: bool,
    get: bool,
    upload: bool,
}

impl CurlRequest {
    /// Reads the words of a command line; a leading `curl` may be left out.
    pub(super) fn parse(words: &[String]) -> anyhow::Result<Self> {
        let words = match words {
            [first, rest @ ..] if first == "curl" => rest,
            words => words,
        };
        let mut draft = Draft::default();
        let mut words = words.iter().map(String::as_str);
        while let Some(word) = words.next() {
            match (word.strip_prefix("--"), word.strip_prefix('-')) {
                (Some(name), _) => draft.long(name, &mut words)?,
                (None, Some(cluster)) if !cluster.is_empty() => draft.short(cluster, &mut words)?,
                (None, _) => draft.apply(Effect::Url, word)?,
            }
        }
        draft.finish()
    }
}

impl Draft {
    fn long<'w>(
        &mut self,
        name: &str,
        words: &mut impl Iterator<Item = &'w str>,
    ) -> anyhow::Result<()> {
        let flag = FLAGS.iter().find(|(_, long, _)| *long == name);
        let (_, _, effect) = flag.with_context(|| unknown(&format!("--{name}")))?;
        let value = if effect.takes_value() { words.next() } else { Some("") };
        self.apply(
            *effect,
            value.with_context(|| format!("curl's flag `--{name}` lacks its value"))?,
        )
    }

    /// Flags of one letter behind one `-`; the first that takes a value takes the rest.
    fn short<'w>(
        &mut self,
        cluster: &str,
        words: &mut impl Iterator<Item = &'w str>,
    ) -> anyhow::Result<()> {
        for (at, letter) in cluster.char_indices() {
            let flag = FLAGS.iter().find(|(short, _, _)| *short == letter && letter != ' ');
            let (_, _, effect) = flag.with_context(|| unknown(&format!("-{letter}")))?;
            if !effect.takes_value() {
                self.apply(*effect, "")?;
                continue;
            }
            let rest = cluster.get(at + letter.len_utf8()..).filter(|rest| !rest.is_empty());
            let value = rest.or_else(|| words.next());
            let value =
                value.with_context(|| format!("curl's flag `-{letter}` lacks its value"))?;
            return self.apply(*effect, value);
        }
        Ok(())
    }

    fn apply(&mut self, effect: Effect, value: &str) -> anyhow::Result<()> {
        match effect {
            Effect::Method => self.method = Some(value.to_owned()),
            Effect::Body => self.body = true,
            Effect::Head => self.head = true,
            Effect::Get => self.get = true,
            Effect::Upload => self.upload = true,
            Effect::Header => self.header(value)?,
            Effect::Token => self.show(value)?,
            Effect::Url => {
                if let Some(url) = self.url.replace(value.to_owned()) {
                    bail!("there are two URLs, `{url}` and `{value}`; one request at a time");
                }
            }
            Effect::Nothing | Effect::NothingOf => {}
        }
        Ok(())
    }

    fn header(&mut self, header: &str) -> anyhow::Result<()> {
        if header.starts_with('@') {
            bail!("headers are not read from files; write `{header}` out");
        }
        let Some((name, value)) = header.split_once(':') else { return Ok(()) };
        if !name.trim().eq_ignore_ascii_case("authorization") || value.trim().is_empty() {
            return Ok(());
        }
        let (scheme, token) = value.trim().split_once(' ').unwrap_or((value.trim(), ""));
        if !scheme.eq_ignore_ascii_case("bearer") || token.trim().is_empty() {
            bail!("the edge takes `Authorization: Bearer TOKEN` and no `{scheme}`");
        }
        self.show(token.trim())
    }

    fn show(&mut self, token: &str) -> anyhow::Result<()> {
        match self.token.replace(token.to_owned()) {
            Some(_) => bail!("there are two Authorization headers, which the edge refuses"),
            None => Ok(()),
        }
    }

    fn finish(self) -> anyhow::Result<CurlRequest> {
        let url = self.url.context("there is no URL")?;
        let body = self.body && !self.get;
        if [body, self.head, self.upload].iter().filter(|sends| **sends).count() > 1 {
            bail!("curl sends either a body, a file or a HEAD request");
        }
        let implied = match (self.head, self.upload, body) {
            (true, _, _) => "HEAD",
            (_, true, _) => "PUT",
            (_, _, true) => "POST",
            (false, false, false) => "GET",
        };
        let method = self.method.unwrap_or_else(|| implied.to_owned());
        if method.is_empty() || !method.bytes().all(|byte| byte.is_ascii_alphabetic()) {
            bail!("`{method}` is no method");
        }
        Ok(CurlRequest { method, target: target(&url)?, token: self.token })
    }
}

fn unknown(flag: &str) -> String {
    format!("curl's flag `{flag}` is not known here; leave it out if the policy need not see it")
}

/// Path and query of a URL. Scheme and host are not looked at; a fragment is never sent.
fn target(url: &str) -> anyhow::Result<String> {
    let is_scheme = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let rest = match url.split_once("://") {
        Some((scheme, rest)) if ["http", "https"].contains(&scheme.to_lowercase().as_str()) => rest,
        Some((scheme, _)) if is_scheme(scheme) => bail!("`{scheme}` is no scheme of the edge's"),
        Some(_) | None => url,
    };
    let sent = rest.split('#').next().unwrap_or_default();
    let start = sent.find(['/', '?']).unwrap_or(sent.len());
    let target = sent.get(start..).unwrap_or_default();
    Ok(if target.starts_with('/') { target.to_owned() } else { format!("/{target}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> anyhow::Result<CurlRequest> {
        CurlRequest::parse(&shell_words::split(line).unwrap())
    }

    #[track_caller]
    fn check(line: &str, method: &str, target: &str, token: Option<&str>) {
        let expected = CurlRequest {
            method: method.to_owned(),
            target: target.to_owned(),
            token: token.map(str::to_owned),
        };
        assert_eq!(parse(line).unwrap(), expected, "{line}");
    }

    #[track_caller]
    fn refused(line: &str, words: &str) {
        let error = parse(line).unwrap_err().to_string();
        assert!(error.contains(words), "{line}: {error}");
    }

    #[test]
    fn methods_are_those_that_curl_would_send() {
        check("curl https://shop/api", "GET", "/api", None);
        check("curl -X DELETE https://shop/api", "DELETE", "/api", None);
        check("curl -XPATCH -d '{}' https://shop/api", "PATCH", "/api", None);
        check("curl https://shop/api -d a=b", "POST", "/api", None);
        check("curl --json '{}' https://shop/api", "POST", "/api", None);
        check("curl -F file=@x https://shop/api", "POST", "/api", None);
        check("curl -G -d a=b https://shop/api", "GET", "/api", None);
        check("curl -sSI https://shop/api", "HEAD", "/api", None);
        check("curl -T x https://shop/api", "PUT", "/api", None);
        check("https://shop/api", "GET", "/api", None);
    }

    #[test]
    fn scheme_host_and_fragment_are_not_looked_at() {
        check("curl HTTPS://user@shop:8443/a?b=c#d", "GET", "/a?b=c", None);
        check("curl '$SHOP/api/orders'", "GET", "/api/orders", None);
        check("curl /api/orders", "GET", "/api/orders", None);
        check("curl shop", "GET", "/", None);
        check("curl https://shop?a=b", "GET", "/?a=b", None);
        check("curl shop/go?to=http://x/y", "GET", "/go?to=http://x/y", None);
    }

    #[test]
    fn tokens_are_found() {
        check("curl -H 'Authorization: Bearer a.b.c' https://s/", "GET", "/", Some("a.b.c"));
        check("curl -H'authorization:bearer  a.b.c' https://s/", "GET", "/", Some("a.b.c"));
        check("curl --oauth2-bearer a.b.c https://s/", "GET", "/", Some("a.b.c"));
        check("curl -H 'Accept: */*' -H 'Authorization:' https://s/", "GET", "/", None);
    }

    #[test]
    fn flags_without_effect_are_passed_over() {
        check(
            "curl -siko /dev/null -w '%{http_code}' --cacert ca.pem https://s/a",
            "GET",
            "/a",
            None,
        );
    }

    #[test]
    fn what_is_not_understood_is_named() {
        refused("curl --proxy x https://s/", "`--proxy`");
        refused("curl -sux https://s/", "`-u`");
        refused("curl https://s/ -X", "`-X` lacks its value");
        refused("curl https://s/ --header", "`--header` lacks its value");
        refused("curl https://s/ https://t/", "two URLs");
        refused("curl -s", "no URL");
        refused("curl ftp://s/", "`ftp`");
        refused("curl -H 'Authorization: Basic eDp5' https://s/", "no `Basic`");
        refused(
            "curl -H 'Authorization: Bearer a' --oauth2-bearer b https://s/",
            "two Authorization",
        );
        refused("curl -H @headers https://s/", "not read from files");
        refused("curl -I -d x https://s/", "either a body");
        refused("curl -X 'GE T' https://s/", "no method");
    }
}
