use crate::Python;
use crate::process::{Server, StartError};

/// A running moto: Cognito user pools, Lambda without functions that run, IAM and STS, all in memory. It ends when
/// dropped, and with the test process.
///
/// A call's region is the one in its signature, which is not looked at otherwise. There is one account,
/// [`ACCOUNT`](Self::ACCOUNT), whoever calls.
pub struct Moto {
    server: Server,
}

impl Moto {
    /// The account of everything in it.
    pub const ACCOUNT: &str = "123456789012";

    /// Starts one on a free port of 127.0.0.1, and waits until it is well.
    ///
    /// # Errors
    /// When it does not start within a minute.
    pub fn start(moto: &Python) -> Result<Self, StartError> {
        let server = Server::start("moto", "/moto-api/", |port, _| {
            let mut command = moto.program("moto_server");
            command.args(["--host", "127.0.0.1", "--port", &port.to_string()]);
            command.env("MOTO_ACCOUNT_ID", Self::ACCOUNT);
            Ok(command)
        })?;
        Ok(Self { server })
    }

    /// Its URL, for all services.
    pub fn endpoint(&self) -> String {
        self.server.endpoint()
    }
}
