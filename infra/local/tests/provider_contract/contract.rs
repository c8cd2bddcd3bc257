//! The checks.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use worker::provider::Outcome;

use crate::gateway::{Answer, Gateway, Script};
use crate::subject::{LONG, SHORT, Subject, TEXT, seen, send};

pub(crate) async fn the_request_is_exactly_this_one(subject: &Subject) {
    let (attempt, gateway) = subject.sends_to(Script::Answer(subject.success()), LONG).await;
    assert_eq!(seen(&attempt), ("accepted", None));
    let [request] = gateway.requests().try_into().expect("one request");
    assert_eq!(request.line, subject.request_line);
    assert_eq!(request.body, subject.body);
    let mut headers: Vec<_> = subject.headers.iter().map(ToString::to_string).collect();
    headers.push(format!("host: {}", gateway.address()));
    headers.push(concat!("user-agent: sealpost/", env!("CARGO_PKG_VERSION")).to_owned());
    if !subject.body.is_empty() {
        headers.push(format!("content-length: {}", subject.body.len()));
    }
    headers.sort_unstable();
    assert_eq!(request.headers, headers);
}

pub(crate) async fn a_dry_run_shows_what_arrives(subject: &Subject) {
    let (_, gateway) = subject.sends_to(Script::Answer(subject.success()), LONG).await;
    let [arrived] = gateway.requests().try_into().expect("one request");
    let shown = subject.request(&gateway.base_url());
    let target = &shown.url().as_str()[gateway.base_url().len()..];
    assert_eq!(format!("{} {target} HTTP/1.1", shown.method()), arrived.line);
    let of_http =
        |header: &&String| ["host: ", "user-agent: ", "content-length: "].iter().any(|name| header.starts_with(name));
    let headers: Vec<_> = shown.headers().iter().map(|(name, value)| format!("{name}: {value}")).collect();
    assert_eq!(headers, arrived.headers.into_iter().filter(|header| !of_http(&header)).collect::<Vec<_>>());
    assert_eq!(shown.content(), arrived.body);
    assert_eq!(format!("{shown:?}"), format!("OutgoingRequest {{ method: {}, .. }}", shown.method()));
}

pub(crate) async fn an_accepted_sms_has_the_providers_id(subject: &Subject) {
    let (attempt, _gateway) = subject.sends_to(Script::Answer(subject.success()), LONG).await;
    let Outcome::Accepted { provider_message_id } = attempt.outcome else { panic!("{attempt:?}") };
    assert_eq!(provider_message_id.as_str(), subject.id);
}

pub(crate) async fn any_text_arrives_unchanged(subject: &Subject) {
    let texts = [
        TEXT,
        " ",
        "1 + 1 = 2 & 100%25; ~*'()",
        "Code für Zoë: 424242 \u{1F512}\nZeile\r\n\r\n@example.com #424242",
        "\"}],\"to\":\"+12065550199\" \\ \\u0041 \u{1} \u{7f}",
        "{{to}} {{text}} ${env:TOKEN} $& {{",
        "</text><to>?a=b&text=c#d/../e%00",
    ];
    let gateway = Gateway::told(texts.iter().map(|_| Script::Answer(subject.success()))).await;
    let provider = subject.provider(&gateway.base_url(), "");
    for text in texts {
        assert_eq!(seen(&send(provider.as_ref(), text, LONG).await), ("accepted", None), "{text}");
    }
    let arrived: Vec<_> = gateway.requests().iter().map(subject.text_of).collect();
    assert_eq!(arrived, texts);
}

pub(crate) async fn every_answer_has_its_class(subject: &Subject) {
    let answers = subject.rows.iter().map(|row| Answer::new(row.status, row.body.clone())).collect();
    for (attempt, row) in subject.attempts(answers).await.iter().zip(&subject.rows) {
        assert_eq!(seen(attempt), (row.class, row.code.as_deref()), "{} {}", row.status, row.body);
    }
}

pub(crate) async fn retry_after_is_passed_on_in_both_its_forms(subject: &Subject) {
    let values = [
        (Some("17"), Some(17)),
        (Some("Mon, 23 Nov 2026 12:01:30 GMT"), Some(90)),
        (Some("86400"), Some(3600)),
        (Some("soon"), None),
        (None, None),
    ];
    for status in [429, 503] {
        let headers = |value: Option<&str>| value.map(|value| ("retry-after", value.to_owned())).into_iter().collect();
        let answers = values.map(|(value, _)| Answer { status, headers: headers(value), body: String::new() });
        for (attempt, (value, seconds)) in subject.attempts(answers.into()).await.into_iter().zip(values) {
            let retry_after = seconds.map(Duration::from_secs);
            assert_eq!(attempt.outcome, Outcome::Transient { retry_after }, "{value:?}");
        }
    }
}

pub(crate) async fn a_redirect_is_not_followed(subject: &Subject) {
    let other = Gateway::start().await;
    let answers = subject.redirects.map(|(status, _)| {
        let headers = vec![("location", format!("{}/elsewhere", other.base_url()))];
        Answer { status, headers, body: subject.success.1.to_owned() }
    });
    for (attempt, (status, class)) in subject.attempts(answers.into()).await.iter().zip(subject.redirects) {
        assert_eq!(attempt.outcome.class(), class, "{status}");
    }
    assert_eq!(other.connections(), 0, "the code went elsewhere");
}

pub(crate) async fn garbage_that_comes_as_a_success_is_unknown(subject: &Subject) {
    let bodies = ["", "<html>OK</html>", "{}", "[]", "null", "\u{0}", "{\"", "\"OK\""];
    for status in [200, 202] {
        let answers = bodies.map(|body| Answer::new(status, body)).into();
        for (attempt, body) in subject.attempts(answers).await.iter().zip(bodies) {
            assert_eq!(seen(attempt), ("unknown", Some(format!("http_{status}").as_str())), "{body}");
        }
    }
}

pub(crate) async fn an_answer_of_a_megabyte_is_not_read(subject: &Subject) {
    // It would be an acceptance if it were read.
    let body = format!("{}{}", subject.success.1, " ".repeat(1024 * 1024));
    let (attempt, _gateway) = subject.sends_to(Script::Answer(Answer::new(subject.success.0, body)), LONG).await;
    assert_eq!(seen(&attempt), ("unknown", Some(format!("http_{}", subject.success.0).as_str())));
}

pub(crate) async fn an_answer_without_end_is_not_read(subject: &Subject) {
    let (attempt, _gateway) = subject.sends_to(Script::WithoutEnd(200), LONG).await;
    assert_eq!(seen(&attempt), ("unknown", Some("http_200")));
}

pub(crate) async fn half_an_answer_is_unknown(subject: &Subject) {
    let (attempt, gateway) = subject.sends_to(Script::Half(subject.success()), LONG).await;
    assert_eq!(seen(&attempt), ("unknown", Some("broken_answer")));
    assert_eq!(gateway.begun(), 1);
}

pub(crate) async fn nobody_listening_is_provably_not_sent(subject: &Subject) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let base_url = format!("http://{}", listener.local_addr().expect("bound"));
    drop(listener);
    let attempt = send(subject.provider(&base_url, "").as_ref(), TEXT, LONG).await;
    assert_eq!(seen(&attempt), ("transient", Some("connect")));
}

pub(crate) async fn a_failed_tls_handshake_is_provably_not_sent(subject: &Subject) {
    for answer in ["HTTP/1.1 400 Bad Request\r\n\r\n", ""] {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let base_url = format!("https://{}", listener.local_addr().expect("bound"));
        let serve = async {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            assert!(stream.read(&mut [0; 4096]).await.expect("readable") > 0);
            stream.write_all(answer.as_bytes()).await.expect("writable");
        };
        let provider = subject.provider(&base_url, "");
        let ((), attempt) = tokio::join!(serve, send(provider.as_ref(), TEXT, LONG));
        assert_eq!(seen(&attempt), ("transient", Some("tls")));
    }
}

pub(crate) async fn a_connection_that_never_stands_is_provably_not_sent(subject: &Subject) {
    // The kernel completes the connection; nobody answers the handshake of TLS.
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let base_url = format!("https://{}", listener.local_addr().expect("bound"));
    let impatient = subject.provider(&base_url, "connect_timeout = \"150ms\"");
    let attempt = send(impatient.as_ref(), TEXT, LONG).await;
    assert_eq!(seen(&attempt), ("transient", Some("connect_timeout")), "the client's own limit");
    let attempt = send(subject.provider(&base_url, "").as_ref(), TEXT, SHORT).await;
    // A body is held back until the connection stands. Of a request that is all URL nobody knows whether it left.
    let expected =
        if subject.body.is_empty() { ("unknown", Some("timeout")) } else { ("transient", Some("connect_timeout")) };
    assert_eq!(seen(&attempt), expected, "the attempt's limit");
}

pub(crate) async fn silence_after_the_request_is_unknown(subject: &Subject) {
    let (attempt, gateway) = subject.sends_to(Script::Silence, SHORT).await;
    assert_eq!(seen(&attempt), ("unknown", Some("timeout")));
    assert_eq!(gateway.begun(), 1);
}

pub(crate) async fn the_shorter_of_the_two_limits_wins(subject: &Subject) {
    let gateway = Gateway::told([Script::Silence]).await;
    let impatient = subject.provider(&gateway.base_url(), "timeout = \"150ms\"");
    assert_eq!(seen(&send(impatient.as_ref(), TEXT, LONG).await), ("unknown", Some("timeout")));
}

pub(crate) async fn a_slow_answer_within_the_limit_counts(subject: &Subject) {
    let (attempt, _gateway) = subject.sends_to(Script::Slow(SHORT, subject.success()), LONG).await;
    assert_eq!(seen(&attempt), ("accepted", None));
}

pub(crate) async fn a_reset_on_the_way_is_unknown_read_or_not(subject: &Subject) {
    for (script, read) in [(Script::ResetBeforeRead, 0), (Script::ResetAfterRead, 1)] {
        let (attempt, gateway) = subject.sends_to(script, LONG).await;
        assert_eq!(seen(&attempt), ("unknown", Some("connection_lost")));
        assert_eq!((gateway.begun(), gateway.requests().len()), (1, read));
    }
}

pub(crate) async fn a_reset_of_a_connection_in_use_is_not_repeated_in_silence(subject: &Subject) {
    for reset in [Script::ResetBeforeRead, Script::ResetAfterRead] {
        let scripts = [Script::Answer(subject.success()), reset, Script::Answer(subject.success())];
        let gateway = Gateway::told(scripts).await;
        let provider = subject.provider(&gateway.base_url(), "");
        assert_eq!(seen(&send(provider.as_ref(), TEXT, LONG).await), ("accepted", None));
        assert_eq!(seen(&send(provider.as_ref(), TEXT, LONG).await), ("unknown", Some("connection_lost")));
        assert_eq!((gateway.begun(), gateway.connections()), (2, 1));
        assert_eq!(seen(&send(provider.as_ref(), TEXT, LONG).await), ("accepted", None), "the next one connects anew");
        assert_eq!(gateway.connections(), 2);
    }
}

pub(crate) async fn one_connection_serves_many_messages(subject: &Subject) {
    let gateway = Gateway::told([0; 4].map(|_| Script::Answer(subject.success()))).await;
    let provider = subject.provider(&gateway.base_url(), "");
    for _ in 0..4 {
        assert_eq!(seen(&send(provider.as_ref(), TEXT, LONG).await), ("accepted", None));
    }
    assert_eq!((gateway.begun(), gateway.connections()), (4, 1));
}
