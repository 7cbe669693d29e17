//! Documents that are attacks.

use super::*;
use std::io::Write as _;

/// Bytes of memory that the server process has.
fn memory(server: &Server) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .unwrap();
    let number: String = line.chars().filter(char::is_ascii_digit).collect();
    number.parse::<u64>().unwrap() * 1024
}

fn archive(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    for (name, bytes) in parts {
        archive.start_file(*name, options).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

fn word(document: &str) -> Vec<u8> {
    archive(&[("word/document.xml", document.as_bytes())])
}

fn pdf(pages: usize) -> Vec<u8> {
    let mut out = b"%PDF-1.4\n".to_vec();
    let mut offsets = Vec::new();
    let mut object = |out: &mut Vec<u8>, number: usize, text: String| {
        offsets.push((number, out.len()));
        write!(out, "{number} 0 obj\n{text}\nendobj\n").unwrap();
    };
    object(&mut out, 1, "<< /Type /Catalog /Pages 2 0 R >>".to_owned());
    let kids: Vec<String> = (0..pages).map(|n| format!("{} 0 R", 5 + n)).collect();
    object(
        &mut out,
        2,
        format!(
            "<< /Type /Pages /Count {pages} /Kids [{}] >>",
            kids.join(" ")
        ),
    );
    object(
        &mut out,
        3,
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"
            .to_owned(),
    );
    let text = "BT /F1 12 Tf 72 720 Td (A page of the puffin log) Tj ET";
    object(
        &mut out,
        4,
        format!("<< /Length {} >>\nstream\n{text}\nendstream", text.len()),
    );
    for n in 0..pages {
        object(
            &mut out,
            5 + n,
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources << /Font << /F1 3 0 R >> >> >>".to_owned(),
        );
    }
    let start = out.len();
    write!(out, "xref\n0 {}\n0000000000 65535 f \n", offsets.len() + 1).unwrap();
    for (_, at) in offsets {
        writeln!(out, "{at:010} 00000 n ").unwrap();
    }
    write!(
        out,
        "trailer\n<< /Size {} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n",
        5 + pages
    )
    .unwrap();
    out
}

#[tokio::test]
async fn an_attack_ends_as_a_failed_document_and_the_server_goes_on() {
    let Desk { server, key, mcp } = Desk::open(Database::Sqlite).await;
    add(&server, &key, "warm.md", "warm\n").await;
    let before = memory(&server);
    let laughs = "<!DOCTYPE w [<!ENTITY a \"lol\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;\"><!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;\">]><w:document><w:p><w:t>&c;</w:t></w:p></w:document>";
    let outside = "<!DOCTYPE w [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><w:document><w:p><w:t>&x;</w:t></w:p></w:document>";
    let bomb = format!(
        "<w:document><w:p><w:t>{}</w:t></w:p></w:document>",
        " ".repeat(132 * 1024 * 1024)
    );
    let text = format!(
        "<w:document><w:p><w:t>{}</w:t></w:p></w:document>",
        "word ".repeat(4 * 1024 * 1024)
    );
    let deep = format!("<w:document>{}", "<w:p>".repeat(100_000));
    let good = pdf(3);
    let mut looping = pdf(1);
    let kids = b"/Kids [5 0 R";
    let at = looping
        .windows(kids.len())
        .position(|some| some == kids)
        .unwrap();
    looping[at + 7] = b'2';
    let cases: Vec<(&str, Vec<u8>, &[&str])> = vec![
        ("bomb.docx", word(&bomb), &["too_large"]),
        ("text.docx", word(&text), &["too_large"]),
        ("laughs.docx", word(laughs), &["malformed"]),
        ("outside.docx", word(outside), &["malformed"]),
        ("deep.docx", word(&deep), &["malformed"]),
        (
            "cut.docx",
            word("<w:document><w:p><w:t>a</w:t></w:p>"),
            &["malformed"],
        ),
        (
            "half.docx",
            {
                let mut half = word(&text);
                half.truncate(half.len() / 2);
                half
            },
            &["unsupported"],
        ),
        (
            "half.pdf",
            good[..good.len() / 2].to_vec(),
            &["malformed", "no_text"],
        ),
        ("head.pdf", b"%PDF-1.7\n".to_vec(), &["malformed"]),
        (
            "looping.pdf",
            looping,
            &["malformed", "no_text", "too_large"],
        ),
        (
            "noise.pdf",
            [&b"%PDF-1.7\n"[..], &vec![0x80; 100_000]].concat(),
            &["malformed"],
        ),
        (
            "image.png",
            b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0".to_vec(),
            &["unsupported"],
        ),
        (
            "program.md",
            b"\x7fELF\x02\x01\x01\0\0\0".to_vec(),
            &["unsupported"],
        ),
        ("zip.docx", archive(&[("a.txt", b"a")]), &["unsupported"]),
        ("empty.md", Vec::new(), &["no_text"]),
        (
            "blank.html",
            b"<html><script>1</script></html>".to_vec(),
            &["no_text"],
        ),
        (
            "long.txt",
            "word ".repeat(4 * 1024 * 1024).into_bytes(),
            &["too_large"],
        ),
    ];
    for (name, bytes, reasons) in cases {
        let document = add(&server, &key, name, bytes).await;
        assert_eq!(document["state"], "failed", "{document}");
        let reason = document["reason"].as_str().unwrap();
        assert!(reasons.contains(&reason), "{name}: {reason}");
    }
    let after = memory(&server);
    assert!(
        after < before + 64 * 1024 * 1024,
        "{before} bytes became {after}"
    );
    assert_eq!(found(&mcp, "warm").await.len(), 1);
    assert_eq!(found(&mcp, "root lol").await.len(), 0);
}

#[tokio::test]
async fn a_document_of_ten_thousand_pages_is_read_or_refused_in_time() {
    let Desk { server, key, mcp } = Desk::open(Database::Sqlite).await;
    let document = add(&server, &key, "long.pdf", pdf(10_000)).await;
    match document["state"].as_str().unwrap() {
        "indexed" => {
            let results = found(&mcp, "puffin").await;
            assert!(
                results[0]["heading_path"]
                    .as_str()
                    .unwrap()
                    .starts_with("Page ")
            );
        }
        _ => assert_eq!(document["reason"], "too_large", "{document}"),
    }
    assert_eq!(add(&server, &key, "short.pdf", pdf(2)).await["chunks"], 2);
}

#[tokio::test]
async fn hidden_signs_of_a_document_do_not_reach_an_agent() {
    let Desk { server, key, mcp } = Desk::open(Database::Sqlite).await;
    let text = "The tern\u{202e} sign\u{200b}al\u{7} is \u{e0041}green.\n\n\u{feff}End";
    let document = add(&server, &key, "signs.txt", text).await;
    let uri = format!("drive://{}", document["id"].as_str().unwrap());
    assert_eq!(
        texts(&mcp, &uri).await,
        ["The tern signal is green.\n\nEnd"]
    );
    assert_eq!(found(&mcp, "signal").await.len(), 1);
}
