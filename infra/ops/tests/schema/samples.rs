//! The samples are sound for parser and schema, and show every key.

use serde_json::Value;

use super::{COMMITTED, for_each_table, marked, parsed, validator};

const README: &str = include_str!("../../../../README.md");
const FILES: [(&str, &str); 4] = [
    ("infra/aws/sealpost.toml", include_str!("../../../aws/sealpost.toml")),
    ("africas-talking", include_str!("../../../../worker/gateways/africas-talking.toml")),
    ("infobip", include_str!("../../../../worker/gateways/infobip.toml")),
    ("vonage", include_str!("../../../../worker/gateways/vonage.toml")),
];

/// The configurations of the README: the sample of everything, then that of a gateway.
pub(super) fn of_readme() -> [&'static str; 2] {
    let mut pieces = README.split("```toml\n").skip(1).filter_map(|piece| piece.split_once("```"));
    [pieces.next(), pieces.next()].map(|piece| piece.expect("the README has two").0)
}

/// A sample with what it has commented out, other ways of saying the same excepted.
pub(super) fn in_full(sample: &str) -> String {
    let lines = sample.lines().filter(|line| !line.contains("# instead of"));
    lines.map(|line| format!("{}\n", line.strip_prefix("# ").unwrap_or(line))).collect()
}

#[test]
fn parser_and_schema_take_every_configuration_that_comes_with_sealpost() {
    let validator = validator();
    let readme = of_readme().map(|sample| ("README.md", sample.to_owned()));
    let in_full = of_readme().map(|sample| ("README.md, in full", in_full(sample)));
    let files = FILES.map(|(name, text)| (name, text.to_owned()));
    for (name, text) in readme.into_iter().chain(in_full).chain(files) {
        parsed(&text).unwrap_or_else(|faults| panic!("{name}: {faults}"));
        assert_eq!(marked(&validator, &text), [""; 0], "{name}");
    }
}

#[test]
fn the_configuration_that_is_deployed_names_its_schema_where_editors_look() {
    let (_, deployed) = FILES[0];
    assert_eq!(deployed.lines().next(), Some("#:schema ./sealpost.schema.json"));
}

#[test]
fn no_sample_needs_more_than_toml_1_0_which_editors_read() {
    for text in of_readme().into_iter().chain(FILES.map(|(_, text)| text)) {
        let code = |line: &'static str| line.split(" # ").next().unwrap_or_default().trim_end();
        let broken = text.lines().map(code).find(|line| line.ends_with('{'));
        assert_eq!(broken, None, "a table in braces is one line");
    }
}

/// What the README shows of a table of the schema.
fn shown(path: &[String]) -> &'static str {
    let after = |begin: &str| README.split_once(begin).map(|(_, after)| after);
    let text = match path.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => return of_readme()[0],
        ["provider", kind, ..] => {
            let kind = format!("\nkind = \"{kind}\"");
            README.split("\n[[provider]]").find(|block| block.contains(&kind))
        }
        [list @ ("provider" | "test_number")] => after(&format!("\n[[{list}]]")),
        section => after(&format!("\n[{}]", section.join("."))),
    };
    let text = text.unwrap_or_else(|| panic!("the README shows no {path:?}"));
    // A header such as [provider.json] goes on with the block.
    let headers = text.match_indices("\n[").map(|(at, _)| at).filter(|at| !text[*at..].starts_with("\n[provider."));
    let end = headers.chain(text.find("```")).min();
    &text[..end.expect("the sample ends")]
}

#[test]
fn every_key_stands_in_a_sample_of_the_readme() {
    let schema: Value = serde_json::from_str(COMMITTED).expect("JSON");
    for_each_table(&schema, &mut Vec::new(), &mut |path, properties| {
        // It has the keys of [lifetime].
        if path == ["lifetime", "client"] {
            return;
        }
        let words: Vec<_> = shown(path).split(|c: char| !c.is_ascii_alphanumeric() && c != '_').collect();
        for key in properties.keys() {
            let is_section = README.contains(&format!("\n[{}.{key}", path.join(".")));
            assert!(is_section || words.contains(&key.as_str()), "the README does not show {key} of {path:?}");
        }
    });
}
