//! The templates before programs that others wrote: cfn-lint, checkov and the SAM translator. None of them asks anybody
//! on the network. All of it runs with `--include-ignored`.

#![allow(clippy::unwrap_used, reason = "the support functions of a test may panic as the test itself may")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output};

use serde_json::Value;
use tempfile::TempDir;
use witnesses::{Missing, Trial, linters, python, run};

const TEMPLATES: [&str; 2] = ["template.yaml", "demo-pool.yaml"];
const NOT_EVEN_A_NEWER_VERSION: (&str, &str) = ("CKV_SKIP_PACKAGE_UPDATE_CHECK", "true");

fn main() -> ExitCode {
    run([
        Trial::outside("the_templates_are_translated_by_sam", templates_are_translated),
        Trial::outside("sam_refuses_a_property_that_does_not_exist", sam_refuses),
        Trial::outside("the_templates_pass_cfn_lint", templates_pass_cfn_lint),
        Trial::outside("cfn_lint_refuses_a_property_that_does_not_exist", cfn_lint_refuses),
        Trial::outside("cfn_lint_refuses_what_only_the_translation_shows", cfn_lint_refuses_the_translation),
        Trial::outside("the_templates_pass_checkov", templates_pass_checkov),
        Trial::outside("checkov_refuses_a_key_that_is_never_rotated", checkov_refuses),
        Trial::outside("each_exception_from_checkov_has_a_reason_and_is_needed", exceptions_are_needed),
        Trial::outside("an_exception_that_is_not_needed_is_found", needless_exception_is_found),
        Trial::outside("the_linters_ask_nobody_on_the_network", nobody_is_asked),
    ])
}

fn templates_are_translated() -> Result<(), Missing> {
    for template in templates() {
        let translated = Sam::reads(&template)?.translated.unwrap_or_else(|refused| panic!("{refused}"));
        for (name, resource) in resources(&translated) {
            let kind = resource["Type"].as_str().unwrap();
            assert!(!kind.starts_with("AWS::Serverless::"), "{name} is still {kind}");
            // What a managed policy permits, AWS decides, and changes.
            let managed = resource["Properties"]["ManagedPolicyArns"].as_array().map_or(0, Vec::len);
            assert_eq!(managed, 0, "{name} has managed policies: {}", resource["Properties"]["ManagedPolicyArns"]);
        }
    }
    Ok(())
}

fn sam_refuses() -> Result<(), Missing> {
    let (_folder, template) = changed("Handler:", "Handle:");
    let refused = Sam::reads(&template)?.translated.expect_err("there is no such property");
    assert!(refused.contains("'Handle' is not a supported property of 'Function'"), "{refused}");
    Ok(())
}

fn templates_pass_cfn_lint() -> Result<(), Missing> {
    for template in templates() {
        let findings = cfn_lint(&template)?;
        assert!(findings.is_empty(), "{findings}");
    }
    Ok(())
}

fn cfn_lint_refuses() -> Result<(), Missing> {
    let (_folder, template) = changed("SqsManagedSseEnabled:", "SqsManagedSse:");
    let findings = cfn_lint(&template)?;
    assert!(
        findings.contains("E3002 in template.yaml: Additional properties are not allowed ('SqsManagedSse'"),
        "{findings}"
    );
    Ok(())
}

fn cfn_lint_refuses_the_translation() -> Result<(), Missing> {
    let (_folder, template) = changed("Runtime: provided.al2023", "Runtime: provided.al2021");
    let findings = cfn_lint(&template)?;
    assert!(findings.contains("E3030 in what SAM makes of template.yaml: 'provided.al2021' is not one"), "{findings}");
    Ok(())
}

fn templates_pass_checkov() -> Result<(), Missing> {
    let report = Report::by_checkov(&templates())?;
    assert!(report.failed.is_empty(), "{}", listed(&report.failed));
    Ok(())
}

fn checkov_refuses() -> Result<(), Missing> {
    let (_folder, template) = changed("EnableKeyRotation: true", "EnableKeyRotation: false");
    let failed = Report::by_checkov(&[template])?.failed;
    let rotation = |place: &String| place.starts_with("template.yaml: CKV_AWS_7 of AWS::KMS::Key.");
    assert!(!failed.is_empty() && failed.keys().all(rotation), "{}", listed(&failed));
    Ok(())
}

fn exceptions_are_needed() -> Result<(), Missing> {
    let exceptions = Exceptions::of(&templates())?;
    let nameless: Vec<_> = exceptions.written.iter().filter(|(_, reason)| reason.trim().is_empty()).collect();
    assert!(nameless.is_empty(), "without a reason (comment): {nameless:?}");
    assert_eq!(exceptions.needless(), Vec::<&String>::new(), "checkov would find nothing there");
    // And checkov took each for what it is meant to be.
    let skipped = Report::by_checkov(&templates())?.skipped;
    assert_eq!(skipped, exceptions.written);
    Ok(())
}

fn needless_exception_is_found() -> Result<(), Missing> {
    let needless = "Metadata: { checkov: { skip: [{ id: CKV_AWS_7, comment: It is rotated. }] } }";
    let (_folder, template) = changed("Type: AWS::KMS::Key\n", &format!("Type: AWS::KMS::Key\n    {needless}\n"));
    let exceptions = Exceptions::of(&[template])?;
    let [found] = exceptions.needless()[..] else { panic!("{:?}", exceptions.needless()) };
    assert!(found.starts_with("template.yaml: CKV_AWS_7 of AWS::KMS::Key."), "{found}");
    Ok(())
}

fn nobody_is_asked() -> Result<(), Missing> {
    let home = tempfile::tempdir().unwrap();
    let proxy = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    proxy.set_nonblocking(true).unwrap();
    let url = format!("http://{}", proxy.local_addr().unwrap());
    let asks = |mut linter: Command| {
        let linted = output(linter.env("HTTPS_PROXY", &url).env("HTTP_PROXY", &url));
        assert!(linted.status.success(), "{}{}", text(&linted.stdout), text(&linted.stderr));
        proxy.accept().is_ok()
    };
    for template in templates() {
        assert!(!asks(cfn_lint_command(&template, home.path())?));
    }
    assert!(!asks(checkov_command(&templates(), home.path())?));
    // The proxy would have been asked.
    let mut curious = checkov_command(&templates(), home.path())?;
    curious.env_remove(NOT_EVEN_A_NEWER_VERSION.0);
    assert!(asks(curious));
    Ok(())
}

fn templates() -> Vec<PathBuf> {
    TEMPLATES.map(|name| Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).to_vec()
}

/// A copy of `template.yaml` with one thing changed, wherever it occurs, and the folder that it lies in.
fn changed(from: &str, to: &str) -> (TempDir, PathBuf) {
    let text = std::fs::read_to_string(&templates()[0]).unwrap();
    assert!(text.contains(from), "the template has no {from:?}: this test must change something else");
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join(TEMPLATES[0]);
    std::fs::write(&copy, text.replace(from, to)).unwrap();
    (folder, copy)
}

/// A template as SAM reads it.
struct Sam {
    written: Value,
    /// What it makes of it, or why it refuses.
    translated: Result<Value, String>,
}

impl Sam {
    fn reads(template: &Path) -> Result<Self, Missing> {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/translate.py");
        let mut translate = python()?.command();
        translate.env_clear().env("PYTHONUTF8", "1");
        let printed = output(translate.env("AWS_DEFAULT_REGION", "eu-west-1").arg(script).arg(template));
        assert!(printed.status.success(), "{}: {}", template.display(), text(&printed.stderr));
        let mut printed: Value = serde_json::from_slice(&printed.stdout).unwrap();
        let translated = match printed["refused"].as_str() {
            Some(refused) => Err(format!("SAM refuses {}:\n{refused}", name(template))),
            None => Ok(printed["translated"].take()),
        };
        Ok(Self { written: printed["written"].take(), translated })
    }
}

fn resources(template: &Value) -> impl Iterator<Item = (&String, &Value)> {
    template["Resources"].as_object().unwrap().iter()
}

/// What cfn-lint finds in a template, and in what SAM makes of it: of a SAM template it knows the properties' names,
/// and neither follows a reference nor looks at a value.
fn cfn_lint(template: &Path) -> Result<String, Missing> {
    let folder = tempfile::tempdir().unwrap();
    let mut findings = String::new();
    let mut look = |what: &str, template: &Path| -> Result<(), Missing> {
        let linted = output(&mut cfn_lint_command(template, folder.path())?);
        let found: Vec<Value> = serde_json::from_slice(&linted.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}{}", text(&linted.stdout), text(&linted.stderr)));
        assert_eq!(linted.status.success(), found.is_empty(), "{linted:?}");
        for finding in found {
            let [rule, message] = ["/Rule/Id", "/Message"].map(|member| finding.pointer(member).unwrap());
            let at = finding["Location"]["Path"].to_string();
            writeln!(findings, "{} in {what}: {} at {at}", rule.as_str().unwrap(), message.as_str().unwrap()).unwrap();
        }
        Ok(())
    };
    look(name(template), template)?;
    match Sam::reads(template)?.translated {
        Ok(translated) => {
            let file = folder.path().join("translated.json");
            std::fs::write(&file, format!("{translated:#}")).unwrap();
            look(&format!("what SAM makes of {}", name(template)), &file)?;
        }
        Err(refused) => findings.push_str(&refused),
    }
    Ok(findings)
}

fn cfn_lint_command(template: &Path, home: &Path) -> Result<Command, Missing> {
    let mut cfn_lint = linter("cfn-lint", home)?;
    cfn_lint.args(["--format", "json", "--regions", "eu-west-1", "--template"]).arg(template);
    Ok(cfn_lint)
}

/// What checkov says, by place: "template.yaml: CKV_AWS_7 of AWS::KMS::Key.CodeKey".
struct Report {
    failed: BTreeMap<String, String>,
    /// With the reasons.
    skipped: BTreeMap<String, String>,
}

impl Report {
    fn by_checkov(templates: &[PathBuf]) -> Result<Self, Missing> {
        let home = tempfile::tempdir().unwrap();
        let said = output(&mut checkov_command(templates, home.path())?);
        let report: Value = serde_json::from_slice(&said.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}{}", text(&said.stdout), text(&said.stderr)));
        // A template that it cannot read is to checkov one without faults.
        let mut written = 0;
        for template in templates {
            written += resources(&Sam::reads(template)?.written).count();
        }
        assert_eq!(report["summary"]["resource_count"], written, "checkov has not read everything: {report}");
        let of = |kind: &str, text: fn(&Value) -> String| {
            let checks = report["results"][kind].as_array().unwrap().iter();
            checks.map(|check| (place_of(check), text(check))).collect()
        };
        let failed = of("failed_checks", |check| {
            format!("{} (from line {})", check["check_name"].as_str().unwrap(), check["file_line_range"][0])
        });
        let skipped = of("skipped_checks", |check| check["check_result"]["suppress_comment"].as_str().unwrap().into());
        Ok(Self { failed, skipped })
    }
}

fn checkov_command(templates: &[PathBuf], home: &Path) -> Result<Command, Missing> {
    let mut checkov = linter("checkov", home)?;
    checkov.args(["--framework", "cloudformation", "--skip-download", "--compact", "--output", "json", "--file"]);
    checkov.args(templates);
    Ok(checkov)
}

fn place_of(check: &Value) -> String {
    let [file, resource, id] = ["file_path", "resource", "check_id"].map(|member| check[member].as_str().unwrap());
    place(Path::new(file), id, resource)
}

fn place(template: &Path, id: &str, resource: &str) -> String {
    format!("{}: {id} of {resource}", name(template))
}

fn listed(findings: &BTreeMap<String, String>) -> String {
    findings.iter().fold(String::from("checkov:"), |list, (place, what)| list + "\n" + place + ": " + what)
}

/// The exceptions from checkov that templates ask for, and what it finds without them: it counts an exception as used
/// even where there is nothing to find.
struct Exceptions {
    /// The reasons, by place.
    written: BTreeMap<String, String>,
    without: Report,
}

impl Exceptions {
    fn of(templates: &[PathBuf]) -> Result<Self, Missing> {
        let folder = tempfile::tempdir().unwrap();
        let mut written = BTreeMap::new();
        let mut bare = Vec::new();
        for template in templates {
            let mut content = Sam::reads(template)?.written;
            for (name, resource) in content["Resources"].as_object_mut().unwrap() {
                let resource_id = format!("{}.{name}", resource["Type"].as_str().unwrap());
                let asked =
                    resource.get_mut("Metadata").and_then(|metadata| metadata.as_object_mut()?.remove("checkov"));
                for skip in asked.iter().flat_map(|checkov| checkov["skip"].as_array().unwrap()) {
                    let place = place(template, skip["id"].as_str().unwrap(), &resource_id);
                    let reason = skip["comment"].as_str().unwrap_or_default();
                    assert_eq!(written.insert(place.clone(), reason.to_owned()), None, "twice: {place}");
                }
            }
            bare.push(folder.path().join(name(template)));
            std::fs::write(bare.last().unwrap(), content.to_string()).unwrap();
        }
        Ok(Self { written, without: Report::by_checkov(&bare)? })
    }

    fn needless(&self) -> Vec<&String> {
        self.written.keys().filter(|place| !self.without.failed.contains_key(*place)).collect()
    }
}

/// A linter that finds no settings and no credentials of whoever runs it.
fn linter(name: &str, home: &Path) -> Result<Command, Missing> {
    let mut linter = linters()?.program(name);
    linter.env_clear().current_dir(home).env("HOME", home).env("PYTHONUTF8", "1");
    linter.env(NOT_EVEN_A_NEWER_VERSION.0, NOT_EVEN_A_NEWER_VERSION.1);
    Ok(linter)
}

fn output(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn name(template: &Path) -> &str {
    template.file_name().unwrap().to_str().unwrap()
}
