//! Stamps the module with a checksum of its sources, so that a stale build can be told from a fresh one.
//!
//! The stamp is the CRC-32 of, for each file in the order of its path: the path from `native/`, a zero byte, the bytes.
//! `ingest/_kernel.py` computes the same from a checkout.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

const CRATES: [&str; 3] = ["core", "receive", "python"];

fn main() -> io::Result<()> {
    let native = PathBuf::from(env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?).join("..");
    let mut files = vec!["Cargo.lock".into(), "Cargo.toml".into()];
    for name in CRATES {
        println!("cargo::rerun-if-changed=../{name}/src");
        files.extend(["build.rs", "Cargo.toml"].map(|file| format!("{name}/{file}")));
        collect(&native, &format!("{name}/src"), &mut files)?;
    }
    files.retain(|file| native.join(file).is_file());
    files.sort();
    let mut sum = !0;
    for file in &files {
        println!("cargo::rerun-if-changed=../{file}");
        sum = crc32(sum, file.as_bytes());
        sum = crc32(sum, &[0]);
        sum = crc32(sum, &fs::read(native.join(file))?);
    }
    println!("cargo::rustc-env=NILOMETER_BUILD={:08x}", !sum);
    Ok(())
}

/// Adds the Rust sources below `folder`, as paths from `native`.
fn collect(native: &Path, folder: &str, files: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(native.join(folder))? {
        let entry = entry?;
        let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            collect(native, &path, files)?;
        } else if Path::new(&path).extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(())
}

/// Source: RFC 1952, section 8; bit by bit, which is quick enough for a few files.
fn crc32(start: u32, bytes: &[u8]) -> u32 {
    bytes.iter().fold(start, |sum, &byte| {
        (0..8).fold(sum ^ u32::from(byte), |sum, _| (sum >> 1) ^ (0xEDB8_8320 & (sum & 1).wrapping_neg()))
    })
}
