use super::*;
use proptest::prelude::*;

fn set(patterns: &[&str]) -> PathSet {
    let patterns: Vec<String> = patterns.iter().map(ToString::to_string).collect();
    PathSet::new(&patterns).unwrap_or_default()
}

#[test]
fn names_match_whole_and_brackets_are_literal() {
    assert!(Pattern::name("hotfix/*").matches("hotfix/a/b"));
    assert!(!Pattern::name("hotfix/*").matches("my/hotfix/a"));
    assert!(Pattern::name("*[bot]").matches("renovate[bot]"));
    assert!(!Pattern::name("*[bot]").matches("robot"));
    assert!(Pattern::name("dependabot*").matches_ignore_case("Dependabot-preview"));
    assert!(!Pattern::name("dependabot*").matches("Dependabot"));
    assert!(Pattern::name("É*").matches_ignore_case("éa"));
    assert!(Pattern::name("a?c").matches("aéc"));
    assert!(!Pattern::name("a?c").matches("ac"));
    assert!(Pattern::name("*").matches(""));
    assert!(Pattern::name("").matches(""));
    assert!(!Pattern::name("").matches("a"));
    assert!(Pattern::name("a*b*c").matches("a-b-b-c"));
}

#[test]
fn paths_match_from_the_root() {
    for (pattern, path, matches) in [
        ("checkout/**", "checkout/src/a.rs", true),
        ("checkout/**", "checkout", false),
        ("checkout/**", "checkouts/a", false),
        ("checkout/", "checkout/a", true),
        ("/checkout/", "checkout/a", true),
        ("./checkout", "checkout/a", true),
        ("checkout", "checkout", true),
        ("checkout", "checkout2", false),
        ("lib/*.rs", "lib/a.rs", true),
        ("lib/*.rs", "lib/a/b.rs", false),
        ("lib/**.rs", "lib/a/b.rs", true),
        ("lib/?.rs", "lib/a.rs", true),
        ("lib?a.rs", "lib/a.rs", false),
        ("*.md", "README.md", true),
        ("*.md", "docs/README.md", false),
        ("**/*.md", "README.md", true),
        ("**/*.md", "docs/a/README.md", true),
        ("a/**/b", "a/b", true),
        ("a/**/b", "a/x/y/b", true),
        ("a/**/b", "a/xb", false),
        ("**/b", "ab", false),
        ("*/src/**", "one/src/a", true),
        ("*/src/**", "one/src", false),
        ("*/src/**", "one/two/src/a", false),
        ("**/src/", "one/two/src/a", true),
        ("**", "anything/at/all", true),
        ("a[b]", "a[b]", true),
        ("Lib/**", "lib/a", false),
    ] {
        let compiled = PathPattern::new(pattern).map(|pattern| pattern.matches(path));
        assert_eq!(compiled, Ok(matches), "{pattern} on {path}");
    }
}

#[test]
fn bad_path_patterns_are_refused() {
    for pattern in ["", "!", "/", "./"] {
        assert_eq!(PathPattern::new(pattern), Err(PatternError::Empty(pattern.to_owned())));
    }
    assert_eq!(PathPattern::new("a\\b"), Err(PatternError::Backslash("a\\b".to_owned())));
    for pattern in ["a//b", "../a", "a/./b", "a//"] {
        assert_eq!(PathPattern::new(pattern), Err(PatternError::Segment(pattern.to_owned())));
    }
}

#[test]
fn the_last_matching_pattern_decides() {
    let some = set(&["lib/**", "!lib/docs/**", "lib/docs/api.md"]);
    assert!(some.contains("lib/a"));
    assert!(!some.contains("lib/docs/a"));
    assert!(some.contains("lib/docs/api.md"));
    assert!(!some.contains("other"));
    assert!(some.touches(["other", "lib/a"]));
    assert!(!some.touches(["other", "lib/docs/a"]));
    assert!(!some.touches([]));
    let all_but = set(&["!docs/**"]);
    assert!(all_but.contains("src/a") && !all_but.contains("docs/a"));
    assert!(set(&[]).touches([]) && set(&[]).is_everything());
}

#[test]
fn matching_is_not_exponential() {
    let text = "a".repeat(20_000);
    let pattern = format!("{}b", "*a".repeat(30));
    assert!(!Pattern::name(&pattern).matches(&text));
    let path = "a/".repeat(10_000);
    let pattern = format!("{}b", "**/a*/".repeat(30));
    assert_eq!(PathPattern::new(&pattern).map(|pattern| pattern.matches(&path)), Ok(false));
}

/// The meaning of a path glob, without a thought for speed.
fn slow(pattern: &[char], path: &[char], segment_begins: bool) -> bool {
    match pattern {
        [] => path.is_empty(),
        ['*', '*', '/', rest @ ..] if segment_begins => {
            slow(rest, path, true) || (0..path.len()).any(|at| path[at] == '/' && slow(rest, &path[at + 1..], true))
        }
        ['*', '*', rest @ ..] => (0..=path.len()).any(|at| slow(rest, &path[at..], false)),
        ['*', rest @ ..] => {
            (0..=path.len()).take_while(|at| *at == 0 || path[at - 1] != '/').any(|at| slow(rest, &path[at..], false))
        }
        ['?', rest @ ..] => path.first().is_some_and(|c| *c != '/') && slow(rest, &path[1..], false),
        [own, rest @ ..] => path.first() == Some(own) && slow(rest, &path[1..], *own == '/'),
    }
}

proptest! {
    #[test]
    fn globs_mean_what_the_slow_reading_says(pattern in "[ab](\\*\\*/|/\\*\\*/|/|[ab*?]){0,7}b", path in "[ab/]{0,12}") {
        prop_assume!(!pattern.contains("***"));
        let chars = |text: &str| text.chars().collect::<Vec<_>>();
        prop_assert_eq!(Glob::path(&pattern).matches(&path), slow(&chars(&pattern), &chars(&path), true));
    }

    #[test]
    fn no_pattern_panics(pattern in "\\PC{0,24}", near in "[!/.ab*?]{0,24}", text in "\\PC{0,24}") {
        let _ = (Pattern::name(&pattern).matches(&text), Pattern::name(&near).matches_ignore_case(&text));
        for pattern in [&pattern, &near] {
            let _ = PathPattern::new(pattern).map(|pattern| pattern.matches(&text));
        }
    }
}
