//! The guides of `docs/`, in the page: the same committed files, read when the program is built, so that
//! nobody needs another site, and what a server shows fits its version.

mod html;
mod picture;
mod target;

use html::Writer;

/// A guide that has a page of its own.
#[derive(Debug)]
pub struct Guide {
    /// Of its address, and of its file without the ending.
    pub name: &'static str,
    pub part: Part,
    /// What it is about, in one line.
    pub summary: &'static str,
    source: &'static str,
}

/// Where a guide stands in the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Connecting,
    Building,
    Running,
}

impl Part {
    pub const ALL: [Part; 3] = [Part::Connecting, Part::Building, Part::Running];

    pub const fn title(self) -> &'static str {
        match self {
            Part::Connecting => "Connecting and calling",
            Part::Building => "Making tools",
            Part::Running => "Running a server",
        }
    }
}

macro_rules! guide {
    ($part:ident, $name:literal, $summary:literal) => {
        Guide {
            name: $name,
            part: Part::$part,
            summary: $summary,
            source: include_str!(concat!("../../../docs/", $name, ".md")),
        }
    };
}

/// In the order of the list: what somebody new needs comes first.
pub static ALL: [Guide; 11] = [
    guide!(
        Connecting,
        "connect",
        "Lines and files for Claude, Cursor, VS Code and every other known client."
    ),
    guide!(
        Connecting,
        "authentication",
        "Who gets in where and with what, and how to take it away again."
    ),
    guide!(
        Connecting,
        "agents",
        "What an agent with an API key finds: services, skills, memory."
    ),
    guide!(
        Connecting,
        "rate-limits",
        "What limits there are, how a refusal looks, and what to do about it."
    ),
    guide!(
        Connecting,
        "errors",
        "Every code, with its status and meaning."
    ),
    guide!(
        Building,
        "flows",
        "Steps in a file that become a tool, from a weather tool to the whole format."
    ),
    guide!(
        Building,
        "connectors",
        "From a service's documentation to a connector that passes its tests."
    ),
    guide!(
        Building,
        "hosted-servers",
        "Servers with tools of your choice, as tools or as code."
    ),
    guide!(
        Building,
        "embedding",
        "Give the users of your own product agents with their own accounts."
    ),
    guide!(
        Running,
        "team",
        "A service, a container, a name with TLS, people, a backup."
    ),
    guide!(
        Running,
        "sandbox",
        "How programs of agents are held, and what a machine has to allow."
    ),
];

/// A guide as its page shows it.
#[derive(Debug, Clone)]
pub struct Shown {
    /// Without the title.
    pub html: String,
    /// Those of the second level.
    pub headings: Vec<Heading>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heading {
    /// Of the element, as GitHub makes it.
    pub id: String,
    pub title: String,
}

impl Guide {
    pub fn find(name: &str) -> Option<&'static Guide> {
        ALL.iter().find(|guide| guide.name == name)
    }

    /// The first line of the file.
    pub fn title(&self) -> &'static str {
        let first = self.source.lines().next().unwrap_or_default();
        first.trim_start_matches(['#', ' '])
    }

    /// With the address of this server in the place of that of an example.
    pub fn shown(&self, public_url: &str) -> Shown {
        Writer::new(public_url).shown(self.source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(source: &str) -> String {
        Writer::new("https://quay.example").shown(source).html
    }

    #[test]
    fn html_in_a_guide_is_text() {
        let html =
            shown("# T\n\n<script>alert(1)</script>\n\nA <b onclick=\"x\">word</b> & `<i>`.\n");
        assert!(!html.contains("<script") && !html.contains("<b "), "{html}");
        assert!(html.contains("&lt;script&gt;"), "{html}");
        assert!(html.contains("<code>&lt;i&gt;</code>"), "{html}");
    }

    #[test]
    fn links_lead_to_guides_and_files_that_are_not_served_are_named() {
        let source = "[a](flows.md) [b](errors.md#top) [c](#here) [Python](../sdk/python/README.md) \
            [d](https://example.com) [e](javascript:alert(1)) [f](http://example.com) \
            [connector.schema.json](connector.schema.json) [flow.schema.json](flow.schema.json) ![p](img/p.png)";
        let html = shown(source);
        assert!(html.contains("<a href=\"/guides/flows\">a</a>"), "{html}");
        assert!(
            html.contains("<a href=\"/guides/errors#top\">b</a>"),
            "{html}"
        );
        assert!(html.contains("<a href=\"#here\">c</a>"), "{html}");
        assert!(
            html.contains("Python (<code>sdk/python/README.md</code>)"),
            "{html}"
        );
        let away = "<a href=\"https://example.com\" rel=\"noopener noreferrer\">d</a>";
        assert!(html.contains(away), "{html}");
        assert!(
            !html.contains("javascript:") && !html.contains("href=\"http:"),
            "{html}"
        );
        assert!(
            html.contains("<code>connector.schema.json</code>"),
            "{html}"
        );
        assert!(
            html.contains("href=\"/api/v1/schemas/flow.json\""),
            "{html}"
        );
        assert!(!html.contains("<img") && !html.contains("p.png"), "{html}");
    }

    #[test]
    fn examples_have_the_address_of_the_server_and_configurations_of_proxies_keep_theirs() {
        let html =
            shown("```\ncurl http://127.0.0.1:8080/mcp\n```\n\nAt `http://localhost:8080`.\n");
        assert!(html.contains("curl https://quay.example/mcp"), "{html}");
        assert!(html.contains("<code>https://quay.example</code>"), "{html}");
        let html = shown("```nginx\nproxy_pass http://127.0.0.1:8080;\n```\n");
        assert!(html.contains("proxy_pass http://127.0.0.1:8080;"), "{html}");
    }

    #[test]
    fn headings_have_the_ids_that_links_use_and_no_two_the_same() {
        let source = "# T\n\n## Answers, errors & `paging`\n\n### Signing in\n\n## Signing in\n";
        let shown = Writer::new("https://quay.example").shown(source);
        let ids: Vec<&str> = shown.headings.iter().map(|one| one.id.as_str()).collect();
        assert_eq!(ids, ["answers-errors--paging", "signing-in-1"]);
        assert_eq!(shown.headings[0].title, "Answers, errors & paging");
        assert!(
            shown.html.contains("<h3 id=\"signing-in\">"),
            "{}",
            shown.html
        );
        assert!(!shown.html.contains("<h1"), "{}", shown.html);
    }

    #[test]
    fn a_table_keeps_its_cells_and_an_empty_head_is_no_heading() {
        let html = shown("| | a |\n|---|:-:|\n| b | `c` |\n");
        assert!(
            html.contains("<tr><td></td><th scope=\"col\">a</th></tr>"),
            "{html}"
        );
        assert!(
            html.contains("<tr><td>b</td><td><code>c</code></td></tr>"),
            "{html}"
        );
        assert!(!html.contains("style"), "{html}");
    }

    #[test]
    fn a_picture_comes_in_light_and_dark_when_somebody_comes_near_it() {
        let html = shown("![A \"server\" & <its> tools](screenshots/server-light.webp)\n");
        let dark = crate::assets::url("server-dark.webp");
        let source = format!("<source srcset=\"{dark}\" media=\"(prefers-color-scheme: dark)\">");
        assert!(html.contains(&source), "{html}");
        let light = crate::assets::url("server-light.webp");
        assert!(html.contains(&format!("<img src=\"{light}\" ")), "{html}");
        let alt = "alt=\"A &quot;server&quot; &amp; &lt;its&gt; tools\" loading=\"lazy\"";
        assert!(html.contains(alt), "{html}");
        for other in [
            "screenshots/no-such-light.webp",
            "../screenshots/server-light.webp",
        ] {
            let html = shown(&format!("![A server]({other})\n"));
            assert!(
                !html.contains("<img") && !html.contains("A server"),
                "{html}"
            );
        }
    }

    #[test]
    fn every_guide_has_a_title_of_its_own() {
        for guide in &ALL {
            assert!(guide.source.starts_with("# "), "{}", guide.name);
            assert!(!guide.title().is_empty(), "{}", guide.name);
            assert!(!guide.shown("https://quay.example").html.is_empty());
        }
    }
}
