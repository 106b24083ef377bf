/// Escapes text for the content of an HTML element, or for an attribute in double quotes.
///
/// ```
/// assert_eq!(gristmill_display::escaped("a<b & \"c\""), "a&lt;b &amp; &quot;c&quot;");
/// ```
#[must_use]
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
