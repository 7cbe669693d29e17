//! Words that mean nearly the same to somebody who looks for a service.

use super::search::stem;
use std::collections::HashMap;
use std::sync::LazyLock;

/// Each line is a circle of words that lead to each other.
const CIRCLES: &str = "
email mail inbox newsletter mailbox
message chat messenger dm conversation channel
sms text phone telephony call voice whatsapp
issue bug ticket defect
task todo project board kanban planning sprint
customer client crm lead contact deal pipeline sales prospect
spreadsheet sheet excel table row cell
payment pay charge card billing checkout refund subscription
invoice accounting bookkeeping ledger expense bill
file storage drive upload folder share bucket
document doc wiki page note knowledge
calendar event appointment schedule booking
meeting video conference webinar
repo repository code git commit pull merge
deploy hosting release cloud server vm droplet infrastructure
monitor metric alert incident oncall dashboard observability paging
error exception crash log
ad advertising campaign marketing
order shop store marketplace ecommerce commerce sell product stock inventory
delivery shipping parcel courier shipment
employee hr people payroll staff
hire recruit candidate applicant job vacancy
support helpdesk ticket
survey form questionnaire answer
signature sign esign contract agreement
dns domain zone record
database sql warehouse dataset query
queue broker
download torrent
ai model llm gpt prompt completion assistant
speech voice audio tts
search find lookup
container image docker registry
identity sso login user auth
social post tweet feed follower
analytics traffic visitor statistics report
slide presentation deck
notebook kernel python
device light sensor home
design mockup prototype
photo picture image
build pipeline ci job workflow
address company enrichment
";

/// Circles of words for what somebody wants to do. Many actions have such a word, so only a search
/// among actions follows them.
const DEEDS: &str = "
add create new make append insert
send post publish write
delete remove cancel erase drop discard
update change edit modify overwrite replace set
get read show view fetch see
list find search which
empty clear purge flush
start run trigger launch begin execute
stop pause halt end
upload create save put
commit put create change
link associate connect relate attach
book log record track add
answer reply respond
accept approve confirm
share invite grant
reaction emoji thumb
free available busy
";

static RELATED: LazyLock<HashMap<String, Vec<String>>> = LazyLock::new(|| circles(CIRCLES));
static DONE: LazyLock<HashMap<String, Vec<String>>> = LazyLock::new(|| circles(DEEDS));

fn circles(circles: &str) -> HashMap<String, Vec<String>> {
    let mut related: HashMap<String, Vec<String>> = HashMap::new();
    for circle in circles.lines() {
        let words: Vec<String> = circle.split_whitespace().map(stem).collect();
        for word in &words {
            let others = words.iter().filter(|other| *other != word).cloned();
            related.entry(word.clone()).or_default().extend(others);
        }
    }
    related
}

/// The words related to a stemmed one, stemmed.
pub(crate) fn related(word: &str) -> &'static [String] {
    RELATED.get(word).map_or(&[], Vec::as_slice)
}

/// The words for nearly the same deed as a stemmed one, stemmed.
pub(crate) fn deeds(word: &str) -> &'static [String] {
    DONE.get(word).map_or(&[], Vec::as_slice)
}
