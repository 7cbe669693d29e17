//! Documents as office programs, typesetters, browsers and libraries write them, kept in `fixtures/documents`.

use super::*;

fn document(name: &str) -> Vec<u8> {
    let path = format!("{}/fixtures/documents/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// With one space wherever there is any: where lines end is the producer's choice.
fn on_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The sentences of the same page in each program that printed it.
const PRINTED: [&str; 12] = [
    "The office files an affidavit for each shuffled flag and a fjord pilot.",
    "Die Möwen über Köln müssen große Fähren grüßen.",
    "Корабль стоит у причала номер семь.",
    "nobody noticed — and the quay was “quiet”.",
    "A soft hyphen is no sign of a word.",
    "Ship Berth Depth Razorbill Seven 12.5 m Guillemot Nine 8.0 m",
    "The left column tells of lighthouses whose keepers wrote every passing vessel into a register, together with the weather",
    "Storms were written in red ink. The right column tells of breakwaters, which administrations everywhere underestimated",
    "until the extraordinary winter in which the old mole disappeared within a single night and had to be reconstructed from granite.",
    "السفينة الزرقاء وصلت إلى الميناء في 14 مارس.",
    "הספינה הגיעה לנמל בבוקר.",
    "港口的灯塔每晚都亮着。",
];
/// Of the paper that each engine of TeX set.
const PAPER: [&str; 7] = [
    "The affluent office of difficult waffles offers fluffy flags and a final fjord.",
    "Die Möwen über Köln müssen große Fähren grüßen; a café in Århus, señor.",
    "representatives of international organizations misunderstood telecommunications infrastructure, and well-known",
    "The footnote mentions a spoonbill.",
    "A table — and a list Razorbill 12.5 Guillemot 8.0 1. Moor the bow line first. 2. Then moor the stern line.",
    "Pages 10–12 are “quoted”.",
    "begins with a conclusion about breakwaters and considerations of maintainability.",
];
const LETTER: [&str; 6] = [
    "The office files an affidavit for each shuffled flag",
    "Die Möwen über Köln müssen große Fähren grüßen. Корабль стоит у причала номер семь.",
    "A soft hyphen is no sign of a word, and a tab and a line break are spaces.",
    "The footnote mentions a spoonbill.",
    "The header names the dotterel",
    "السفينة الزرقاء وصلت إلى الميناء في 14 مارس. הספינה הגיעה לנמל בבוקר. 港口的灯塔每晚都亮着。",
];
const REPORT: [&str; 4] = [
    "The fulmar crane lifts forty tonnes; Köln — “quay” €5.",
    "港口的灯塔每晚都亮着。 港の灯台は毎晩光る。",
    "After them stands the gannet.",
    "A page on its side has the whimbrel.",
];

/// Name, the heading above the first sentence, sentences.
fn expected() -> Vec<(&'static str, &'static str, Vec<&'static str>)> {
    let mut all: Vec<(&str, &str, Vec<&str>)> = Vec::new();
    for name in ["chromium.pdf", "cairo.pdf", "weasyprint.pdf"] {
        all.push((name, "Page 1", PRINTED.to_vec()));
    }
    for name in [
        "pdflatex.pdf",
        "pdflatex-ot1.pdf",
        "xelatex.pdf",
        "dvips-ghostscript.pdf",
    ] {
        all.push((name, "Page 1", PAPER.to_vec()));
    }
    for name in [
        "reportlab.pdf",
        "object-streams.pdf",
        "printable.pdf",
        "shifted.pdf",
    ] {
        all.push((name, "Page 1", REPORT.to_vec()));
    }
    all.extend([
        ("libreoffice-writer.pdf", "Page 1", LETTER.to_vec()),
        ("libreoffice-writer.docx", "Harbour notes", LETTER.to_vec()),
        ("scan-and-text.pdf", "Page 2", REPORT[..3].to_vec()),
        (
            "ghostscript.pdf",
            "Page 1",
            vec![
                "The harbour log names the sandpiper on its first line.",
                "Köln and München have no harbour on the sea.",
                "Letters stand apart here.",
                "Wide letters are a word.",
                "A note on its side mentions the whimbrel.",
                "The second page has the turnstone.",
            ],
        ),
        (
            "word-like.docx",
            "Night shift",
            vec![
                "Lanterns of kind albatross burn from dusk.",
                "Berth seven is nine-sided and solid.",
                "A content control holds the grebe. A link holds the smew.",
                "Die Möwen über Köln — Корабль — السفينة — 港口",
                "Merged razorbill | Depth Seven | inner guillemot inner dunlin | 12 m",
                "The box holds the eider. Around the box stands the scoter.",
                "The footer names the pochard The header names the dotterel",
            ],
        ),
        (
            "libreoffice-calc.xlsx",
            "Tides",
            vec![
                "Day | Level | Twice | Note 2026-03-14 | 4.25 | 8.5 | Flut über Köln sum | | 12.5% | two lines",
                "# Crew & co The cormorant is aboard. | TRUE",
            ],
        ),
        (
            "libreoffice-calc.pdf",
            "Page 1",
            vec!["14. Mar 2026 4.25 8.5 Flut über Köln", "The cormorant is aboard. TRUE"],
        ),
        (
            "openpyxl.xlsx",
            "Tides",
            vec![
                "Day | Level | | Note 2026-03-14 | 4.25 | | Flut über Köln 18:30 | 0.3 | | Корабль",
                "Merged cells hold the shoveler.",
                "The remark mentions the curlew.",
                "The hidden sheet has the gadwall.",
            ],
        ),
        (
            "xlsxwriter.xlsx",
            "Rich",
            vec!["The garganey is bold.", "2026-03-14 18:30", "wigeon", "TRUE", "1234567.891"],
        ),
        (
            "libreoffice-impress.pptx",
            "Slide 1: Harbour plan",
            vec![
                "Dredge the dunlin channel Fähren für Köln Notes: Mention the egret",
                "A slide without a title has a knot.",
            ],
        ),
        (
            "libreoffice-impress.pdf",
            "Page 1",
            vec!["Harbour plan", "Dredge the dunlin channel", "A slide without a title has a knot."],
        ),
        (
            "powerpoint-like.pptx",
            "Slide 1: Harbour plan",
            vec![
                "Dredge the dunlin channel Fähren für Köln",
                "Ship Berth Razorbill Seven",
                "A group holds the pintail. Notes: Mention the egret",
            ],
        ),
    ]);
    all
}

#[tokio::test]
async fn documents_say_what_their_authors_wrote_whatever_program_made_them() {
    let Desk { server, key, mcp } = Desk::open(Database::Sqlite).await;
    let mut wrong = Vec::new();
    for (name, heading, sentences) in expected() {
        let document = add(&server, &key, name, document(name)).await;
        if document["state"] != "indexed" {
            wrong.push(format!("{name}: {document}"));
            continue;
        }
        let id = document["id"].as_str().unwrap();
        let text = on_one_line(&texts(&mcp, &format!("drive://{id}")).await.concat());
        for sentence in &sentences {
            if !text.contains(sentence) {
                wrong.push(format!("{name}: {sentence:?} is not in {text:?}"));
            }
        }
        let path = format!("{DOCUMENTS}/{id}/chunks");
        let (_, chunks) = server.rest(&key, "GET", &path, None).await;
        let above = chunks["chunks"]
            .as_array()
            .unwrap()
            .iter()
            .find(|one| on_one_line(one["text"].as_str().unwrap()).contains(sentences[0]));
        if above.is_some_and(|above| above["heading"] != heading) {
            wrong.push(format!("{name}: {heading:?} is not above {above:?}"));
        }
        assert!(!text.contains("mallard"), "what was deleted is no text");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // Words that were cut, joined by ligatures, put together from accents, or that run to the left are found.
    for (words, least) in [
        ("maintainability", 4),
        ("affluent waffles", 4),
        ("Möwen", 9),
        ("الميناء", 5),
        ("הספינה", 5),
        ("причала", 5),
        ("spoonbill", 6),
        ("curlew", 1),
    ] {
        let asked = json!({ "query": words, "limit": 25 });
        let answer = mcp.call("search_knowledge", asked).await.unwrap();
        let mut titles: Vec<&str> = answer["results"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["title"].as_str().unwrap())
            .collect();
        titles.sort_unstable();
        titles.dedup();
        assert!(titles.len() >= least, "{words}: {titles:?}");
    }
}

#[tokio::test]
async fn documents_without_text_with_a_lock_or_of_another_kind_say_why_they_are_not_read() {
    let Desk { server, key, mcp } = Desk::open(Database::Sqlite).await;
    for (name, reason, words) in [
        ("scan-img2pdf.pdf", "no_text", "It has no text"),
        ("scan-fax.pdf", "no_text", "text recognition"),
        ("locked-aes256.pdf", "encrypted", "It has a password."),
        ("locked-rc4.pdf", "encrypted", "It has a password."),
        ("cut.pdf", "malformed", "It is damaged"),
        (
            "libreoffice-writer.odt",
            "unsupported",
            "Save it as PDF, docx",
        ),
        ("libreoffice-calc.ods", "unsupported", "xlsx"),
        ("libreoffice-impress.odp", "unsupported", "pptx"),
        (
            "libreoffice-writer.rtf",
            "unsupported",
            "This kind of file is not read.",
        ),
    ] {
        let document = add(&server, &key, name, document(name)).await;
        let told = (document["state"].as_str(), document["reason"].as_str());
        assert_eq!(told, (Some("failed"), Some(reason)), "{document}");
        let explanation = document["explanation"].as_str().unwrap();
        assert!(explanation.contains(words), "{name}: {explanation}");
        let uri = format!("drive://{}", document["id"].as_str().unwrap());
        let answer = mcp.request("resources/read", json!({ "uri": uri })).await;
        assert_eq!(answer["error"]["data"]["code"], "NOT_TEXT", "{answer}");
    }
    assert_eq!(found(&mcp, "Möwen").await.len(), 0);
}
