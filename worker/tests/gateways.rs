//! The described gateways beside this crate are sound, alone and together.

use shared::Environment;
use worker::config::{File, ProviderSettings};

const GATEWAYS: [(&str, &str); 3] = [
    ("africas-talking", include_str!("../gateways/africas-talking.toml")),
    ("infobip", include_str!("../gateways/infobip.toml")),
    ("vonage", include_str!("../gateways/vonage.toml")),
];

fn parse(text: &str) -> File {
    let environment = Environment::from_lookup(|_| Some("hush".to_owned()));
    File::parse(text, &environment).unwrap_or_else(|faults| panic!("{faults}"))
}

#[test]
fn each_described_gateway_can_be_used_as_it_stands() {
    for (name, text) in GATEWAYS {
        let file = parse(text);
        let [ProviderSettings::Http(settings)] = file.providers.as_slice() else { panic!("{name} is one gateway") };
        assert_eq!(format!("{settings:?}"), format!("HttpGatewaySettings {{ name: \"{name}\", .. }}"));
    }
}

#[test]
fn they_can_stand_in_one_file() {
    let whole = GATEWAYS.map(|(_, text)| text).join("\n");
    assert_eq!(parse(&whole).providers.len(), GATEWAYS.len());
}

#[test]
fn each_of_the_folder_is_tested() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/gateways");
    let mut found: Vec<_> = std::fs::read_dir(folder)
        .expect("the folder")
        .map(|file| file.expect("a file").file_name().into_string().expect("a name").replace(".toml", ""))
        .collect();
    found.sort_unstable();
    assert_eq!(found, GATEWAYS.map(|(name, _)| name));
}
