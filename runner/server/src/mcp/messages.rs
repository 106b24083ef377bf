//! Messages of JSON-RPC 2.0 as they arrive. What the protocol library would drop, or answer with the wrong code, is
//! answered here, so that every message has its answer.

use serde_json::{Map, Value, json};

const PARSE_ERROR: i64 = -32_700;
const INVALID_REQUEST: i64 = -32_600;
const INVALID_PARAMS: i64 = -32_602;

/// What becomes of a message.
#[derive(Debug, PartialEq)]
pub(crate) enum Message {
    /// It goes on to the server.
    Valid,
    /// It asks for no answer, and means nothing.
    Ignored,
    /// It is answered with this error.
    Refused(Value),
}

/// Checks the messages of one connection.
#[derive(Default)]
pub(crate) struct Messages {
    is_initialized: bool,
}

impl Messages {
    /// Those of a connection that carries one message, so that it is not known what came before.
    pub(crate) const fn without_order() -> Self {
        Self { is_initialized: true }
    }

    /// Checks a message.
    pub(crate) fn check(&mut self, text: &[u8]) -> Message {
        if text.trim_ascii().is_empty() {
            return Message::Ignored;
        }
        let message: Value = match serde_json::from_slice(text) {
            Ok(message) => message,
            Err(error) => return refused(&Value::Null, PARSE_ERROR, format!("not JSON: {error}")),
        };
        let Value::Object(message) = message else {
            let kind = if message.is_array() { "an array; batches are not supported" } else { "no object" };
            return refused(&Value::Null, INVALID_REQUEST, format!("expected a message object, found {kind}"));
        };
        let id = message.get("id").filter(|id| id.is_string() || id.is_number()).cloned().unwrap_or_default();
        if message.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
            return refused(&id, INVALID_REQUEST, "`jsonrpc` must be \"2.0\"".into());
        }
        let Some(method) = message.get("method") else {
            // An answer to a request of the server.
            let is_answer = message.contains_key("result") || message.contains_key("error");
            return if is_answer { Message::Valid } else { refused(&id, INVALID_REQUEST, missing("method")) };
        };
        let Some(method) = method.as_str() else {
            return refused(&id, INVALID_REQUEST, "`method` must be a string".into());
        };
        if !message.contains_key("id") {
            return if self.is_initialized { Message::Valid } else { Message::Ignored };
        }
        if id.is_null() {
            return refused(&id, INVALID_REQUEST, "`id` must be a string or a number".into());
        }
        if let Err(reason) = check_params(method, message.get("params")) {
            return refused(&id, INVALID_PARAMS, reason);
        }
        self.is_initialized |= method == "initialize";
        Message::Valid
    }
}

/// What a parameter is.
#[derive(Clone, Copy)]
enum Kind {
    String,
    Object,
}

/// Checks the parameters without which a request of this method means nothing.
fn check_params(method: &str, params: Option<&Value>) -> Result<(), String> {
    let required: &[(&str, Kind)] = match method {
        "initialize" => {
            &[("protocolVersion", Kind::String), ("capabilities", Kind::Object), ("clientInfo", Kind::Object)]
        }
        "tools/call" => &[("name", Kind::String)],
        _ => &[],
    };
    let none = Map::new();
    let params = match params {
        Some(Value::Object(params)) => params,
        Some(Value::Null) | None => &none,
        Some(_) => return Err("`params` must be an object".into()),
    };
    for (name, kind) in required {
        match (params.get(*name), kind) {
            (Some(Value::String(_)), Kind::String) | (Some(Value::Object(_)), Kind::Object) => {}
            (Some(_), Kind::String) => return Err(format!("`params.{name}` must be a string")),
            (Some(_), Kind::Object) => return Err(format!("`params.{name}` must be an object")),
            (None, _) => return Err(missing(&format!("params.{name}"))),
        }
    }
    match params.get("arguments") {
        Some(Value::Object(_) | Value::Null) | None => Ok(()),
        Some(_) if method == "tools/call" => Err("`params.arguments` must be an object".into()),
        Some(_) => Ok(()),
    }
}

fn missing(field: &str) -> String {
    format!("missing field `{field}`")
}

fn refused(id: &Value, code: i64, message: String) -> Message {
    Message::Refused(json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": message } }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code_of(text: &str) -> Option<(i64, Value)> {
        match Messages::without_order().check(text.as_bytes()) {
            Message::Refused(answer) => Some((answer["error"]["code"].as_i64().unwrap(), answer["id"].clone())),
            Message::Valid | Message::Ignored => None,
        }
    }

    #[test]
    fn every_invalid_message_has_an_answer() {
        for (text, code, id) in [
            ("{nope", PARSE_ERROR, json!(null)),
            ("\u{fffd}", PARSE_ERROR, json!(null)),
            ("[]", INVALID_REQUEST, json!(null)),
            ("42", INVALID_REQUEST, json!(null)),
            (r#"{"id":5}"#, INVALID_REQUEST, json!(5)),
            (r#"{"jsonrpc":"1.0","id":"a","method":"ping"}"#, INVALID_REQUEST, json!("a")),
            (r#"{"jsonrpc":"2.0","id":1}"#, INVALID_REQUEST, json!(1)),
            (r#"{"jsonrpc":"2.0","id":1,"method":7}"#, INVALID_REQUEST, json!(1)),
            (r#"{"jsonrpc":"2.0","id":{},"method":"ping"}"#, INVALID_REQUEST, json!(null)),
            (r#"{"jsonrpc":"2.0","id":1,"method":"tools/call"}"#, INVALID_PARAMS, json!(1)),
            (r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":[]}"#, INVALID_PARAMS, json!(1)),
            (r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":3}}"#, INVALID_PARAMS, json!(1)),
            (
                r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":5}}"#,
                INVALID_PARAMS,
                json!(1),
            ),
            (r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}"#, INVALID_PARAMS, json!(1)),
        ] {
            assert_eq!(code_of(text), Some((code, id)), "{text}");
        }
    }

    #[test]
    fn valid_messages_go_on() {
        for text in [
            r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"unknown"}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a"}}"#,
            r#"{"jsonrpc":"2.0","id":1,"result":{}}"#,
            r#"{"jsonrpc":"2.0","method":"notifications/cancelled"}"#,
        ] {
            assert_eq!(Messages::without_order().check(text.as_bytes()), Message::Valid, "{text}");
        }
    }

    #[test]
    fn notifications_before_initialize_are_ignored() {
        let mut messages = Messages::default();
        let notification = br#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
        assert_eq!(messages.check(notification), Message::Ignored);
        assert_eq!(messages.check(b" \n"), Message::Ignored);
        let initialize = br#"{"jsonrpc":"2.0","id":1,"method":"initialize",
            "params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"a","version":"1"}}}"#;
        assert_eq!(messages.check(initialize), Message::Valid);
        assert_eq!(messages.check(notification), Message::Valid);
    }
}
