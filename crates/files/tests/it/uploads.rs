//! Uploads in parts: every history ends with the right file or none.

use crate::support::{Yard, open, ready, relaxed, work, yard, yard_with};
use proptest::prelude::*;
use quaymaster_core::Code;
use quaymaster_core::clock::SystemEntropy;
use quaymaster_core::id::UploadId;
use quaymaster_files::{Limits, UploadTarget};
use serde_json::json;
use sha2::{Digest, Sha256};

fn fresh(yard: &Yard) -> UploadId {
    UploadId::fresh(&*yard.clock, &SystemEntropy)
}

fn target(path: &str, size: u64) -> UploadTarget<'_> {
    UploadTarget {
        path,
        size,
        overwrite: false,
        if_match: None,
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    Sha256::digest(bytes)
        .iter()
        .fold(String::new(), |mut text, byte| {
            write!(text, "{byte:02x}").unwrap();
            text
        })
}

fn send(yard: &Yard, id: &UploadId, n: u64, part_size: u64, all: &[u8]) {
    let mut part = yard
        .home
        .staging()
        .part_writer(id, n, part_size, all.len() as u64)
        .unwrap();
    let start = (n * part_size) as usize;
    let bytes = &all[start..start + part.size() as usize];
    bytes.chunks(3).for_each(|chunk| part.write(chunk).unwrap());
    let done = part.finish().unwrap();
    assert_eq!(done.sha256, hex(bytes));
}

#[test]
fn parts_in_any_order_become_the_file() {
    let yard = yard();
    let id = fresh(&yard);
    let data: Vec<u8> = (0..25_u8).collect();
    assert_eq!(
        yard.home
            .begin_upload(&id, &target("/in/data.bin", 25))
            .unwrap(),
        "in/data.bin"
    );
    assert_eq!(
        yard.home
            .begin_upload(&id, &target("/in/data.bin", 25))
            .unwrap(),
        "in/data.bin"
    );
    for n in [2, 0, 1] {
        send(&yard, &id, n, 10, &data);
    }
    let wrong = yard.home.complete_upload(
        &id,
        &target("in/data.bin", 25),
        Some(&"0".repeat(64)),
        &work(),
        &ready,
    );
    assert_eq!(wrong.unwrap_err().code, Code::ChecksumMismatch);
    let done = yard
        .home
        .complete_upload(
            &id,
            &target("in/data.bin", 25),
            Some(&hex(&data)),
            &work(),
            &ready,
        )
        .unwrap();
    assert_eq!(
        (done.size, done.replaced, done.mime.as_str()),
        (25, false, "application/octet-stream")
    );
    assert_eq!(done.etag, format!("sha256:{}", hex(&data)));
    assert_eq!(yard.bytes("in/data.bin"), data);
    let again = yard
        .home
        .complete_upload(&id, &target("in/data.bin", 25), None, &work(), &ready)
        .unwrap_err();
    assert_eq!(again.code, Code::UploadNotFound);
    assert_eq!(again.details.unwrap()["current_etag"], done.etag);
    assert_eq!(yard.home.staging().staged(&id).unwrap(), None);
}

#[test]
fn an_empty_file_needs_no_parts() {
    let yard = yard();
    let id = fresh(&yard);
    yard.home.begin_upload(&id, &target("empty", 0)).unwrap();
    assert!(yard.home.staging().part_writer(&id, 0, 10, 0).is_err());
    let done = yard
        .home
        .complete_upload(&id, &target("empty", 0), None, &work(), &ready)
        .unwrap();
    assert_eq!((done.size, yard.bytes("empty").len()), (0, 0));
}

#[test]
fn a_part_has_exactly_its_bytes() {
    let yard = yard();
    let id = fresh(&yard);
    yard.home.begin_upload(&id, &target("a", 25)).unwrap();
    let mut part = yard.home.staging().part_writer(&id, 2, 10, 25).unwrap();
    assert_eq!(part.size(), 5);
    part.write(b"1234").unwrap();
    assert_eq!(part.write(b"56").unwrap_err().code, Code::TooLarge);
    let short = part.finish().unwrap_err();
    assert_eq!(short.details.as_ref().unwrap()["expected"], 5);
    assert_eq!(short.details.unwrap()["received"], 4);
    for n in [3, u64::MAX] {
        assert!(
            yard.home
                .staging()
                .part_writer(&id, n, 10, 25)
                .is_err_and(|f| f.code == Code::InvalidArg)
        );
    }
    let unknown = fresh(&yard);
    assert!(
        yard.home
            .staging()
            .part_writer(&unknown, 0, 10, 25)
            .is_err_and(|f| f.code == Code::UploadNotFound)
    );
}

#[test]
fn a_part_under_way_holds_back_the_completion() {
    let yard = yard();
    let id = fresh(&yard);
    yard.home.begin_upload(&id, &target("a", 4)).unwrap();
    let mut part = yard.home.staging().part_writer(&id, 0, 4, 4).unwrap();
    part.write(b"ab").unwrap();
    let early = yard
        .home
        .complete_upload(&id, &target("a", 4), None, &work(), &ready)
        .unwrap_err();
    assert_eq!(
        (early.code, early.retryable),
        (Code::UploadIncomplete, true)
    );
    part.write(b"cd").unwrap();
    part.finish().unwrap();
    yard.home
        .complete_upload(&id, &target("a", 4), None, &work(), &ready)
        .unwrap();
    assert_eq!(yard.text("a"), "abcd");
}

#[test]
fn nothing_is_renamed_before_the_caller_has_remembered_the_digest() {
    let yard = yard();
    let id = fresh(&yard);
    yard.home.begin_upload(&id, &target("a", 4)).unwrap();
    send(&yard, &id, 0, 4, b"abcd");
    let refuses = |digest: &str| {
        assert_eq!(digest, hex(b"abcd"));
        Err(quaymaster_core::Fault::new(
            Code::Unavailable,
            "The database is away.",
        ))
    };
    let fault = yard
        .home
        .complete_upload(&id, &target("a", 4), None, &work(), &refuses);
    assert_eq!(fault.unwrap_err().code, Code::Unavailable);
    assert_eq!(
        (
            yard.home.current_etag("a"),
            yard.home.staging().staged(&id).unwrap()
        ),
        (None, Some(4))
    );
    let done = yard
        .home
        .complete_upload(&id, &target("a", 4), None, &work(), &ready)
        .unwrap();
    assert_eq!(yard.home.current_etag("a"), Some(done.etag));
}

#[test]
fn what_is_there_is_replaced_only_when_told() {
    let yard = yard();
    yard.put("a", "old");
    yard.put("dir/x", "");
    let id = fresh(&yard);
    assert_eq!(
        yard.home
            .begin_upload(&id, &target("a", 3))
            .unwrap_err()
            .code,
        Code::AlreadyExists
    );
    assert_eq!(
        yard.home
            .begin_upload(&id, &target("dir", 3))
            .unwrap_err()
            .code,
        Code::IsADirectory
    );
    assert_eq!(
        yard.home
            .begin_upload(&id, &target("../a", 3))
            .unwrap_err()
            .code,
        Code::PathOutsideWorkspace
    );
    let stale = format!("sha256:{}", "0".repeat(64));
    let etag = yard.etag("a");
    let with = |if_match| UploadTarget {
        path: "a",
        size: 3,
        overwrite: true,
        if_match: Some(if_match),
    };
    assert_eq!(
        yard.home.begin_upload(&id, &with(&stale)).unwrap_err().code,
        Code::PreconditionFailed
    );
    yard.home.begin_upload(&id, &with(&etag)).unwrap();
    send(&yard, &id, 0, 8, b"new");
    yard.ok("write_file", json!({ "path": "a", "content": "between" }));
    let late = yard
        .home
        .complete_upload(&id, &with(&etag), None, &work(), &ready)
        .unwrap_err();
    assert_eq!(late.code, Code::PreconditionFailed);
    assert_eq!(yard.text("a"), "between");
    let etag = yard.etag("a");
    let done = yard
        .home
        .complete_upload(&id, &with(&etag), None, &work(), &ready)
        .unwrap();
    assert_eq!((done.replaced, done.old_etag), (true, Some(etag)));
    assert_eq!(yard.text("a"), "new");
}

#[test]
fn room_is_reserved_until_the_end() {
    let yard = yard_with(Limits {
        quota_bytes: 100,
        upload_max: 90,
        ..relaxed()
    });
    let (first, second) = (fresh(&yard), fresh(&yard));
    assert_eq!(
        yard.home
            .begin_upload(&first, &target("a", 91))
            .unwrap_err()
            .code,
        Code::TooLarge
    );
    yard.home.begin_upload(&first, &target("a", 80)).unwrap();
    assert_eq!(
        yard.home
            .begin_upload(&second, &target("b", 30))
            .unwrap_err()
            .code,
        Code::QuotaExceeded
    );
    assert_eq!(
        yard.code(
            "write_file",
            json!({ "path": "c", "content": "x".repeat(30) })
        ),
        Code::QuotaExceeded
    );
    yard.home.abort_upload(&first).unwrap();
    yard.home.abort_upload(&first).unwrap();
    yard.home.begin_upload(&second, &target("b", 30)).unwrap();
    let (root, clock) = (yard.root, yard.clock);
    drop(yard.home);
    let home = open(
        root.path(),
        Limits {
            quota_bytes: 100,
            ..relaxed()
        },
        &clock,
    );
    assert_eq!(home.usage().bytes, 0);
    home.restore_reservation(&second, 30);
    home.restore_reservation(&second, 30);
    assert_eq!(home.usage().bytes, 30);
    assert_eq!(
        home.sweep_uploads(std::slice::from_ref(&second)).unwrap(),
        0
    );
    assert_eq!(home.sweep_uploads(&[]).unwrap(), 1);
    assert_eq!(home.usage().bytes, 0);
}

#[derive(Debug, Clone)]
enum Step {
    Part(u64),
    HalfPart(u64),
    Complete,
    Abort,
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..4_u64).prop_map(Step::Part),
        2 => (0..4_u64).prop_map(Step::HalfPart),
        2 => Just(Step::Complete),
        1 => Just(Step::Abort),
        1 => Just(Step::Restart),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// The model: the target exists whole after a completion whose digest fits, else not at all.
    #[test]
    fn every_history_ends_with_the_whole_file_or_none(steps in prop::collection::vec(step(), 1..14)) {
        let data: Vec<u8> = (0..35_u8).map(|byte| byte.wrapping_mul(37)).collect();
        let mut yard = yard();
        let id = fresh(&yard);
        yard.home.begin_upload(&id, &target("t", 35)).unwrap();
        let mut whole = [false; 4];
        let (mut open_upload, mut done) = (true, false);
        for step in steps {
            match step {
                Step::Part(n) if open_upload => {
                    send(&yard, &id, n, 10, &data);
                    whole[n as usize] = true;
                }
                Step::Part(n) | Step::HalfPart(n) if !open_upload => {
                    let refused = yard.home.staging().part_writer(&id, n, 10, 35);
                    prop_assert!(refused.is_err_and(|f| f.code == Code::UploadNotFound));
                }
                Step::Part(_) => {}
                Step::HalfPart(n) => {
                    let mut part = yard.home.staging().part_writer(&id, n, 10, 35).unwrap();
                    part.write(b"zzz").unwrap();
                    whole[n as usize] = false;
                }
                Step::Complete => {
                    let result = yard.home.complete_upload(&id, &target("t", 35), Some(&hex(&data)), &work(), &ready);
                    match result {
                        Ok(_) => {
                            prop_assert!(open_upload && whole.iter().all(|part| *part));
                            (open_upload, done) = (false, true);
                        }
                        Err(fault) if open_upload => {
                            prop_assert_eq!(fault.code, Code::ChecksumMismatch);
                            prop_assert!(!whole.iter().all(|part| *part));
                        }
                        Err(fault) => prop_assert_eq!(fault.code, Code::UploadNotFound),
                    }
                }
                Step::Abort => {
                    yard.home.abort_upload(&id).unwrap();
                    open_upload = false;
                }
                Step::Restart => {
                    yard.home = open(yard.root.path(), relaxed(), &yard.clock);
                    if open_upload {
                        yard.home.restore_reservation(&id, 35);
                    }
                }
            }
            prop_assert_eq!(yard.host("t").exists(), done);
            let expected = if open_upload || done { 35 } else { 0 };
            prop_assert_eq!(yard.home.usage().bytes, expected);
        }
        if done {
            prop_assert_eq!(yard.bytes("t"), data);
        }
    }
}
