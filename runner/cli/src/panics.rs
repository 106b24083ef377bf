//! The panic hook.

/// Silences panics of operators, which become diagnostics of their files.
pub(crate) fn silence_operator_panics() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if gristmill_pipeline::run::in_operator() {
            tracing::debug!(%panic, "contained");
        } else {
            usual(panic);
        }
    }));
}
