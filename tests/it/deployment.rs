//! What `deploy/` has is what its readers take: systemd, `AppArmor`, Docker.

use quaymaster_tests::binary;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;

fn deployed(name: &str) -> String {
    let path = format!("{}/../deploy/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap()
}

/// What a program says to a file that is made for it.
fn read_by(program: &mut Command, name: &str, text: &str) -> (Output, String) {
    let place = TempDir::new().unwrap();
    let file = place.path().join(name);
    std::fs::write(&file, text).unwrap();
    let output = program
        .arg(&file)
        .output()
        .expect("it is installed; run `cargo xtask test`");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (output, said)
}

/// The first number of what a program says about its version.
fn version_of(program: &str, argument: &str) -> u32 {
    let output = Command::new(program).arg(argument).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let mut words = said.split(|c: char| !c.is_ascii_digit());
    words.find_map(|word| word.parse().ok()).unwrap()
}

#[test]
fn systemd_understands_the_unit() {
    let name = "quaymaster.service";
    let binary = binary();
    let unit = deployed(name).replace("/usr/local/bin/quaymaster", binary.to_str().unwrap());
    let is_old = version_of("systemd-analyze", "--version") < 254;
    // What systemd has to say about other units of this machine is not about ours.
    let about_it = |unit: &str| {
        let (_, said) = read_by(Command::new("systemd-analyze").arg("verify"), name, unit);
        let lines = said.lines().filter(|line| {
            let is_known = is_old && line.contains("'DelegateSubgroup'");
            line.contains(name) && !is_known
        });
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(about_it(&unit), Vec::<String>::new());
    for (right, wrong) in [
        ("KillMode=mixed", "KillMode=most"),
        ("ProtectHome", "ProtectHut"),
    ] {
        let broken = about_it(&unit.replace(right, wrong));
        assert!(!broken.is_empty(), "{wrong} is found out");
    }
}

#[test]
fn apparmor_understands_the_profile() {
    let parser = ["/usr/sbin/apparmor_parser", "/sbin/apparmor_parser"];
    let parser = parser.into_iter().find(|path| Path::new(path).is_file());
    let parser = parser.expect("apparmor is installed; run `cargo xtask test`");
    let mut profile = deployed("apparmor-quaymaster");
    assert!(profile.contains("\n  userns,\n"), "what it is for");
    if version_of(parser, "--version") < 4 {
        // Before that there was no such rule, and nothing kept programs from making namespaces.
        profile = profile
            .replace("abi/4.0", "abi/3.0")
            .replace("  userns,\n", "");
    }
    // Read, and neither loaded nor kept.
    let read = |text: &str| read_by(Command::new(parser).args(["-Q", "-K"]), "quaymaster", text);
    let (output, said) = read(&profile);
    assert!(output.status.success(), "{said}");
    for (right, wrong) in [("(unconfined)", "(unconfine)"), ("}\n", "\n")] {
        let (output, said) = read(&profile.replace(right, wrong));
        assert!(!output.status.success(), "{wrong} is found out: {said}");
    }
}

#[test]
fn the_filter_for_docker_names_calls_that_there_are_and_none_that_sessions_need() {
    let filter: Value = serde_json::from_str(&deployed("docker-seccomp.json")).unwrap();
    assert_eq!(filter["defaultAction"], "SCMP_ACT_ALLOW");
    let refused: BTreeSet<&str> = filter["syscalls"]
        .as_array()
        .unwrap()
        .iter()
        .inspect(|rule| {
            assert_eq!(rule["action"], "SCMP_ACT_ERRNO", "{rule}");
            assert_eq!(rule["errnoRet"], 1, "{rule}");
        })
        .flat_map(|rule| rule["names"].as_array().unwrap())
        .map(|name| name.as_str().unwrap())
        .collect();
    assert!(refused.contains("bpf") && refused.contains("process_vm_readv"));
    for needed in [
        "unshare",
        "clone",
        "clone3",
        "mount",
        "umount2",
        "pivot_root",
        "mount_setattr",
        "seccomp",
        "prctl",
        "capset",
        "setresuid",
        "setgroups",
        "landlock_create_ruleset",
        "landlock_add_rule",
        "landlock_restrict_self",
        "signalfd4",
        "close_range",
    ] {
        assert!(!refused.contains(needed), "{needed}");
    }
    if cfg!(target_arch = "x86_64") {
        // Some are of the 32-bit table alone.
        let headers = ["unistd_32.h", "unistd_64.h"].map(|name| {
            let path = format!("/usr/include/x86_64-linux-gnu/asm/{name}");
            std::fs::read_to_string(path).expect("the kernel's headers, which compilers need")
        });
        let there: BTreeSet<&str> = headers
            .iter()
            .flat_map(|header| header.split_whitespace())
            .filter_map(|word| word.strip_prefix("__NR_"))
            .collect();
        let unknown: Vec<&&str> = refused.difference(&there).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
    }
}
