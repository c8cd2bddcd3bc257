//! A panic of a program, in a process of its own: the hook is the process's.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use shared::telemetry::{Fact, JsonLines, MetricsNamespace, Telemetry, record_panics};
use shared::{Clock, Timestamp};

/// Lines as they are printed.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("not poisoned").write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_panic_is_counted_and_what_it_said_is_not_repeated() {
    let printed = Lines::default();
    let clock = Clock::from_fn(|| Timestamp::UNIX_EPOCH);
    let telemetry = Arc::new(JsonLines::new(printed.clone(), clock, MetricsNamespace::default()));
    record_panics(telemetry.clone());
    let panicked = std::thread::spawn(|| panic!("the code is 123456")).join();
    drop(std::panic::take_hook());

    assert!(panicked.is_err());
    telemetry.record(&Fact::Notice { message: "the log goes on" });
    let printed = String::from_utf8(printed.0.lock().expect("not poisoned").clone()).expect("UTF-8");
    let lines: Vec<Value> = printed.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(lines.len(), 2);
    assert_eq!((&lines[0]["event"], &lines[0]["Panics"]), (&json!("panicked"), &json!(1)));
    assert_eq!(lines[0]["_aws"]["CloudWatchMetrics"][0]["Dimensions"], json!([[]]));
    assert!(lines[0]["place"].as_str().expect("a text").starts_with("shared/tests/panics.rs:"));
    assert!(!printed.contains("123456"), "{printed}");
}
