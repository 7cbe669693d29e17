//! `get_file_info`: everything about one entry but its content.

use crate::fault_of::errno_fault;
use crate::home::Home;
use crate::jail::{EntryType, Last, Look, Meta, Place, open_file_at};
use crate::list::Entry;
use crate::mime;
use crate::path::RelPath;
use crate::text::eol::EolStyle;
use crate::text::{TextFacts, encoding};
use quaymaster_core::{Fault, Instant};
use rustix::fs::{Access, AtFlags, StatxFlags};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetFileInfo {
    /// File, directory or symbolic link, relative to the workspace root; `/` = the root.
    #[schemars(length(min = 1, max = 4096))]
    pub path: String,
    /// Compute the etag; a big file is read whole the first time.
    #[serde(default = "crate::read::yes")]
    pub checksum: bool,
    /// Count lines and detect the encoding; a big file is read whole the first time.
    #[serde(default = "crate::read::yes")]
    pub count_lines: bool,
}

#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct FileInfo {
    pub path: String,
    #[serde(rename = "type")]
    pub kind: EntryType,
    pub size: u64,
    pub modified_at: Instant,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mime: Option<String>,
    /// Always true: what does not exist is `NOT_FOUND`.
    pub exists: bool,
    /// Permissions in octal, for example `0644`.
    pub mode: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Instant>,
    pub is_text: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoding: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eol: Option<EolStyle>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_lines: Option<u64>,
    /// Where a symbolic link points; left out when that is not in the workspace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub symlink_target: Option<String>,
    /// Entries of a directory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub children: Option<u64>,
    pub writable: bool,
}

impl Home {
    /// Facts about one entry. A symbolic link is described itself, not what it points to.
    /// `NOT_FOUND`, `INVALID_ARG`, `PATH_OUTSIDE_WORKSPACE`.
    pub fn get_file_info(&self, ask: &GetFileInfo) -> Result<FileInfo, Fault> {
        let path = RelPath::parse(&ask.path, "/path")?;
        let fault = |errno| errno_fault(errno, path.as_str());
        let Some((place, meta)) = self.existing(&path, Last::Keep)? else {
            let meta = crate::jail::stat_fd(&self.home).map_err(fault)?;
            let mut info = FileInfo::of(self.entry(String::new(), &meta), &meta);
            info.children = crate::entries::raw_names(&self.home)
                .ok()
                .map(|n| n.len() as u64);
            info.writable = true;
            return Ok(info);
        };
        let mut info = FileInfo::of(self.entry(place.path.to_string(), &meta), &meta);
        info.created_at = created(&place);
        info.writable = meta.kind != EntryType::Symlink
            && rustix::fs::accessat(&place.dir, &place.name, Access::WRITE_OK, AtFlags::empty())
                .is_ok();
        match meta.kind {
            EntryType::File => self.describe_file(&mut info, ask, &place)?,
            EntryType::Directory => {
                let inner = crate::jail::open_dir_at(&place.dir, &place.name).map_err(fault)?;
                let names = crate::entries::raw_names(inner).map_err(fault)?;
                info.children = Some(names.len() as u64);
            }
            EntryType::Symlink => info.symlink_target = target(&place),
            EntryType::Other => {}
        }
        Ok(info)
    }

    /// As [`Home::get_file_info`], where a few system calls are enough: the path is none, or the
    /// file's facts are known. `None` means to ask where blocking is allowed.
    pub fn quick_file_info(&self, ask: &GetFileInfo) -> Option<Result<FileInfo, Fault>> {
        let path = match RelPath::parse(&ask.path, "/path") {
            Ok(path) => path,
            Err(fault) => return Some(Err(fault)),
        };
        // Other names may have twins, which are looked for in whole directories.
        if !path.as_str().is_ascii() {
            return None;
        }
        let Ok(Look::At(place)) = self.look(&path, Last::Keep) else {
            return None;
        };
        let meta = place.meta.filter(|meta| meta.kind == EntryType::File)?;
        self.known_etag(&meta)?;
        Some(self.get_file_info(ask))
    }

    fn describe_file(
        &self,
        info: &mut FileInfo,
        ask: &GetFileInfo,
        place: &Place,
    ) -> Result<(), Fault> {
        let path = place.path.as_str();
        let (file, meta) = open_file_at(&place.dir, &place.name, path)?;
        if !ask.checksum && !ask.count_lines {
            let mut scanner = crate::text::Scanner::new(None);
            let head = crate::read::read_range(&file, 0, meta.size.min(8192));
            scanner.feed(&head.map_err(|error| crate::fault_of::fault_of(&error, path))?);
            let facts = scanner.finish();
            info.is_text = facts.text.is_some();
            info.mime = Some(mime::of(path, &facts));
            return Ok(());
        }
        let facts = self.facts(&file, &meta, None, path)?;
        info.size = facts.size;
        info.etag = ask.checksum.then(|| facts.etag.clone());
        info.mime = Some(mime::of(path, &facts));
        info.is_text = facts.text.is_some();
        if let Some(text) = facts.text.as_ref().filter(|_| ask.count_lines) {
            info.encoding = Some(encoding::name(text.encoding));
            info.eol = Some(TextFacts::style(text));
            info.total_lines = Some(text.lines);
        }
        Ok(())
    }
}

impl FileInfo {
    fn of(entry: Entry, meta: &Meta) -> FileInfo {
        FileInfo {
            path: entry.path,
            kind: entry.kind,
            size: entry.size,
            modified_at: entry.modified_at,
            etag: entry.etag,
            mime: entry.mime,
            exists: true,
            mode: format!("{:04o}", meta.mode),
            created_at: None,
            is_text: false,
            encoding: None,
            eol: None,
            total_lines: None,
            symlink_target: None,
            children: None,
            writable: false,
        }
    }
}

/// When the file system knows it.
fn created(place: &Place) -> Option<Instant> {
    let flags = AtFlags::SYMLINK_NOFOLLOW;
    let stat = rustix::fs::statx(&place.dir, &place.name, flags, StatxFlags::BTIME).ok()?;
    if stat.stx_mask & StatxFlags::BTIME.bits() == 0 {
        return None;
    }
    let micros = i64::from(stat.stx_btime.tv_nsec / 1000);
    Some(Instant::from_micros(
        stat.stx_btime.tv_sec * 1_000_000 + micros,
    ))
}

/// Where a link points, as a path of the workspace; host paths stay unsaid.
fn target(place: &Place) -> Option<String> {
    let target = rustix::fs::readlinkat(&place.dir, &place.name, Vec::new()).ok()?;
    let target = target
        .to_str()
        .ok()
        .filter(|target| !target.starts_with('/'))?;
    let full = format!("{}/{target}", place.dir_path);
    RelPath::parse(&full, "/path")
        .ok()
        .map(|path| path.to_string())
}
