//! `restore`: an archive of `backup` into an empty data directory.

use crate::backup::{DATABASE, FORMAT, MANIFEST, progress};
use crate::config::Config;
use crate::{open, output};
use anyhow::Context as _;
use serde_json::{Value, json};
use std::fs::File;
use std::io::{BufReader, Read as _};
use std::path::{Component, Path};

pub(crate) fn restore(config: &Config, file: &Path, as_json: bool) -> anyhow::Result<()> {
    anyhow::ensure!(
        config.database_url.is_none(),
        "an archive holds a SQLite database; restore PostgreSQL with pg_restore"
    );
    open::make_data_directory(&config.data)?;
    let _lock = open::lock(config)?;
    for there in [config.database_file(), config.data.join("workspaces")] {
        anyhow::ensure!(
            !there.exists(),
            "{} exists already; restore into an empty data directory",
            there.display()
        );
    }
    // Unpacked beside, then moved: a restore that is cut off leaves no half of a server behind.
    let beside = config.data.join("restore.part");
    if beside.exists() {
        std::fs::remove_dir_all(&beside)?;
    }
    std::fs::create_dir(&beside)?;
    let unpacked = unpack(file, &beside);
    let (files, key_id) = match unpacked {
        Ok(done) => done,
        Err(error) => {
            std::fs::remove_dir_all(&beside)?;
            return Err(error);
        }
    };
    let workspaces = beside.join("workspaces");
    if workspaces.is_dir() {
        std::fs::rename(&workspaces, config.data.join("workspaces"))?;
    }
    // The database comes last: with it the data directory counts as whole.
    std::fs::rename(beside.join(DATABASE), config.database_file())?;
    std::fs::remove_dir_all(&beside)?;
    output::print(
        as_json,
        &json!({ "files": files, "key_id": key_id, "data": config.data }),
        &format!(
            "Restored {files} files to {}.\nPut the key file with the id {key_id} there as {} before you start the server.",
            config.data.display(),
            config.key_file().display()
        ),
    );
    Ok(())
}

fn unpack(file: &Path, into: &Path) -> anyhow::Result<(usize, String)> {
    let archive =
        File::open(file).with_context(|| format!("{} cannot be opened", file.display()))?;
    let mut archive = tar::Archive::new(BufReader::with_capacity(1 << 20, archive));
    let mut entries = archive.entries()?;
    let mut first = entries
        .next()
        .context("the archive is empty")?
        .context("this is no archive")?;
    anyhow::ensure!(
        first.path()?.as_os_str() == MANIFEST,
        "this is no archive of quaymaster backup"
    );
    let mut text = String::new();
    first.read_to_string(&mut text)?;
    let manifest: Value = serde_json::from_str(&text)?;
    anyhow::ensure!(
        manifest["format"] == json!(FORMAT),
        "the archive is of another format; use the version that made it: {}",
        manifest["version"]
    );
    let mut files = 0;
    let mut has_database = false;
    let bar = progress(0);
    for entry in entries {
        let mut entry = entry?;
        let path = entry.path()?.into_owned();
        let ours = path == Path::new(DATABASE) || path.starts_with("workspaces");
        let plain = path
            .components()
            .all(|part| matches!(part, Component::Normal(_)));
        anyhow::ensure!(
            ours && plain,
            "the archive has an entry that does not belong there: {}",
            path.display()
        );
        // Refuses what would lead out of the directory, through links too.
        anyhow::ensure!(
            entry.unpack_in(into)?,
            "the archive has a path that leads out of it"
        );
        has_database |= path == Path::new(DATABASE);
        files += 1;
        bar.inc_length(1);
        bar.inc(1);
    }
    bar.finish_and_clear();
    anyhow::ensure!(
        has_database,
        "the archive ends before its database: it is not whole"
    );
    // The database is counted, too.
    Ok((
        files - 1,
        manifest["key_id"].as_str().unwrap_or_default().to_owned(),
    ))
}
