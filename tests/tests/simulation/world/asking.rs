//! Those who ask: the provider and the users of the API, who ask again until they are answered.

use domain::{
    ids::Sequence,
    input::{Delivery, Input, Order},
    notice::Notice,
};
use engine::step::Request;
use event_store::log::{EventLog, ReadError};
use ingestion::read::{Reading, reread};
use tallyhook_tests::history::ledger;

use super::{Asking, World, program::Waiting};
use crate::{
    plan::{self, Asked, What},
    provider::{self, Forgery, Sent},
};

impl World {
    /// Somebody asks for something new.
    pub(super) fn ask(&mut self, asked: Asked) -> Result<(), String> {
        self.pass(asked.now);
        self.asking.push(Asking { asked, attempts: 0, waiting: 0, answered: false });
        self.attempt(self.asking.len() - 1)
    }

    /// Whoever has no answer asks again; the impatient even while their inputs wait.
    pub(super) fn ask_again(&mut self, impatient: bool) -> Result<(), String> {
        for place in 0..self.asking.len() {
            let Some(asking) = self.asking.get(place) else { continue };
            if !asking.answered && (asking.waiting == 0 || impatient) {
                let waits = asking.waiting > 0;
                self.reach(if waits { "asked-again-while-waiting" } else { "asked-again" });
                self.attempt(place)?;
            }
        }
        Ok(())
    }

    /// A forged delivery is refused before anything of it is looked at.
    pub(super) fn forge(&mut self, sent: &Sent, forgery: Forgery) -> Result<(), String> {
        match sent.forged(forgery, (self.time, self.clock())) {
            Ok(()) => Err(format!("a forged delivery was believed: {forgery:?}")),
            Err(fault) => {
                self.oracle.trace.add(format_args!("{fault}"));
                self.reach(match forgery {
                    Forgery::StrangersSecret => "forged-strangers-secret",
                    Forgery::OtherBody => "forged-other-body",
                    Forgery::OtherTime => "forged-other-time",
                    Forgery::NoHeader => "forged-no-header",
                    Forgery::TwoHeaders => "forged-two-headers",
                });
                Ok(())
            }
        }
    }

    /// One attempt: it waits with the program, unless that takes nothing.
    fn attempt(&mut self, place: usize) -> Result<(), String> {
        let Some(asking) = self.asking.get_mut(place) else { return Ok(()) };
        asking.attempts += 1;
        let attempt = asking.attempts;
        let takes = self.program.as_ref().is_some_and(|program| !program.latched);
        if !takes {
            return Ok(());
        }
        let request = self.request(place, attempt)?;
        let queue_max = self.conditions.queue_max;
        let Some(program) = &mut self.program else { return Ok(()) };
        if program.queue.len() >= queue_max {
            self.reach("queue-full");
            return Ok(());
        }
        program.queue.push_back(Waiting { asking: Some(place), request });
        if let Some(asking) = self.asking.get_mut(place) {
            asking.waiting += 1;
        }
        Ok(())
    }

    /// What arrives at the program.
    fn request(&mut self, place: usize, attempt: u32) -> Result<Request, String> {
        let what = self.asking.get(place).map(|asking| asking.asked.what.clone());
        match what.ok_or("nobody asks")? {
            What::Event(sent) => {
                if sent.older_secret {
                    self.reach("older-secret");
                }
                let (delivery, body) = sent.arrive((self.time, self.clock()), attempt)?;
                let input = Input::Delivery(Box::new(delivery));
                Ok(Request { ledger: ledger(), input, body: body.into() })
            }
            What::Order(order) => {
                let plan::Order { mut command, body } = *order;
                command.order = self.as_it_stands(command.order)?;
                Ok(Request { ledger: ledger(), input: Input::Command(Box::new(command)), body })
            }
        }
    }

    /// An order that names a record by its sequence means the one that stands there now.
    fn as_it_stands(&self, mut order: Order) -> Result<Order, String> {
        if let Order::Release { record, event, delivery, .. } = &mut order {
            let known = self.oracle.ledger.events.get(event);
            *record = known.map_or(*record, |known| known.sequence);
            if let Some(mut read) = self.read_again(*record)?.filter(|read| read.event == *event) {
                // Bytes that could not be read may be read by a later program.
                if read.notice.is_err() && delivery.notice == Ok(Notice::Nothing) {
                    read.notice = Ok(Notice::Nothing);
                }
                **delivery = read;
            }
        }
        if let Order::Resolve { exception, .. } = &mut order {
            let mut open = self.oracle.ledger.open();
            let same = open.find(|known| known.id.kind == exception.kind);
            *exception = same.map_or(*exception, |known| known.id);
        }
        Ok(order)
    }

    /// A recorded delivery as its bytes read today.
    fn read_again(&self, record: Sequence) -> Result<Option<Delivery>, String> {
        let look = || Ok((self.log.read(&ledger(), record)?, self.log.body(&ledger(), record)?));
        let looked: Result<_, ReadError> = self.power.look(look);
        let (Some(recorded), Some(body)) = looked.map_err(|error| error.to_string())? else {
            return Ok(None);
        };
        let Input::Delivery(delivery) = recorded.into_record().input else { return Ok(None) };
        let reading = Reading::from(provider::source());
        let read = reread(&reading, &body, &delivery);
        if read != *delivery {
            return Err(format!("it reads otherwise now\n  {read:?}\n  {delivery:?}"));
        }
        Ok(Some(read))
    }
}
