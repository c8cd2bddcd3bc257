//! The providers that pass the contract: Twilio, the gateways that the worker's folder describes, and one that takes
//! everything in the URL and answers in plain text.

use crate::request::Request;
use crate::subject::{ACCOUNT, Row, Subject, accepted, by_status, row};

/// What an HTTP gateway's redirects mean: 302 and 303 are also said after the request was processed.
const REDIRECTS: [(u16, &str); 5] = [
    (301, "provider_permanent"),
    (302, "unknown"),
    (303, "unknown"),
    (307, "provider_permanent"),
    (308, "provider_permanent"),
];

pub(crate) fn twilio() -> Subject {
    let error = |status: u16, code: u32, class| {
        let message = "The 'To' number +12065550100 cannot have 'Your code is 424242.'";
        let body = format!(r#"{{"code":{code},"message":"{message}","more_info":"x","status":{status}}}"#);
        row(status, body, class, &code.to_string())
    };
    let sid = "SM0123456789abcdef0123456789abcdef";
    let created = |status: &str, error_code: &str| {
        let body = "\"body\":\"Your code is 424242.\",\"to\":\"+12065550100\"";
        format!(r#"{{"sid":"{sid}","status":"{status}","error_code":{error_code},{body}}}"#)
    };
    let mut rows = vec![
        accepted(200, created("accepted", "null")),
        accepted(201, created("queued", "null")),
        row(201, created("failed", "null"), "provider_permanent", "failed"),
        row(201, created("failed", "21610"), "recipient_permanent", "21610"),
        row(201, created("failed", "30008"), "provider_permanent", "30008"),
        row(201, created("queued", "30008"), "unknown", "30008"),
        by_status(201, "{\"sid\":\"SM1\",\"status\":\"queued\"}", "unknown"),
        error(429, 63038, "provider_permanent"),
        by_status(500, "{\"code\":20429}", "unknown"),
        by_status(408, "", "unknown"),
        by_status(404, "", "provider_permanent"),
        by_status(502, "<html>", "unknown"),
        by_status(429, "", "transient"),
        by_status(503, "", "transient"),
    ];
    for (class, codes) in [
        ("transient", &[20429, 20503, 21611, 30001][..]),
        ("unknown", &[20500]),
        ("recipient_permanent", &[21211, 21610, 21614, 30005, 30006]),
        (
            "provider_permanent",
            &[10001, 20003, 20005, 21408, 21606, 21608, 21612, 21659, 21703, 30022, 30034, 63038, 29999],
        ),
        ("fraud_blocked", &[30450]),
    ] {
        rows.extend(codes.iter().map(|code| error(400, *code, class)));
    }
    Subject {
        block: format!(
            "[[provider]]\nname = \"twilio\"\nkind = \"twilio\"\nbase_url = \"BASE_URL/proxy/\"\n\
             account_sid = \"{ACCOUNT}\"\napi_key_sid = \"SK0123456789abcdef0123456789abcdef\"\n\
             api_key_secret = \"${{env:TOKEN}}\"\nmessaging_service_sid = \"MG0123456789abcdef0123456789abcdef\"\n\
             discard_content = true\n"
        ),
        request_line: "POST /proxy/2010-04-01/Accounts/AC0123456789abcdef0123456789abcdef/Messages.json HTTP/1.1",
        headers: &[
            "accept: application/json",
            // The API key and its secret, not the account.
            "authorization: Basic U0swMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZjpodXNoLXRva2Vu",
            "content-type: application/x-www-form-urlencoded",
        ],
        body: "To=%2B12065550100&MessagingServiceSid=MG0123456789abcdef0123456789abcdef&Body=Your+code+is+424242.\
               &ValidityPeriod=170&ContentRetention=discard&AddressRetention=obfuscate",
        text_of: |request| request.in_form("Body"),
        success: (
            201,
            r#"{"sid":"SM0123456789abcdef0123456789abcdef","status":"queued","error_code":null,"body":"Your code is 424242."}"#,
        ),
        id: Some(sid),
        rows,
        redirects: [301, 302, 303, 307, 308].map(|status| (status, "provider_permanent")),
    }
}

pub(crate) fn infobip() -> Subject {
    let message = |group: u8, name: &str| {
        let status = format!(r#"{{"groupId":{group},"id":1,"name":"{name}","description":"for +12065550100"}}"#);
        format!(r#"{{"bulkId":"b","messages":[{{"messageId":"m-1","status":{status},"destination":"12065550100"}}]}}"#)
    };
    let error = |code: &str| format!(r#"{{"errorCode":"{code}","description":"+12065550100","violations":[]}}"#);
    let rejected = |name: &str, class| row(200, message(5, name), class, &name.to_lowercase());
    Subject {
        block: described(include_str!("../../../../worker/gateways/infobip.toml"), "https://api.infobip.com"),
        request_line: "POST /sms/3/messages HTTP/1.1",
        headers: &["accept: application/json", "authorization: App hush-token", "content-type: application/json"],
        body: concat!(
            r#"{"messages":[{"sender":"Example","destinations":[{"to":"12065550100","#,
            r#""messageId":"07070707070707070707070707070707"}],"content":{"text":"Your code is 424242."},"#,
            r#""options":{"validityPeriod":{"amount":170,"timeUnit":"SECONDS"}}}]}"#
        ),
        text_of: |request| request.in_json("/messages/0/content/text"),
        success: (200, r#"{"messages":[{"messageId":"m-1","status":{"groupId":1,"name":"PENDING_ACCEPTED"}}]}"#),
        id: Some("m-1"),
        rows: vec![
            accepted(200, message(1, "PENDING_ACCEPTED")),
            rejected("REJECTED_SYSTEM_ERROR", "transient"),
            rejected("REJECTED_DUPLICATE_MESSAGE_ID", "unknown"),
            rejected("MISSING_TO", "recipient_permanent"),
            rejected("REJECTED_DESTINATION", "recipient_permanent"),
            rejected("REJECTED_DESTINATION_BLOCKLISTED", "recipient_permanent"),
            rejected("REJECTED_DND", "recipient_permanent"),
            rejected("REJECTED_PREFIX_MISSING", "recipient_permanent"),
            rejected("REJECTED_FLOODING_FILTER", "fraud_blocked"),
            row(200, message(4, "SIGNALS_BLOCKED"), "fraud_blocked", "signals_blocked"),
            rejected("REJECTED_NOT_ENOUGH_CREDITS", "provider_permanent"),
            row(200, message(2, "UNDELIVERABLE"), "provider_permanent", "undeliverable"),
            row(200, message(4, "EXPIRED_UNKNOWN"), "unknown", "expired_unknown"),
            row(400, error("E400"), "provider_permanent", "e400"),
            row(401, error("E401"), "provider_permanent", "e401"),
            row(403, error("E403"), "provider_permanent", "e403"),
            row(429, error("E429"), "transient", "e429"),
            row(500, error("E500"), "unknown", "e500"),
            by_status(502, "<html>", "unknown"),
            by_status(503, "", "transient"),
            by_status(408, "", "unknown"),
            // An id or code that repeats the message is not shown.
            by_status(400, &error("424242"), "provider_permanent"),
        ],
        redirects: REDIRECTS,
    }
}

pub(crate) fn vonage() -> Subject {
    let error = |status: u16, code: u32, class| {
        let kind = format!("https://developer.vonage.com/api-errors/messages#{code}");
        let body =
            format!(r#"{{"type":"{kind}","title":"t","detail":"Your code is 424242.","instance":"+12065550100"}}"#);
        row(status, body, class, &code.to_string())
    };
    let mut rows = vec![
        accepted(202, "{\"message_uuid\":\"aaaaaaaa-bbbb-4ccc-8ddd-0123456789ab\"}"),
        error(429, 1000, "transient"),
        error(400, 1100, "transient"),
        error(500, 1030, "unknown"),
        error(422, 1070, "provider_permanent"),
        error(422, 1120, "provider_permanent"),
        by_status(
            401,
            r#"{"type":"https://developer.vonage.com/api-errors#unauthorized!","title":"t"}"#,
            "provider_permanent",
        ),
        by_status(402, "", "provider_permanent"),
        by_status(202, "{\"message_uuid\":null}", "unknown"),
        by_status(500, "", "unknown"),
        by_status(429, "", "transient"),
    ];
    let recipient = [1040, 1050, 1170, 1190, 1200, 1240, 1270, 1280];
    rows.extend(recipient.map(|code| error(422, code, "recipient_permanent")));
    Subject {
        block: described(include_str!("../../../../worker/gateways/vonage.toml"), "https://api.nexmo.com"),
        request_line: "POST /v1/messages HTTP/1.1",
        headers: &[
            "accept: application/json",
            "authorization: Basic aHVzaC10b2tlbjpodXNoLXRva2Vu",
            "content-type: application/json",
        ],
        body: concat!(
            r#"{"message_type":"text","channel":"sms","to":"12065550100","from":"Example","text":"Your code is 424242.","#,
            r#""ttl":170,"client_ref":"07070707070707070707070707070707","sms":{"encoding_type":"auto"}}"#
        ),
        text_of: |request| request.in_json("/text"),
        success: (202, "{\"message_uuid\":\"aaaaaaaa-bbbb-4ccc-8ddd-0123456789ab\"}"),
        id: Some("aaaaaaaa-bbbb-4ccc-8ddd-0123456789ab"),
        rows,
        redirects: REDIRECTS,
    }
}

pub(crate) fn africas_talking() -> Subject {
    let answer = |code: u32| {
        let recipient = format!(r#"{{"statusCode":{code},"number":"+12065550100","messageId":"ATXid_1","cost":"0"}}"#);
        format!(r#"{{"SMSMessageData":{{"Message":"Sent to 1/1","Recipients":[{recipient}]}}}}"#)
    };
    let mut rows: Vec<Row> = [100, 101, 102].map(|code| accepted(201, answer(code))).into();
    for (class, codes) in [
        ("transient", &[501, 502][..]),
        ("unknown", &[500, 999]),
        ("recipient_permanent", &[403, 404, 406, 409]),
        ("provider_permanent", &[402, 405, 407]),
        ("fraud_blocked", &[401]),
    ] {
        rows.extend(codes.iter().map(|code| row(201, answer(*code), class, &code.to_string())));
    }
    let nobody = |message: &str| format!(r#"{{"SMSMessageData":{{"Message":"{message}","Recipients":[]}}}}"#);
    rows.extend([
        by_status(201, &nobody("InvalidSenderId"), "provider_permanent"),
        by_status(201, &nobody("Sent to 0/1"), "unknown"),
        by_status(401, "The supplied authentication is invalid", "provider_permanent"),
        row(500, answer(101), "unknown", "101"),
        by_status(500, "", "unknown"),
        by_status(429, "", "transient"),
    ]);
    Subject {
        block: described(
            include_str!("../../../../worker/gateways/africas-talking.toml"),
            "https://api.africastalking.com",
        ),
        request_line: "POST /version1/messaging HTTP/1.1",
        headers: &["accept: application/json", "apikey: hush-token", "content-type: application/x-www-form-urlencoded"],
        body: "username=example&to=%2B12065550100&from=EXAMPLE&bulkSMSMode=1&message=Your+code+is+424242.",
        text_of: |request| request.in_form("message"),
        success: (
            201,
            r#"{"SMSMessageData":{"Message":"Sent to 1/1","Recipients":[{"statusCode":101,"messageId":"ATXid_1"}]}}"#,
        ),
        id: Some("ATXid_1"),
        rows,
        redirects: REDIRECTS,
    }
}

/// A gateway of the old kind.
pub(crate) fn gateway_of_one_get() -> Subject {
    let block = r#"
[[provider]]
name = "old"
kind = "http"
base_url = "BASE_URL/cgi"
method = "GET"
path = "/send/${env:ACCOUNT}/{{to_digits}}/"
query = { key = "${env:KEY}", text = "{{text}}", ttl = "{{valid_for_minutes}}", until = "{{expires_at}}" }
headers = { accept = "text/plain" }
rules = [
    { starts_with = "OK ", class = "accepted" },
    { status = 204, class = "accepted" },
    { starts_with = "ERR 7", class = "recipient_permanent" },
    { contains = "busy", status = ["2xx", 420], class = "transient" },
    { status = "460-469", class = "fraud_blocked" },
]
"#;
    Subject {
        block: block.to_owned(),
        request_line: "GET /cgi/send/hush-token/12065550100/?key=hush-token&text=Your%20code%20is%20424242.&ttl=2\
                       &until=2026-11-23T12%3A02%3A50Z HTTP/1.1",
        headers: &["accept: text/plain"],
        body: "",
        text_of: |request: &Request| request.in_query("text"),
        success: (200, "OK 1 message to +12065550100\n"),
        id: None,
        rows: vec![
            accepted(200, "OK 17"),
            accepted(204, ""),
            by_status(200, "OK", "unknown"),
            by_status(500, "OK 17", "unknown"),
            by_status(200, "ERR 7 no such number: +12065550100", "recipient_permanent"),
            by_status(500, "ERR 7 no such number: +12065550100", "recipient_permanent"),
            by_status(200, "Your code is 424242: busy", "transient"),
            by_status(420, "busy", "transient"),
            by_status(421, "busy", "provider_permanent"),
            by_status(465, "", "fraud_blocked"),
            by_status(401, "ERR 1", "provider_permanent"),
            by_status(429, "", "transient"),
            by_status(500, "", "unknown"),
        ],
        redirects: REDIRECTS,
    }
}

/// A described gateway, served elsewhere.
fn described(text: &str, host: &str) -> String {
    assert!(text.contains(host), "its address has changed");
    text.replace(host, "BASE_URL")
}
