//! An index that is open for queries: its current epoch behind one atomic pointer.

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

/// Older epochs that stay open, so that repeated queries of one open it once.
const MAX_OLDER_OPEN: usize = 4;

/// An index with the job that writes it.
///
/// A query clones the pointer to the current epoch and never blocks. [`refresh`](Self::refresh)
/// opens a new epoch beside the current one and swaps the pointer; the old epoch is dropped with
/// its last reader.
pub struct QueriedIndex {
    name: Arc<str>,
    job: Arc<Job>,
    folder: PathBuf,
    preloads: bool,
    current: ArcSwapOption<OpenEpoch>,
    older: Mutex<Vec<Arc<OpenEpoch>>>,
    /// `HEAD` when the current epoch was opened.
    head: Mutex<Option<Head>>,
    /// The error of the last refresh, if it failed.
    last_error: ArcSwapOption<String>,
    /// Held while a forecast is made.
    forecast: Mutex<()>,
}

/// The newest epoch, and the modification time of `HEAD`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Head {
    epoch: Epoch,
    written: Option<SystemTime>,
}

impl QueriedIndex {
    /// Creates the index of a job. Nothing is opened yet, and the index need not exist.
    #[must_use]
    pub fn new(name: impl Into<Arc<str>>, job: Arc<Job>) -> Self {
        Self {
            name: name.into(),
            folder: job.index.clone(),
            job,
            preloads: false,
            current: ArcSwapOption::empty(),
            older: Mutex::default(),
            head: Mutex::default(),
            last_error: ArcSwapOption::empty(),
            forecast: Mutex::default(),
        }
    }

    /// Loads all tables before an epoch becomes the current one, so that no query waits for them.
    #[must_use]
    pub fn preloaded(self) -> Self {
        Self { preloads: true, ..self }
    }

    /// Returns the name of the job, by which requests name the index.
    #[must_use]
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Returns the job that writes the index.
    #[must_use]
    pub fn job(&self) -> &Arc<Job> {
        &self.job
    }

    /// Returns the current epoch, if one is open.
    #[must_use]
    pub fn current_if_open(&self) -> Option<Arc<OpenEpoch>> {
        self.current.load_full()
    }

    /// Returns the current epoch; opens it if none is open.
    ///
    /// # Errors
    /// If the index has no epoch yet, or it cannot be opened.
    pub fn current(&self) -> Result<Arc<OpenEpoch>, ToolError> {
        match self.current.load_full() {
            Some(epoch) => Ok(epoch),
            None => {
                self.refresh()?;
                self.current.load_full().ok_or_else(|| self.no_epoch())
            }
        }
    }

    /// Returns the current epoch, or opens a retained older one.
    ///
    /// # Errors
    /// If the epoch does not exist or is not retained.
    pub fn at(&self, epoch: Option<Epoch>) -> Result<Arc<OpenEpoch>, ToolError> {
        let current = self.current()?;
        let Some(wanted) = epoch.filter(|wanted| *wanted != current.record().epoch) else { return Ok(current) };
        let mut older = self.older.lock();
        // Those of an index that was replaced by another.
        older.retain(|open| open.is_in_place());
        if let Some(at) = older.iter().position(|open| open.record().epoch == wanted) {
            let found = older.remove(at);
            older.push(Arc::clone(&found));
            return Ok(found);
        }
        // Opened without the lock, which other queries may need.
        drop(older);
        let opened = OpenEpoch::open(&self.folder, Some(wanted), &self.job.graph, None).map_err(|error| {
            let error = ToolError::from(error);
            match error.code {
                ErrorCode::NoEpoch => ToolError::new(ErrorCode::NoEpoch, format!("epoch {wanted} is not retained"))
                    .help("`history_recent` lists the retained epochs"),
                _ => error,
            }
        })?;
        let opened = Arc::new(opened);
        let mut older = self.older.lock();
        older.push(Arc::clone(&opened));
        if older.len() > MAX_OLDER_OPEN {
            older.remove(0);
        }
        Ok(opened)
    }

    /// Opens the newest epoch, if it is not the current one, and makes it the current one; none is, once the index was
    /// cleared. Returns whether it did. On an error the current epoch stays.
    ///
    /// # Errors
    /// If the newest epoch cannot be opened.
    pub fn refresh(&self) -> Result<bool, ToolError> {
        let mut head = self.head.lock();
        let refreshed = self.open_newest(&mut head);
        match &refreshed {
            Ok(_) => self.last_error.store(None),
            Err(error) => self.last_error.store(Some(Arc::new(error.to_string()))),
        }
        refreshed.map_err(|error| match error.into() {
            ToolError { code: ErrorCode::NoEpoch, .. } => self.no_epoch(),
            error => error,
        })
    }

    fn open_newest(&self, head: &mut Option<Head>) -> Result<bool, SnapshotError> {
        let folder = match IndexFolder::open(&self.folder) {
            Err(_) if IndexFolder::is_cleared(&self.folder) => {
                self.older.lock().clear();
                *head = None;
                return Ok(self.current.swap(None).is_some());
            }
            opened => opened?,
        };
        let written = std::fs::metadata(self.folder.join("HEAD")).and_then(|head| head.modified()).ok();
        let newest = folder.head_epoch()?.map(|epoch| Head { epoch, written });
        if newest.is_some() && newest == *head && self.current.load().is_some() {
            return Ok(false);
        }
        let last = self.current.load_full();
        // An index that was rebuilt shares nothing with the current epoch.
        let is_later = |last: &Arc<OpenEpoch>| {
            last.is_in_place() && newest.is_some_and(|newest| newest.epoch > last.record().epoch)
        };
        let last = last.filter(is_later);
        let opened = OpenEpoch::open(&self.folder, None, &self.job.graph, last.as_deref())?;
        if self.preloads {
            opened.load()?;
        }
        *head = newest.map(|newest| Head { epoch: opened.record().epoch, ..newest });
        if last.is_none() {
            self.older.lock().clear();
        }
        self.current.store(Some(Arc::new(opened)));
        Ok(true)
    }

    /// Reads `HEAD`: the newest epoch, open or not.
    #[must_use]
    pub fn newest_epoch(&self) -> Option<Epoch> {
        IndexFolder::open(&self.folder).ok()?.head_epoch().ok()?
    }

    /// Returns the error of the last [`refresh`](Self::refresh), if it failed.
    #[must_use]
    pub fn last_error(&self) -> Option<Arc<String>> {
        self.last_error.load_full()
    }

    /// Takes the lock for a forecast, which may need as much memory as a run. Returns `None` if
    /// another caller holds it.
    #[must_use]
    pub fn try_begin_forecast(&self) -> Option<impl Sized> {
        self.forecast.try_lock()
    }

    fn no_epoch(&self) -> ToolError {
        ToolError::new(ErrorCode::NoEpoch, format!("the index of `{}` has no epoch yet", self.name))
            .help("run the job: `gristmill run`")
    }
}
