//! Floor 2: the files of attachments, each named by the SM3 of its bytes. Must never keep half a
//! file, nor give one out whose bytes are not those of its name.

use std::fs::Permissions;
use std::io::{Error, ErrorKind, Read, Seek};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use duban_core::digest::{Digest, Hasher};
use duban_core::time::Instant;
use tokio::fs::File;
use tokio::io::AsyncWriteExt;
use uuid::Uuid;

/// Where files lie until they are there whole.
const INCOMING: &str = "incoming";

/// What still lies there after so long is of a process that has died: no upload takes half of it.
const ABANDONED_MS: i64 = 15 * 60_000;

/// Nobody else on the machine is to read evidence.
const OWN_FOLDER: u32 = 0o700;
const OWN_FILE: u32 = 0o600;

/// How much of a file is read at once.
const PIECE: usize = 64 * 1024;

/// A folder with the files of attachments; clones are the same.
#[derive(Clone, Debug)]
pub struct Vault {
    folder: PathBuf,
}

/// Why a file is not given out.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// It is not there, or its bytes are not those that its name says.
    #[error("附件文件缺失或已损坏")]
    Damaged,
    /// The disk.
    #[error("附件目录不能读写：{0}")]
    Disk(#[from] Error),
}

/// A file on its way in; gone when it is dropped.
#[derive(Debug)]
pub struct Incoming {
    folder: PathBuf,
    path: PathBuf,
    file: File,
    hasher: Hasher,
    /// How long it is so far.
    pub bytes: u64,
}

impl Vault {
    /// Opens the folder, and makes it where there is none.
    ///
    /// # Errors
    /// It cannot be made or written.
    pub fn open(folder: &Path, now: Instant) -> Result<Self, Error> {
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true).mode(OWN_FOLDER).create(folder.join(INCOMING))?;
        // It may have been there before; where somebody else has it, its mode is his to set.
        if std::fs::metadata(folder)?.permissions().mode() & 0o777 != OWN_FOLDER {
            std::fs::set_permissions(folder, Permissions::from_mode(OWN_FOLDER))?;
        }
        if let Some(parent) = folder.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            std::fs::File::open(parent)?.sync_all()?;
        }
        let vault = Self { folder: folder.to_owned() };
        vault.sweep(now)?;
        Ok(vault)
    }

    /// A folder as it is, for reading; it is not made.
    #[must_use]
    pub fn of(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// Removes what processes that have died left half.
    fn sweep(&self, now: Instant) -> Result<(), Error> {
        for entry in std::fs::read_dir(self.folder.join(INCOMING))?.flatten() {
            let written = entry.metadata().and_then(|about| about.modified()).ok();
            let written = written.and_then(|at| at.duration_since(UNIX_EPOCH).ok());
            let ms = written.and_then(|written| i64::try_from(written.as_millis()).ok());
            if ms.is_some_and(|ms| now.ms() - ms > ABANDONED_MS) {
                // Another node may do the same.
                let _ = std::fs::remove_file(entry.path());
            }
        }
        Ok(())
    }

    /// Begins a file.
    ///
    /// # Errors
    /// The disk.
    pub async fn begin(&self, id: Uuid, now: Instant) -> Result<Incoming, Error> {
        let vault = self.clone();
        let swept = tokio::task::spawn_blocking(move || vault.sweep(now));
        swept.await.map_err(|_| Error::other("stopped"))??;
        let path = self.folder.join(INCOMING).join(id.to_string());
        let mut options = tokio::fs::OpenOptions::new();
        let file = options.write(true).create_new(true).mode(OWN_FILE).open(&path).await?;
        let hasher = Hasher::default();
        Ok(Incoming { folder: self.folder.clone(), path, file, hasher, bytes: 0 })
    }

    /// A file whose bytes are those of its name, from its start, with how many there are. Whatever
    /// happens to its name from now on, these are the bytes that were looked at.
    ///
    /// # Errors
    /// [`VaultError`].
    pub async fn read(&self, sm3: Digest) -> Result<(File, u64), VaultError> {
        let path = place(&self.folder, sm3);
        let reading = tokio::task::spawn_blocking(move || {
            // Whoever opens a pipe waits.
            if !std::fs::metadata(&path)?.is_file() {
                return Err(VaultError::Damaged);
            }
            let mut file = std::fs::File::open(path)?;
            let (mut hasher, mut bytes, mut piece) = (Hasher::default(), 0, vec![0; PIECE]);
            loop {
                let read = file.read(&mut piece)?;
                if read == 0 {
                    break;
                }
                hasher.update(&piece[..read]);
                bytes += read as u64;
            }
            if hasher.finish() != sm3 {
                return Err(VaultError::Damaged);
            }
            file.rewind()?;
            Ok((File::from_std(file), bytes))
        });
        let read = reading.await.map_err(|_| Error::other("stopped"))?;
        read.map_err(|error| match error {
            VaultError::Disk(error) if error.kind() == ErrorKind::NotFound => VaultError::Damaged,
            other => other,
        })
    }
}

impl Incoming {
    /// Takes the next piece.
    ///
    /// # Errors
    /// The disk.
    pub async fn write(&mut self, piece: &[u8]) -> Result<(), Error> {
        self.hasher.update(piece);
        self.bytes += piece.len() as u64;
        self.file.write_all(piece).await
    }

    /// Nothing more comes: the name of the file, which is on the disk and not kept yet.
    ///
    /// # Errors
    /// The disk.
    pub async fn end(&mut self) -> Result<Digest, Error> {
        self.file.flush().await?;
        self.file.sync_all().await?;
        Ok(self.hasher.clone().finish())
    }

    /// Keeps the file under its name, whatever happens from now on.
    ///
    /// # Errors
    /// The disk: it may be kept or not, and may be sent again.
    pub async fn keep(mut self) -> Result<(), Error> {
        let sm3 = self.end().await?;
        let (from, to) = (self.path.clone(), place(&self.folder, sm3));
        // One that is there is replaced: it may have been damaged meanwhile.
        let moving = tokio::task::spawn_blocking(move || {
            let folder = to.parent().unwrap_or(&to);
            let mut builder = std::fs::DirBuilder::new();
            builder.recursive(true).mode(OWN_FOLDER).create(folder)?;
            std::fs::rename(from, &to)?;
            std::fs::File::open(folder)?.sync_all()?;
            let whole = folder.parent().unwrap_or(folder);
            std::fs::File::open(whole)?.sync_all()
        });
        moving.await.map_err(|_| Error::other("stopped"))?
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        // Of a file that was kept there is nothing here any more.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Where a file lies: in a folder of its first two digits, so that none grows too large.
fn place(folder: &Path, sm3: Digest) -> PathBuf {
    let name = sm3.to_string();
    folder.join(&name[..2]).join(name)
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;

    use super::*;

    #[tokio::test]
    async fn a_file_is_kept_whole_or_not_at_all_and_given_out_as_it_was() {
        let folder = tempfile::TempDir::new().expect("a folder");
        // A folder that was there before, open to all.
        let mode = |of: &Path| of.metadata().expect("it").permissions().mode() & 0o777;
        std::fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).expect("opened");
        let vault = Vault::open(folder.path(), Instant::from_ms(0)).expect("open");
        let never = Instant::from_ms(0);
        let mut file = vault.begin(Uuid::from_u128(1), never).await.expect("begun");
        file.write(b"a").await.expect("written");
        file.write(b"bc").await.expect("written");
        assert_eq!(file.bytes, 3);
        let sm3 = file.end().await.expect("on the disk");
        assert!(matches!(vault.read(sm3).await, Err(VaultError::Damaged)), "not kept yet");
        file.keep().await.expect("kept");
        // GB/T 32905, A.1.
        let abc = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0";
        assert_eq!(sm3.to_string(), abc);
        let kept = folder.path().join("66");
        let modes = [mode(folder.path()), mode(&kept), mode(&kept.join(abc))];
        assert_eq!(modes, [OWN_FOLDER, OWN_FOLDER, OWN_FILE]);
        let (mut file, bytes) = vault.read(sm3).await.expect("there");
        let mut read = Vec::new();
        file.read_to_end(&mut read).await.expect("read");
        assert_eq!((read.as_slice(), bytes), (&b"abc"[..], 3));
        let mut dropped = vault.begin(Uuid::from_u128(2), never).await.expect("begun");
        dropped.write(b"half").await.expect("written");
        drop(dropped);
        let left = std::fs::read_dir(folder.path().join(INCOMING)).expect("a folder").count();
        assert_eq!(left, 0);
        // What a process that died has left is swept away by the next upload.
        std::fs::write(folder.path().join(INCOMING).join("half"), b"half").expect("written");
        let later = Instant::from_ms(4_000_000_000_000);
        drop(vault.begin(Uuid::from_u128(3), later).await.expect("begun"));
        assert!(!folder.path().join(INCOMING).join("half").exists());
        std::fs::write(folder.path().join("66").join(abc), b"abd").expect("harmed");
        assert!(matches!(vault.read(sm3).await, Err(VaultError::Damaged)));
        assert!(matches!(vault.read(Digest::ZERO).await, Err(VaultError::Damaged)));
    }
}
