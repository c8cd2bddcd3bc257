use std::fs;
use std::process::Command;

use crate::Node;
use crate::process::{Server, StartError};

/// A running cognito-local: Cognito's user pool API, all in a folder that goes with it. It ends when dropped, and with
/// the test process.
pub struct CognitoLocal {
    server: Server,
}

impl CognitoLocal {
    /// Starts one on a free port of 127.0.0.1 with this configuration (JSON, the content of its `config.json`), and
    /// waits until it is well.
    ///
    /// # Errors
    /// When it does not start within a minute.
    pub fn start(node: &Node, configuration: &str) -> Result<Self, StartError> {
        let server = Server::start("cognito-local", "/health", |port, folder| {
            let data = folder.join(".cognito");
            fs::create_dir_all(&data)?;
            fs::write(data.join("config.json"), configuration)?;
            let mut command: Command = node.command();
            command.arg(node.modules().join("cognito-local/lib/bin/start.js")).current_dir(folder);
            command.env("HOST", "127.0.0.1").env("PORT", port.to_string());
            command.env("AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE", "1");
            Ok(command)
        })?;
        Ok(Self { server })
    }

    /// Its URL.
    pub fn endpoint(&self) -> String {
        self.server.endpoint()
    }

    /// What it has printed so far; of a long output, the end. It holds codes in clear.
    pub fn output(&self) -> String {
        self.server.output()
    }
}
