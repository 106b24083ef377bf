//! What is printed of panics.

/// A panic inside an operator becomes a diagnostic of its file; printing it as well
/// would tell it twice.
pub(crate) fn keep_quiet_about_contained_panics() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if gristmill_pipeline::run::in_operator() {
            tracing::debug!(%panic, "contained");
        } else {
            usual(panic);
        }
    }));
}
