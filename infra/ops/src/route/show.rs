//! What `sealpost route` prints.

use std::io::{self, Write};

use serde_json::json;

use super::explain::{Explanation, Refused, Sent};

/// What decides in the end and is not in the configuration.
const NOT_LOOKED_AT: &str = "kill switches, which are in the state table: sealpost switch";

pub(super) fn as_text(explanation: &Explanation, out: &mut impl Write) -> io::Result<()> {
    let Explanation { number, outcome, country, kind, test_number, route, limits } = explanation;
    match outcome {
        Ok(Sent::Through(Some(providers))) => {
            writeln!(out, "{number} would be sent through {}", providers.join(", then "))?;
        }
        Ok(Sent::Through(None)) => {
            writeln!(out, "{number} would be sent through each [[provider]], in the order of the configuration")?;
        }
        Ok(Sent::ToNobody) => writeln!(out, "{number} is a test number: all is done, but nothing is sent")?,
        Err(Refused { reason, detail, .. }) => writeln!(out, "{number} would be refused as {reason}: {detail}")?,
    }
    let mut line = |title: &str, text: &str| writeln!(out, "{title:<15}{text}");
    line("country", country.as_deref().unwrap_or("unknown"))?;
    line("kind", kind.unwrap_or("unknown"))?;
    if let Some(test_number) = test_number {
        line("test number", test_number)?;
    }
    if let Some(route) = route {
        line("route", route)?;
    }
    if !limits.is_empty() {
        let limits: Vec<_> = limits.iter().map(|(name, rate)| format!("{name} {rate}")).collect();
        line("counted by", &format!("{}; beyond that it is refused as rate_limited", limits.join(", ")))?;
    }
    if let Err(Refused { remedy, .. }) = outcome {
        line("remedy", remedy)?;
    }
    line("not looked at", NOT_LOOKED_AT)
}

pub(super) fn as_json(explanation: &Explanation, out: &mut impl Write) -> io::Result<()> {
    let Explanation { number, outcome, country, kind, test_number, route, limits } = explanation;
    let limits: Vec<_> = limits.iter().map(|(name, rate)| json!({ "limit": name, "rate": rate })).collect();
    let refused = outcome.as_ref().err();
    let providers = match outcome {
        Ok(Sent::Through(providers)) => json!(providers),
        Ok(Sent::ToNobody) | Err(_) => json!([]),
    };
    let object = json!({
        "number": number,
        "sent": outcome.is_ok(),
        "providers": providers,
        "country": country,
        "kind": kind,
        "test_number": test_number,
        "route": route,
        "limits": limits,
        "reason": refused.map(|it| it.reason.to_string()),
        "detail": refused.map(|it| &it.detail),
        "remedy": refused.map(|it| &it.remedy),
        "not_looked_at": NOT_LOOKED_AT,
    });
    writeln!(out, "{object}")
}
