//! An index that is being asked: its current epoch behind one atomic pointer.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use arc_swap::ArcSwapOption;
use gristmill_config::Job;
use gristmill_pipeline::Epoch;
use gristmill_pipeline::index::IndexFolder;
use parking_lot::Mutex;

use super::epoch::OpenEpoch;
use super::error::{ErrorCode, ToolError};
use super::snapshot::SnapshotError;

/// Older epochs that are kept open, so that asking one often costs its opening once.
const OLDER_OPEN: usize = 4;

/// An index with the job that writes it.
///
/// Whoever asks clones the pointer to the current epoch and never waits; whoever notices
/// that the index moved opens the new epoch beside it and swaps the pointer. An old epoch
/// goes when its last reader does.
pub struct QueriedIndex {
    name: Arc<str>,
    job: Arc<Job>,
    folder: PathBuf,
    loads_ahead: bool,
    current: ArcSwapOption<OpenEpoch>,
    older: Mutex<Vec<Arc<OpenEpoch>>>,
    /// What `HEAD` was when the current epoch was opened.
    head: Mutex<Option<Head>>,
    /// Why the index could not be opened again, if it could not.
    trouble: ArcSwapOption<String>,
    /// Held by whoever makes a forecast.
    forecast: Mutex<()>,
}

/// The newest epoch, and when it was said so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Head {
    epoch: Epoch,
    written: Option<SystemTime>,
}

impl QueriedIndex {
    /// The index of a job. Nothing is opened yet, and it need not exist.
    #[must_use]
    pub fn new(name: impl Into<Arc<str>>, job: Arc<Job>) -> Self {
        Self {
            name: name.into(),
            folder: job.index.clone(),
            job,
            loads_ahead: false,
            current: ArcSwapOption::empty(),
            older: Mutex::default(),
            head: Mutex::default(),
            trouble: ArcSwapOption::empty(),
            forecast: Mutex::default(),
        }
    }

    /// The same, with every table loaded before an epoch becomes the current one, so that no
    /// question waits for that.
    #[must_use]
    pub fn loaded_ahead(self) -> Self {
        Self { loads_ahead: true, ..self }
    }

    /// The name that requests know it by.
    #[must_use]
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// The job that writes it.
    #[must_use]
    pub fn job(&self) -> &Arc<Job> {
        &self.job
    }

    /// The current epoch, if one was opened.
    #[must_use]
    pub fn open_now(&self) -> Option<Arc<OpenEpoch>> {
        self.current.load_full()
    }

    /// The current epoch; opens it if none was.
    ///
    /// # Errors
    /// If there is none yet.
    pub fn current(&self) -> Result<Arc<OpenEpoch>, ToolError> {
        match self.current.load_full() {
            Some(epoch) => Ok(epoch),
            None => {
                self.refresh()?;
                self.current.load_full().ok_or_else(|| self.no_epoch())
            }
        }
    }

    /// The current epoch, or an older one that is kept.
    ///
    /// # Errors
    /// If there is no such epoch.
    pub fn at(&self, epoch: Option<Epoch>) -> Result<Arc<OpenEpoch>, ToolError> {
        let current = self.current()?;
        let Some(wanted) = epoch.filter(|wanted| *wanted != current.record().epoch) else { return Ok(current) };
        let mut older = self.older.lock();
        if let Some(at) = older.iter().position(|open| open.record().epoch == wanted) {
            let found = older.remove(at);
            older.push(Arc::clone(&found));
            return Ok(found);
        }
        // Opened outside of the lock: others may want another one.
        drop(older);
        let opened = OpenEpoch::open(&self.folder, Some(wanted), &self.job.graph, None).map_err(|error| {
            let error = ToolError::from(error);
            match error.code {
                ErrorCode::NoEpoch => ToolError::new(ErrorCode::NoEpoch, format!("epoch {wanted} is not kept"))
                    .help("`history_recent` lists those that are"),
                _ => error,
            }
        })?;
        let opened = Arc::new(opened);
        let mut older = self.older.lock();
        older.push(Arc::clone(&opened));
        if older.len() > OLDER_OPEN {
            older.remove(0);
        }
        Ok(opened)
    }

    /// Looks whether the index has another newest epoch, and if so opens it and makes it the
    /// current one. What cannot be opened changes nothing: the last epoch goes on answering.
    ///
    /// # Errors
    /// If the newest epoch cannot be opened.
    pub fn refresh(&self) -> Result<bool, ToolError> {
        let mut head = self.head.lock();
        let refreshed = self.open_newest(&mut head);
        match &refreshed {
            Ok(_) => self.trouble.store(None),
            Err(error) => self.trouble.store(Some(Arc::new(error.to_string()))),
        }
        refreshed.map_err(|error| match error.into() {
            ToolError { code: ErrorCode::NoEpoch, .. } => self.no_epoch(),
            error => error,
        })
    }

    fn open_newest(&self, head: &mut Option<Head>) -> Result<bool, SnapshotError> {
        let folder = IndexFolder::open(&self.folder)?;
        let written = std::fs::metadata(self.folder.join("HEAD")).and_then(|head| head.modified()).ok();
        let newest = folder.head_epoch()?.map(|epoch| Head { epoch, written });
        if newest.is_some() && newest == *head && self.current.load().is_some() {
            return Ok(false);
        }
        let last = self.current.load_full();
        // Of an index that began again nothing can be shared.
        let is_later = |last: &Arc<OpenEpoch>| newest.is_some_and(|newest| newest.epoch > last.record().epoch);
        let last = last.filter(is_later);
        let opened = OpenEpoch::open(&self.folder, None, &self.job.graph, last.as_deref())?;
        if self.loads_ahead {
            opened.load()?;
        }
        *head = newest.map(|newest| Head { epoch: opened.record().epoch, ..newest });
        if last.is_none() {
            self.older.lock().clear();
        }
        self.current.store(Some(Arc::new(opened)));
        Ok(true)
    }

    /// The epoch that `HEAD` names, whether or not it was opened.
    #[must_use]
    pub fn newest(&self) -> Option<Epoch> {
        IndexFolder::open(&self.folder).ok()?.head_epoch().ok()?
    }

    /// Why the index could not be opened the last time it was tried.
    #[must_use]
    pub fn trouble(&self) -> Option<Arc<String>> {
        self.trouble.load_full()
    }

    /// Lets one caller at a time make a forecast, which may take as much memory as a run; the
    /// others get `None`.
    #[must_use]
    pub fn begin_forecast(&self) -> Option<impl Sized> {
        self.forecast.try_lock()
    }

    fn no_epoch(&self) -> ToolError {
        ToolError::new(ErrorCode::NoEpoch, format!("the index of `{}` holds no epoch yet", self.name))
            .help("run its job: `gristmill run`")
    }
}
