//! The worker's side: programs in, values out, until the server goes away or has had enough.

use super::evaluate::evaluate;
use super::json::{self, Room};
use super::program::{Compiled, Library};
use super::{Ask, Told, Why};
use crate::forks::Origin;
use crate::frame;
use crate::isolation::Failure;
use crate::lock::{self, Allowance};
use crate::message::FromWorker;
use crate::overflow;
use crate::worker::say;
use jaq_json::{Val, read};
use std::any::Any;
use std::collections::HashMap;
use std::convert::Infallible;
use std::fs::File;
use std::io::{self, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::Duration;

/// What a worker may map besides its program.
const MEMORY: u64 = 256 * 1024 * 1024;
/// Of all that it ever evaluates; the server watches each by itself.
const CPU: Duration = Duration::from_mins(10);
/// Programs that are kept compiled.
const KEPT: usize = 256;
/// Evaluated before the worker locks itself, so that what it needs is in memory, and the list of time zones has been
/// looked for.
const WARM_UP: &str = r#"[
  (.[] | select(.a > 1) | "\(.b)" | test("x")),
  (now | todate), ("2024-01-01" | strptime("%Y-%m-%d") | mktime | strftime("%Z"))
]"#;

/// Locks this process and evaluates what it is given.
pub(crate) fn work(connection: &File, origin: &Origin) -> Result<Infallible, Failure> {
    // An interpreter that panics says so below.
    std::panic::set_hook(Box::new(|_| {}));
    let mut evaluator = Evaluator {
        library: Library::load(),
        compiled: HashMap::new(),
    };
    let warm = read::parse_single(br#"[{"a":2,"b":[1.5]}]"#).unwrap_or_default();
    evaluator.one(
        WARM_UP,
        Some((&warm, &mut Room::default())),
        &mut Vec::new(),
    );
    overflow::watch(connection, &Told::Failed(Why::TooDeep));
    let allowance = Allowance {
        memory: MEMORY,
        cpu: CPU,
    };
    origin.copy()?;
    let locked = lock::lock(origin.parent, &allowance)?;
    let ready = FromWorker::Ready {
        isolation: locked.isolation,
        lacks: locked.lacks,
    };
    say(connection, &ready);
    while evaluator.serve(connection).is_ok() {}
    std::process::exit(0)
}

struct Evaluator {
    library: Library,
    /// By their text.
    compiled: HashMap<String, Rc<Compiled>>,
}

impl Evaluator {
    /// Answers what is asked once.
    fn serve(&mut self, mut connection: &File) -> io::Result<()> {
        let asked = frame::read(&mut connection)?;
        let ask: Ask<'_> = serde_json::from_slice(&asked)?;
        let input = if ask.check {
            None
        } else {
            let bytes = frame::read(&mut connection)?;
            let input = read::parse_single(&bytes);
            Some(input.map_err(|error| io::Error::other(error.to_string()))?)
        };
        let mut room = Room::default();
        for program in &ask.programs {
            // A length goes in front when it is known.
            let mut answer = vec![0; 4];
            // Descends as deep as what it is given, and as what it makes when that is dropped.
            let good = overflow::guarded(|| {
                let input = input.as_ref().map(|input| (input, &mut room));
                self.one(program, input, &mut answer)
            });
            let length = u32::try_from(answer.len() - 4).map_err(io::Error::other)?;
            answer[..4].copy_from_slice(&length.to_le_bytes());
            connection.write_all(&answer)?;
            if !good {
                break;
            }
        }
        Ok(())
    }

    /// Appends what is to be told of a program; whether it has a value.
    fn one(
        &mut self,
        program: &str,
        input: Option<(&Val, &mut Room)>,
        answer: &mut Vec<u8>,
    ) -> bool {
        let start = answer.len();
        answer.extend_from_slice(br#"{"ok":"#);
        let worked = catch_unwind(AssertUnwindSafe(|| self.value(program, input, answer)));
        let why = match worked {
            Ok(Ok(())) => {
                answer.push(b'}');
                return true;
            }
            Ok(Err(why)) => why,
            Err(panic) => of_panic(&*panic),
        };
        answer.truncate(start);
        // A vector takes everything.
        let _ = serde_json::to_writer(answer, &Told::Failed(why));
        false
    }

    fn value(
        &mut self,
        program: &str,
        input: Option<(&Val, &mut Room)>,
        answer: &mut Vec<u8>,
    ) -> Result<(), Why> {
        let compiled = match self.compiled.get(program) {
            Some(compiled) => Rc::clone(compiled),
            None => {
                let compiled = Rc::new(self.library.compile(program)?);
                if self.compiled.len() >= KEPT {
                    self.compiled.clear();
                }
                self.compiled
                    .insert(program.to_owned(), Rc::clone(&compiled));
                compiled
            }
        };
        match input {
            Some((input, room)) => json::append(answer, &evaluate(&compiled, input.clone())?, room),
            None => {
                answer.extend_from_slice(b"null");
                Ok(())
            }
        }
    }
}

fn of_panic(panic: &(dyn Any + Send)) -> Why {
    let message = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or_default();
    // What asks for more than an address can say does not get as far as the kernel.
    if message.contains("capacity overflow") {
        Why::Memory
    } else {
        Why::Broken(message.chars().take(200).collect())
    }
}
