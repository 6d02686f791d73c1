//! The subscribers of `docs/subscribers` end with exactly the account views of the HTTP API.
//!
//! Each is run as somebody would who has copied it, against the real server and the real broker:
//! from before the events, across a broker that goes away, and from after them. They check every
//! message against the schema of `docs/balance-events`, so all that the server sends here is checked
//! by two implementations of JSON Schema that are not ours.

mod program;
mod story;
mod wire;

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::{Value, json};
    use tallyhook_tests::{
        home::{Home, Setup},
        nats::{Broker, Subscriber, gapless},
        server::Server,
        wait,
    };

    use crate::{
        program::{Ended, Language, Program},
        story,
        wire::publish,
    };

    struct Scene {
        broker: Broker,
        server: Server,
        // Gone after the server that writes into it.
        _home: Home,
    }

    impl Scene {
        fn new() -> Self {
            let broker = Broker::start().unwrap();
            let home = Home::new(&Setup::with_nats(broker.url())).unwrap();
            let server = Server::start(&home).unwrap();
            server.ready().unwrap();
            Self { broker, server, _home: home }
        }

        fn records(&self) -> u64 {
            u64::try_from(self.server.list("records", 500).unwrap().len()).unwrap()
        }

        /// What the HTTP API says of all accounts.
        fn views(&self) -> Value {
            let views = self.server.list("accounts", 500).unwrap();
            let named =
                views.into_iter().map(|view| (view["account"].as_str().unwrap().to_owned(), view));
            Value::Object(named.collect())
        }

        fn last(&self) -> BTreeMap<String, Value> {
            let versions: u64 = self.views().as_object().unwrap().values().map(version).sum();
            let seen = Subscriber::follow(&self.broker);
            let all = |count: usize| u64::try_from(count).unwrap() >= versions;
            let seen = seen.until("all messages", |seen| all(seen.len())).unwrap();
            let last = gapless(&seen).unwrap().into_iter();
            last.map(|(account, envelope)| (account, serde_json::to_value(envelope).unwrap()))
                .collect()
        }
    }

    fn version(view: &Value) -> u64 {
        view["version"].as_u64().unwrap()
    }

    /// Ends well with these views, and was told of nothing odd.
    fn has(program: Program, views: &Value, messages: usize) {
        let Ended { success, table, told } = program.ended().unwrap();
        assert!(success, "{told}");
        assert_eq!(serde_json::from_str::<Value>(&table).unwrap(), *views, "{told}");
        assert!(!told.contains("gap: "), "{told}");
        let taken = told.lines().filter(|line| line.starts_with("com.tallyhook.")).count();
        assert_eq!(taken, messages, "{told}");
    }

    /// Follows from before the events, while the broker goes away, and from after them.
    fn ends_with_the_views_of_the_api(language: Language) {
        let mut scene = Scene::new();
        let steps = story::steps().unwrap();
        let until = scene.records() + u64::try_from(steps.len()).unwrap();
        let early = Program::start(language, scene.broker.url(), until).unwrap();
        early.told("following ledger main").unwrap();
        for (number, step) in steps.iter().enumerate() {
            if number == steps.len() / 2 {
                scene.server.ready().unwrap();
                scene.broker.kill().unwrap();
                scene.broker.restart().unwrap();
                scene.server.ready().unwrap();
            }
            step.play(&scene.server, number).unwrap();
        }
        assert_eq!(scene.records(), until, "a step of the story is one record");
        scene.server.ready().unwrap();
        let views = scene.views();
        let accounts = views.as_object().unwrap();
        assert_eq!(accounts.len(), story::ACCOUNTS.len());

        let late = Program::start(language, scene.broker.url(), until).unwrap();
        has(late, &views, accounts.len());
        let all: u64 = accounts.values().map(version).sum();
        has(early, &views, usize::try_from(all).unwrap());
    }

    #[test]
    fn the_subscriber_in_python_ends_with_the_views_of_the_api() {
        ends_with_the_views_of_the_api(Language::Python);
    }

    #[test]
    fn the_subscriber_in_typescript_ends_with_the_views_of_the_api() {
        ends_with_the_views_of_the_api(Language::TypeScript);
    }

    /// The story is about all that a subscriber must understand.
    #[test]
    fn the_story_has_every_type_and_kind_of_cause() {
        let scene = Scene::new();
        let stream = Subscriber::follow(&scene.broker);
        for (number, step) in story::steps().unwrap().iter().enumerate() {
            step.play(&scene.server, number).unwrap();
        }
        let all: u64 = scene.views().as_object().unwrap().values().map(version).sum();
        let all = usize::try_from(all).unwrap();
        let seen = stream.until("all messages", |seen| seen.len() >= all).unwrap();
        let text = serde_json::to_string(&seen).unwrap();
        for word in [
            "com.tallyhook.account.closed.v1",
            "com.tallyhook.account.frozen.v1",
            "com.tallyhook.account.unfrozen.v1",
            "com.tallyhook.balance.changed.v1",
            r#""kind":"delivery""#,
            r#""kind":"command""#,
            r#""cause":"warning""#,
            r#""cause":"chargeback""#,
            r#""cause":"operator""#,
            r#""checkout":"limited""#,
        ] {
            assert!(text.contains(word), "no {word} in {text}");
        }
    }

    /// A repeated message is passed over, a missing one told of, and anything else ends it.
    #[test]
    fn what_is_odd_in_a_stream_is_told() {
        let scene = Scene::new();
        for (number, step) in story::steps().unwrap().iter().enumerate() {
            step.play(&scene.server, number).unwrap();
        }
        scene.server.ready().unwrap();
        let (_, newest) = scene.last().pop_first().unwrap();
        let records = scene.records();
        let programs = Language::ALL.map(|language| {
            let program = Program::start(language, scene.broker.url(), records + 10).unwrap();
            program.told(&format!("{} version", newest["subject"].as_str().unwrap())).unwrap();
            program
        });
        let known = version(&newest["data"]);
        let sent = |version: u64, record: u64| {
            let mut message = newest.clone();
            message["data"]["version"] = json!(version);
            message["data"]["record"] = json!(record);
            publish(&scene.broker, &message).unwrap();
        };
        sent(known - 1, records + 1);
        sent(known + 2, records + 2);
        let account = newest["subject"].as_str().unwrap();
        for program in &programs {
            program
                .told(&format!("passed over: {account} version {}, after {known}", known - 1))
                .unwrap();
            program.told(&format!("gap: {account} version {}, after {known}", known + 2)).unwrap();
        }
        let mut drifted = newest.clone();
        drifted["data"]["available"] = json!(12.5);
        publish(&scene.broker, &drifted).unwrap();
        for program in programs {
            let Ended { success, table, told } = program.ended().unwrap();
            assert!(!success && table.is_empty(), "{told}{table}");
            assert!(told.contains("no balance event: "), "{told}");
        }
    }

    #[test]
    fn a_broker_without_the_stream_is_told_of() {
        let broker = Broker::start().unwrap();
        for language in Language::ALL {
            let Ended { success, told, .. } =
                Program::start(language, broker.url(), 1).unwrap().ended().unwrap();
            assert!(!success && told.contains("no stream TALLYHOOK_BALANCES: start"), "{told}");
        }
    }

    /// A subscriber waits for a broker that is not there yet.
    #[test]
    fn a_broker_that_is_away_is_waited_for() {
        let mut broker = Broker::start().unwrap();
        broker.kill().unwrap();
        let programs =
            Language::ALL.map(|language| Program::start(language, broker.url(), 1).unwrap());
        broker.restart().unwrap();
        for program in programs {
            let what = "a program to find that there is no stream";
            wait::until(what, || program.text().contains("no stream").then_some(())).unwrap();
        }
    }
}
