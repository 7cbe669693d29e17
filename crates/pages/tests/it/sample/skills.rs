//! Skills.

use quaymaster_pages::views::pager::Pager;
use quaymaster_pages::views::{
    ImportSkillPage, SavedSkill, SkillFileRow, SkillPage, SkillRow, SkillVersionRow, SkillsPage,
};

use super::{Page, Sample, page};

impl Sample {
    pub(super) fn of_skills(&self) -> Vec<Page> {
        let row = |name: &str, service: Option<&str>, enabled| SkillRow {
            name: self.t(name),
            description: self.t("Decides about refunds, when and how much."),
            service: service.map(|service| self.t(service)),
            enabled,
            version: 3,
            updated_at: self.ago(4_000),
        };
        let list = SkillsPage {
            layout: self.inside(),
            query: String::new(),
            skills: vec![
                row("refunds", Some("stripe"), true),
                row("drafts", None, false),
            ],
            pager: Pager::new("/skills", "", 1, 120),
            may_write: true,
        };
        let member = SkillsPage {
            may_write: false,
            ..list.clone()
        };
        let none = SkillsPage {
            skills: vec![],
            pager: Pager::default(),
            ..list.clone()
        };
        let nothing = SkillsPage {
            query: self.t("crane"),
            ..none.clone()
        };
        let new = SkillPage {
            layout: self.inside(),
            saved: None,
            name: self.field(""),
            description: self.field(""),
            system_prompt: self.field(""),
            service: self.field(""),
            services: vec![self.t("github"), self.t("stripe")],
            enabled: true,
            error: None,
            file_error: None,
            may_write: true,
        };
        let wrong = SkillPage {
            name: self.wrong("Refunds", "A skill’s name has small letters."),
            description: self.wrong("", "A description has 1 to 1024 characters."),
            system_prompt: self.wrong("x", "It is too long."),
            service: self.wrong("githup", "There is no connector githup."),
            ..new.clone()
        };
        let file = |path: &str, executable, is_skill_md| SkillFileRow {
            path: self.t(path),
            size: 2_300,
            executable,
            is_skill_md,
        };
        let version = |version, note: Option<&str>| SkillVersionRow {
            version,
            note: note.map(|note| self.t(note)),
            made_by: self.t("API key laptop"),
            made_at: self.ago(1_000),
            is_current: version == 3,
        };
        let edit = SkillPage {
            saved: Some(SavedSkill {
                name: self.t("refunds"),
                version: 3,
                enabled: true,
                files: vec![
                    file("SKILL.md", false, true),
                    file("scripts/sum.py", true, false),
                ],
                versions: vec![version(3, Some("restored version 1")), version(2, None)],
            }),
            description: self.field("Decides about refunds."),
            system_prompt: self.field("# Refunds\n\nBe kind."),
            file_error: Some(self.t("SKILL.md is made from the description.")),
            error: Some(self.t("Somebody else has changed the skill meanwhile.")),
            ..new.clone()
        };
        let reading = SkillPage {
            may_write: false,
            error: None,
            file_error: None,
            ..edit.clone()
        };
        let import = ImportSkillPage {
            layout: self.inside(),
            replace: false,
            error: None,
        };
        let refused = ImportSkillPage {
            replace: true,
            error: Some(self.t("The archive has no SKILL.md.")),
            ..import.clone()
        };
        vec![
            page("skills", &list),
            page("skills-member", &member),
            page("skills-none", &none),
            page("skills-nothing", &nothing),
            page("skill-new", &new),
            page("skill-wrong", &wrong),
            page("skill-edit", &edit),
            page("skill-reading", &reading),
            page("skill-import", &import),
            page("skill-import-refused", &refused),
        ]
    }
}
