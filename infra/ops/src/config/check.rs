//! What producer and worker would say of a configuration file.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use shared::settings::Fault;
use shared::{Environment, Timestamp};
use worker::Route;
use worker::config::{Checked, Needed};

/// Many times what a line for each country in each section takes.
const MOST_BYTES: u64 = 1024 * 1024;

const NO_NUMBER_KEY: &str = "there is no number_key in [limits]: with STATE_TABLE, which infra/aws/template.yaml sets, \
    the worker does not start without one";

/// What a look at a configuration file has found.
pub(crate) struct Report {
    pub(crate) path: PathBuf,
    /// In the file's order. The worker does not start while there is one.
    pub(crate) faults: Vec<Fault>,
    pub(crate) producer: ProducerStart,
    /// In the file's order; none where there are faults.
    pub(crate) providers: Vec<Provider>,
    pub(crate) routes: Routes,
    /// Complete where there are no faults.
    pub(crate) needed: Needed,
    /// What is no fault and yet worth knowing.
    pub(crate) notes: Vec<String>,
}

/// What the faults are for the producer, which reads three sections alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProducerStart {
    Starts,
    /// Faults of syntax hide something, perhaps of what it reads.
    StartsWithDefaults,
    DoesNotStart,
}

/// A `[[provider]]` block.
pub(crate) struct Provider {
    pub(crate) name: String,
    pub(crate) kind: &'static str,
    pub(crate) base_url: String,
}

/// Providers by name, in order of preference. None: nothing is sent there.
#[derive(Default)]
pub(crate) struct Routes {
    pub(crate) default: Vec<String>,
    /// Each country that has a line of its own.
    pub(crate) countries: Vec<(String, Vec<String>)>,
}

/// Checks a file as both programs read it. What `environment` lacks is no fault.
///
/// # Errors
/// When there is no such file, it cannot be read, or it is too large for a configuration.
pub(crate) fn check(path: &Path, environment: &Environment<'_>, now: Timestamp) -> anyhow::Result<Report> {
    let report = |faults, producer| Report {
        path: path.to_owned(),
        faults,
        producer,
        providers: Vec::new(),
        routes: Routes::default(),
        needed: Needed::default(),
        notes: Vec::new(),
    };
    let bytes = read(path)?;
    let text = match utf8(&bytes) {
        Ok(text) => text,
        Err(fault) => return Ok(report(vec![fault], ProducerStart::DoesNotStart)),
    };
    let Checked { file, producer, needed } = Checked::read(text, environment);
    let producer = match producer {
        Ok(of_syntax) if of_syntax.is_empty() => ProducerStart::Starts,
        Ok(_of_syntax) => ProducerStart::StartsWithDefaults,
        Err(_faults) => ProducerStart::DoesNotStart,
    };
    Ok(match file {
        Err(faults) => Report { needed, ..report(faults.iter().cloned().collect(), producer) },
        Ok(file) => {
            let providers = file.providers.iter().map(|provider| Provider {
                name: provider.name().to_owned(),
                kind: provider.kind(),
                base_url: provider.base_url().as_str().to_owned(),
            });
            let providers: Vec<_> = providers.collect();
            let no_number_key = file.limits.lacks_number_key().then(|| NO_NUMBER_KEY.to_owned());
            let notes = no_number_key.into_iter().chain(file.test_numbers.notices(now)).collect();
            let routes = Routes::of(&file.route, &providers);
            Report { providers, routes, needed, notes, ..report(Vec::new(), producer) }
        }
    })
}

impl Routes {
    fn of(route: &Route, providers: &[Provider]) -> Self {
        let names = |indexes: &[usize]| indexes.iter().map(|index| providers[*index].name.clone()).collect();
        let countries = route.countries().map(|(country, indexes)| (country.to_string(), names(indexes)));
        Self { default: names(route.default_providers()), countries: countries.collect() }
    }
}

/// A configuration file's content.
///
/// # Errors
/// When there is no such file, it cannot be read, or it is too large for a configuration.
pub(crate) fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MOST_BYTES + 1).read_to_end(&mut bytes));
    read.with_context(|| format!("reading {}", path.display()))?;
    let is_small = u64::try_from(bytes.len()).is_ok_and(|length| length <= MOST_BYTES);
    ensure!(is_small, "{} has more than 1 MiB: that is no configuration", path.display());
    Ok(bytes)
}

/// A configuration file's text.
///
/// # Errors
/// Where it is none.
pub(crate) fn utf8(bytes: &[u8]) -> Result<&str, Fault> {
    std::str::from_utf8(bytes).map_err(|error| {
        let sound = std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default();
        Fault::at(sound, sound.len(), "here the file is not UTF-8, as TOML must be; save it as UTF-8".to_owned())
    })
}
